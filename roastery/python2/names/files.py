"""``open`` of Python 2: text and bytes go in, and what comes out is text where it can be."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from typing import Any

from .byte_string import ByteString, to_bytes
from .memory_files import BinaryView, StringIO


class OldFile:
    """A file of Python 2, over a binary one.

    Without ``b`` in its mode, what is read is text where it is UTF-8, and bytes where it is not;
    with it, bytes that go along with text. What is written may be either.
    """

    def __init__(self, raw: Any, mode: str, name: Any) -> None:
        self.buffer = raw
        self.mode = mode
        self.name = name
        self.softspace = 0
        self._text = "b" not in mode
        self._universal = "U" in mode

    # --- reading ----------------------------------------------------------------------

    def _out(self, data: bytes) -> Any:
        if self._universal:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not self._text:
            return ByteString(data)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return ByteString(data)

    def read(self, size: int = -1) -> Any:
        return self._out(self.buffer.read(size))

    def readline(self, size: int = -1) -> Any:
        return self._line(self.buffer.readline(size))

    def _line(self, data: bytes) -> Any:
        """A line; as text even where it is no UTF-8, so that lines are of one kind."""
        found = self._out(data)
        return str(found) if self._text else found

    def readlines(self, hint: int = -1) -> list[Any]:
        return [self._line(line) for line in self.buffer.readlines(hint)]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._line(next(self.buffer))

    next = __next__

    def xreadlines(self) -> Iterator[Any]:
        return self

    def readinto(self, target: Any) -> Any:
        return self.buffer.readinto(target)

    # --- writing ----------------------------------------------------------------------

    def write(self, data: Any) -> None:
        self.buffer.write(to_bytes(data))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    # --- both -------------------------------------------------------------------------

    def __enter__(self) -> OldFile:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        self.buffer.close()

    @property
    def closed(self) -> bool:
        return bool(self.buffer.closed)

    @property
    def encoding(self) -> Any:
        return None if not self._text else "utf-8"

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # of one that is not made yet
            raise AttributeError(name)
        return getattr(self.buffer, name)  # seek, tell, flush, fileno, truncate ...

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<{state} file {self.name!r}, mode {self.mode!r}>"


def open_(name: Any, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
    """``open`` and ``file``. With an encoding or another word of Python 3's: Python 3's own."""
    if args or kwargs:
        return builtins.open(name, mode, buffering, *args, **kwargs)
    kind = "".join(letter for letter in mode if letter in "rwax+") or "r"
    if buffering in (0, 1):
        buffering = -1 if kind == "r" else buffering
    if buffering == 1:
        buffering = 0  # binary files have no lines; each write goes out
    raw = builtins.open(name, kind + "b", buffering)  # noqa: SIM115
    return OldFile(raw, mode, os.fspath(name) if not isinstance(name, int) else name)


class _FileKind(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, OldFile | io.IOBase)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return open_(*args, **kwargs)


class file(metaclass=_FileKind):
    """``file(name)`` and ``isinstance(x, file)``."""


def binary_stream(stream: Any) -> Any:
    """What of a stream takes and gives bytes: a pickle is bytes, however the file was opened."""
    if isinstance(stream, OldFile):
        return stream.buffer
    if isinstance(stream, StringIO):
        return BinaryView(stream)
    if isinstance(stream, io.TextIOWrapper):
        return stream.buffer
    return stream
