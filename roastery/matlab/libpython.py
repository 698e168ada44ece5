"""Where Python is, for a program that embeds it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError

_ASK_VERSION = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.Py_GetVersion.restype = ctypes.c_char_p
print(library.Py_GetVersion().decode())
"""


@dataclass(frozen=True)
class PythonPlaces:
    """What a program needs to start this Python.

    Attributes:
        libpython: the shared library.
        executable: of the environment, which its site-packages are found by.
        stdlib: a file of the standard library; without it Python does not start.
        folder: the one that holds the package roastery.
    """

    libpython: str
    executable: str
    stdlib: str
    folder: str

    def lines(self) -> str:
        """One line each, as ``caffe_.python`` beside the MEX file has them."""
        places = (self.libpython, self.executable, self.stdlib, self.folder)
        for place in places:
            if "\n" in place:
                raise RoasteryError(f"the path {place!r} has a line end in it")
        return "".join(f"{place}\n" for place in places)


def python_places() -> PythonPlaces:
    """The places of the Python that runs this.

    Raises:
        RoasteryError: it has no shared library.
    """
    return PythonPlaces(
        str(_shared_library()),
        sys.executable,
        os.path.abspath(os.__file__),
        str(Path(__file__).resolve().parents[2]),
    )


def _shared_library() -> Path:
    tried = list(dict.fromkeys(_candidates()))
    for path in tried:
        if path.is_file() and _is_ours(path):
            return path.absolute()
    raise RoasteryError(
        f"this Python ({sys.executable}) has no shared library: there is none of "
        f"{', '.join(map(str, tried))} that is of version {sys.version.split()[0]}",
        hint="Debian: apt install libpython3-dev; pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared "
        "pyenv install ...; those of conda and uv have one",
    )


def _candidates() -> Iterator[Path]:
    wanted = sysconfig.get_config_vars("LIBDIR", "LIBPL", "MULTIARCH", "INSTSONAME", "LDLIBRARY")
    directory, private, architecture, *given = (str(word or "") for word in wanted)
    version = f"{sysconfig.get_python_version()}{sys.abiflags}"
    names = [name for name in given if ".so" in name or name.endswith(".dylib")]
    names += [f"libpython{version}.so.1.0", f"libpython{version}.so"]
    folders = [directory, os.path.join(sys.base_prefix, "lib"), private]
    if architecture:
        folders += [os.path.join(folder, architecture) for folder in (directory, "/usr/lib")]
    return (Path(folder, name) for folder in folders if folder for name in names)


def _is_ours(path: Path) -> bool:
    """Whether a library is of this very version: asked in another process."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ASK_VERSION, path],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() == sys.version.strip()
