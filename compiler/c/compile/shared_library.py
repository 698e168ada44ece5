"""What a compiler makes of some kernels: a shared library, and what is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Library:
    """``code``: a shared library's bytes. ``kernels``: keys of the kernels whose functions it
    holds, see :func:`kernel_key`."""

    code: bytes
    kernels: tuple[str, ...]

    @property
    def name(self) -> str:
        """One for one list of kernels."""
        return _digest("\n".join(self.kernels).encode()).hex()

    def encoded(self) -> bytes:
        """A checksum, a line of JSON, the code."""
        data = json.dumps(self.kernels).encode() + b"\n" + self.code
        return _digest(data) + data

    @staticmethod
    def decoded(data: bytes) -> Library | None:
        """Inverse of :meth:`encoded`; None for whatever is none."""
        if _digest(data[_DIGEST:]) != data[:_DIGEST]:
            return None
        line, _, code = data[_DIGEST:].partition(b"\n")
        return Library(code, tuple(json.loads(line)))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
