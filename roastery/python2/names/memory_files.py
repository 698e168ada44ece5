"""``StringIO`` of Python 2, which holds text or bytes."""

from __future__ import annotations

import io
from typing import Any

from .byte_string import ByteString, to_bytes


class BinaryView:
    """A :class:`StringIO` for those who read plain bytes of it."""

    def __init__(self, owner: StringIO) -> None:
        self._owner = owner

    def read(self, size: Any = -1) -> bytes:
        return io.BytesIO.read(self._owner, size)

    def readline(self, size: Any = -1) -> bytes:
        return io.BytesIO.readline(self._owner, size)

    def readinto(self, target: Any) -> int:
        return io.BytesIO.readinto(self._owner, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._owner, name)  # write, seek, tell, close ...


class StringIO(io.BytesIO):
    """A file in memory: gives text if all that went in was text, else bytes."""

    def __init__(self, initial: Any = "") -> None:
        if initial is None:
            initial = ""
        super().__init__(to_bytes(initial))
        self._text = isinstance(initial, str)

    def _out(self, data: bytes) -> Any:
        if self._text:
            return data.decode("utf-8", "surrogateescape")
        return ByteString(data)

    def write(self, data: Any) -> int:
        if not isinstance(data, str) and len(data):
            self._text = False
        return super().write(to_bytes(data))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def getvalue(self) -> Any:
        return self._out(super().getvalue())

    def read(self, size: Any = -1) -> Any:
        return self._out(super().read(size))

    def readline(self, size: Any = -1) -> Any:
        return self._out(super().readline(size))

    def readlines(self, hint: Any = None) -> Any:
        return list(map(self._out, super().readlines(hint)))

    def __next__(self) -> Any:
        return self._out(super().__next__())

    next = __next__

    @property
    def len(self) -> int:
        return self.getbuffer().nbytes

    buf = property(getvalue)
