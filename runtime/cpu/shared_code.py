"""Machine code that came as bytes, loaded into this process."""

from __future__ import annotations

import ctypes
import itertools
import os
import tempfile

from ir.errors import RoasteryError

_numbers = itertools.count()


def load_code(code: bytes) -> ctypes.CDLL:
    """A shared library, which stays for the life of the process.

    No file that somebody else could change is on the way: Linux loads it from memory. Raises
    RoasteryError where the system does not load it.
    """
    try:
        if hasattr(os, "memfd_create"):
            handle = os.memfd_create("roastery-kernels", os.MFD_CLOEXEC)
            with os.fdopen(handle, "wb") as file:
                file.write(code)
                file.flush()
                return ctypes.CDLL(f"/proc/self/fd/{_another_spelling()}{handle}")
        with tempfile.NamedTemporaryFile(prefix="roastery-", suffix=".so") as file:
            file.write(code)
            file.flush()
            return ctypes.CDLL(file.name)
    except OSError as error:
        raise unusable(error) from error


def function_address(library: ctypes.CDLL, name: str) -> int:
    """Of a function. Raises RoasteryError where the library has none of that name."""
    try:
        return ctypes.cast(library[name], ctypes.c_void_p).value or 0
    except AttributeError as error:
        raise unusable(error) from None


def unusable(why: Exception) -> RoasteryError:
    """What is told of machine code that is none."""
    return RoasteryError(
        f"compiled kernels cannot be loaded: {why}",
        hint="is CC a compiler for this machine? --device reference needs none",
    )


def _another_spelling() -> str:
    """Of "here", in a path: what is loaded already is known by its name, and numbers of files
    come again."""
    return "".join("./" if digit == "1" else "/" for digit in f"{next(_numbers):b}")
