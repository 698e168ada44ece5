"""``subprocess``: what children print is a string."""

from __future__ import annotations

import io
import subprocess
from types import ModuleType
from typing import Any

from ..byte_string import as_string, to_bytes


class _Output(io.BufferedReader):
    """A pipe whose bytes go along with text."""

    def read(self, size: Any = -1) -> Any:
        return as_string(super().read(size))

    def readline(self, size: Any = -1) -> Any:
        return as_string(super().readline(size))

    def readlines(self, hint: Any = -1) -> Any:
        return list(map(as_string, super().readlines(hint)))

    def __next__(self) -> Any:
        return as_string(super().__next__())

    next = __next__


class _Input:
    """A pipe that takes text."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def write(self, data: Any) -> Any:
        return self._pipe.write(to_bytes(data))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


class Popen(subprocess.Popen):
    """A child whose pipes give and take strings."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.text_mode:  # type: ignore[attr-defined]
            for name in ("stdout", "stderr"):
                pipe = getattr(self, name)
                if isinstance(pipe, io.BufferedReader):
                    setattr(self, name, _Output(pipe.detach()))
                elif isinstance(pipe, io.FileIO):
                    setattr(self, name, _Output(pipe))
            if self.stdin is not None:
                self.stdin = _Input(self.stdin)  # type: ignore[assignment]

    def communicate(self, input: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not self.text_mode:  # type: ignore[attr-defined]
            input = to_bytes(input)
        out, error = super().communicate(input, *args, **kwargs)
        return as_string(out), as_string(error)


def subprocess_names(real: ModuleType) -> dict[str, Any]:
    def check_output(*args: Any, **kwargs: Any) -> Any:
        return as_string(subprocess.check_output(*args, **kwargs))

    return {"Popen": Popen, "check_output": check_output, "mswindows": False}
