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
    """What a compiler says of a kernel."""

    def __init__(self, compiler: CCompiler, command: Sequence[str], said: str) -> None:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        first = next((line for line in lines if "error" in line), (lines or ["nothing"])[-1])
        super().__init__(
            f"the C compiler {compiler} fails on kernels: {first}",
            hint="set CC to another compiler; --device reference needs none",
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
        running = _Running()
        threads = futures.ThreadPoolExecutor(max(1, min(_usable_processors(), len(texts))))

        def make(number: int) -> bytes:
            source, library = folder / f"kernels_{number}.c", folder / f"kernels_{number}.so"
            _write(source, texts[number])
            command = [*compiler.command, *flags, "-o", str(library), str(source), "-lm"]
            said = running.run(compiler, command)
            try:
                return library.read_bytes()
            except FileNotFoundError:
                raise CCompileError(compiler, command, f"{said}\nerror: it made no file") from None

        try:
            waiting = {threads.submit(make, number): number for number in range(len(texts))}
            for future in futures.as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            running.kill()
            threads.shutdown()


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


class _Running:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(self, compiler: CCompiler, command: Sequence[str]) -> str:
        """What the compiler says."""
        with self._lock:
            if self._ended:
                return ""
            process = subprocess.Popen(
                command,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._processes.add(process)
        try:
            said, _ = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            said += f"\nerror: it took longer than {_PATIENCE:g} s"
        finally:
            with self._lock:
                self._processes.discard(process)
        if process.returncode and not self._ended:
            raise CCompileError(compiler, command, said or _ending(process.returncode))
        return said

    def kill(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()
