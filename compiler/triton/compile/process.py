"""One worker process, seen from the compiler: started on demand, ended when it misbehaves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import compiler
from compiler.binary import Binary
from ir.errors import RoasteryError

from .job import Job

# Settings of Triton and LLVM that would change what is compiled without changing the key.
_FOREIGN = ("TRITON_", "MLIR_", "LLVM_", "NVPTX_", "DISABLE_LLVM_OPT", "DISABLE_PTXAS_OPT")
_FOREIGN_NAMES = ("USE_IR_LOC", "PTXAS_OPTIONS")
_ATTEMPTS = 2  # a crash may have come from outside (memory)


def worker_environment(folder: Path, triton_path: Path | None) -> dict[str, str]:
    """The environment in which a worker compiles the same bytes on every machine."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name not in _FOREIGN_NAMES
    }
    # An installed Roastery lies among other packages, Triton too: what the user named comes first,
    # but for the working directory, which an empty entry stands for.
    roots = [] if triton_path is None else [str(triton_path.resolve())]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    roots += [os.path.abspath(p) for p in inherited if os.path.normpath(p) != "."]
    roots.append(str(Path(compiler.__file__).resolve().parent.parent))
    environment.update(
        PYTHONPATH=os.pathsep.join(roots),
        PYTHONUNBUFFERED="1",
        # Each result is kept by the compiler itself; Triton's own cache is thrown away.
        TRITON_CACHE_DIR=str(folder / "triton"),
        TRITON_ALWAYS_COMPILE="1",
        # Else the machine code holds the folder of the kernel's file.
        TRITON_DISABLE_LINE_INFO="1",
        OMP_NUM_THREADS="1",
    )
    return environment


class WorkerProcess:
    """Starts when first asked; compiles one job at a time; may be killed from any thread."""

    def __init__(
        self, folder: Path, triton_path: Path | None, version: str, timeout: float
    ) -> None:
        self._folder = folder
        self._triton_path = triton_path
        self._version = version
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.ended = False  # killed for good

    def compile(self, job: Job) -> Binary | str:
        """The binary, or Triton's message, or how the worker ended that was tried last."""
        reason = ""
        for _ in range(_ATTEMPTS):
            if self._process is None:
                self._start()
            try:
                self._connection.send(job)
                if self._connection.poll(self._timeout):
                    return self._connection.recv()
                self._stop(patience=0)
                return f"the compiler took longer than {self._timeout:g} s"
            except (EOFError, OSError):
                reason = self._stop()
        return reason

    def kill(self) -> None:
        """End the process now and start no other."""
        with self._lock:
            self.ended = True
            if self._process is not None:
                _kill(self._process)
                self._process = None

    def _start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._connection: Connection[Job, Binary | str]
        self._connection, theirs = Pipe()
        command = [sys.executable, "-P", "-m", "compiler.triton.compile.worker", str(self._folder)]
        with self._lock, theirs, open(self._folder / "messages", "wb") as messages:
            if self.ended:
                return  # there is nobody to send anything to
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                pass_fds=[theirs.fileno()],
                env=worker_environment(self._folder, self._triton_path),
                start_new_session=True,  # Ctrl-C reaches the caller only, which ends us
            )
        try:
            found = self._connection.recv()
        except (EOFError, OSError) as error:
            raise RoasteryError(f"cannot start the kernel compiler: {self._stop()}") from error
        if found != self._version:
            self._stop(patience=0)
            raise RoasteryError(
                f"the kernel compiler found Triton {found}, installed is {self._version}",
                hint="another triton stands before it on PYTHONPATH",
            )

    def _stop(self, patience: float = 1.0) -> str:
        """End a process that misbehaved; returns how it ended and its last words."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return "compilation was stopped"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)  # it may be ending by itself
            status = _kill(process)
        words = (self._folder / "messages").read_text(errors="replace").strip()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"the compiler {how}\n{words[-2000:]}".strip()


def _kill(process: subprocess.Popen[bytes]) -> int:
    """End the worker and the assembler it may be waiting for (its session is its own)."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
