"""Compilers as processes, several at a time."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path

from ir.errors import RoasteryError
from roastery.files.owned_folder import owned_folder

from .c_compiler import CCompiler

_PATIENCE = 600.0  # seconds for one file
_SHOWN = 4000  # characters of what a compiler says


class CCompileError(RoasteryError):
    """What a compiler says of a file. ``failed``: what that comes to: "fails on kernels"."""

    def __init__(
        self, compiler: CCompiler, command: Sequence[str], said: str, failed: str, hint: str
    ) -> None:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        first = next((line for line in lines if "error" in line), (lines or ["nothing"])[-1])
        super().__init__(
            f"the C compiler {compiler} {failed}: {first}",
            hint=hint,
            detail=f"{shlex.join(command)}\n{said[:_SHOWN]}",
        )


def compile_all(
    texts: Sequence[str], compiler: CCompiler, flags: Sequence[str]
) -> Iterator[tuple[int, bytes]]:
    """Shared libraries of files, with their numbers, as they are done.

    Raises CCompileError. Whatever ends this ends the compilers that run, too.
    """
    if not texts:
        return
    with owned_folder(Path(tempfile.gettempdir()), "roastery-cc") as folder:
        folder.mkdir(mode=0o700)
        hint = "set CC to another compiler; --device reference needs none"
        with CompilerProcesses(compiler, "fails on kernels", hint, len(texts)) as processes:

            def make(number: int) -> bytes:
                source, library = folder / f"kernels_{number}.c", folder / f"kernels_{number}.so"
                _write(source, texts[number])
                words = [*flags, "-o", str(library), str(source), "-lm"]
                said = processes.run(words)
                try:
                    return library.read_bytes()
                except FileNotFoundError:
                    raise processes.error(words, f"{said}\nerror: it made no file") from None

            threads = processes.threads
            waiting = {threads.submit(make, number): number for number in range(len(texts))}
            for future in futures.as_completed(waiting):
                yield waiting[future], future.result()


def _write(source: Path, text: str) -> None:
    try:
        source.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RoasteryError(
            f"{source}: what is to be compiled cannot be written: {error.strerror}",
            hint="set TMPDIR to a folder with room; --device reference compiles nothing",
        ) from error


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ending(code: int) -> str:
    """Of a compiler that says nothing."""
    return f"error: it was ended by signal {-code}" if code < 0 else f"error: it ends with {code}"


class CompilerProcesses:
    """``with`` these, threads may run a compiler; whatever ends the block ends those that run, too.

    Args:
        failed, hint: of a CCompileError. jobs: that there will be at once. patience: seconds for
            one file. folder: where they run.
    """

    def __init__(
        self,
        compiler: CCompiler,
        failed: str,
        hint: str,
        jobs: int,
        patience: float = _PATIENCE,
        folder: Path | None = None,
    ) -> None:
        self.threads = futures.ThreadPoolExecutor(max(1, min(_usable_processors(), jobs)))
        self._compiler, self._folder, self._patience = compiler, folder, patience
        self._failed, self._hint = failed, hint
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._ended = False

    def __enter__(self) -> CompilerProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        self._kill()
        self.threads.shutdown()

    def run(self, words: Sequence[str]) -> str:
        """What the compiler says. Raises CCompileError."""
        with self._lock:
            if self._ended:
                return ""
            try:
                process = subprocess.Popen(
                    [*self._compiler.command, *words],
                    cwd=self._folder,
                    env={**os.environ, "LC_ALL": "C"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                raise self.error(words, f"error: it cannot be run: {error.strerror}") from error
            self._processes.add(process)
        try:
            said, _ = process.communicate(timeout=self._patience)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            said += f"\nerror: it took longer than {self._patience:g} s"
        finally:
            with self._lock:
                self._processes.discard(process)
        if process.returncode and not self._ended:
            raise self.error(words, said or _ending(process.returncode))
        return said

    def error(self, words: Sequence[str], said: str) -> CCompileError:
        """What to raise where the compiler said this."""
        command = [*self._compiler.command, *words]
        return CCompileError(self._compiler, command, said, self._failed, self._hint)

    def _kill(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()
