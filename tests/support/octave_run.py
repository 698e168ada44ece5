"""Octave, where it is installed: scripts that use ``+caffe``."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "tests/matlab/scripts"

_numbers = itertools.count()
#: Seconds that a script may take.
_PATIENCE = 240


def octave_command() -> list[str]:
    """The words that start Octave without what its user has set up; skips without Octave."""
    program = shutil.which("octave-cli")
    if program is None or shutil.which("mkoctfile") is None:
        pytest.skip("Octave (octave-cli, mkoctfile) is not installed")
    return [program, "--no-init-file", "--no-history", "--quiet"]


def octave_environment(**more: str) -> dict[str, str]:
    """Few words on standard error, and the device on which nothing is compiled."""
    return {**os.environ, "GLOG_minloglevel": "2", "ROASTERY_DEVICE": "reference", **more}


def path_words(interface: Path) -> str:
    """The line of Octave that puts an interface and the tests' scripts on the path."""
    paths = [interface, interface / "hdf5creation", SCRIPTS, ROOT / "examples/matlab"]
    return f"addpath({', '.join(repr(str(path)) for path in paths)});"


class OctaveSession:
    """One Octave for many scripts: it starts, and imports Roastery, once."""

    def __init__(self, interface: Path) -> None:
        self._interface = interface
        self._process: subprocess.Popen[str] | None = None

    def run(self, file: Path) -> str:
        """Run a script in its folder; what it printed. It must succeed."""
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [*octave_command(), "--eval", f"{path_words(self._interface)} serve_scripts()"],
                env=octave_environment(), text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{file}\n")
        process.stdin.flush()
        lines = []
        watchdog = threading.Timer(_PATIENCE, process.kill)
        watchdog.start()
        for line in process.stdout:
            if line == "====\n":
                break
            lines.append(line)
        else:
            raise AssertionError(f"Octave ended ({process.wait()}):\n{''.join(lines)}")
        watchdog.cancel()
        said, _, told = "".join(lines).rpartition("\n==== ")
        assert told == "passed\n", f"{said}\n{told}"
        return said

    def end(self) -> None:
        """End the process, which must do so by itself, and well."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            assert self._process.wait(60) == 0
            assert self._process.stdout is not None
            self._process.stdout.close()


class OctaveRun:
    """Runs lines of Octave in a folder, with an interface on its path.

    Attributes:
        interface: what ``roastery matlab --build --output`` made.
        folder: where scripts run.
    """

    def __init__(self, session: OctaveSession, interface: Path, folder: Path) -> None:
        self._session = session
        self.interface = interface
        self.folder = folder

    def __call__(self, text: str) -> str:
        """Run lines, which must succeed, in the session's process: what they printed."""
        return self._session.run(self._script(text))

    def alone(self, text: str, **environment: str) -> str:
        """The same in a process of their own: what they printed to standard output."""
        script = self._script(f"{path_words(self.interface)}\n{text}\ndisp('done');")
        done = subprocess.run(
            [*octave_command(), str(script)],
            cwd=self.folder, env=octave_environment(**environment), check=False, timeout=_PATIENCE,
            capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        said = f"{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        assert done.stdout.endswith("done\n"), said
        return done.stdout.removesuffix("done\n")

    def start(self, text: str, **environment: str) -> subprocess.Popen[str]:
        """Begin to run lines in a process of their own."""
        script = self._script(f"{path_words(self.interface)}\n{text}\n")
        return subprocess.Popen(
            [*octave_command(), str(script)],
            cwd=self.folder, env=octave_environment(**environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _script(self, text: str) -> Path:
        path = self.folder / f"run_script_{next(_numbers)}.m"
        path.write_text(text, encoding="utf-8")
        return path
