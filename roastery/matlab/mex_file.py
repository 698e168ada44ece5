"""The MEX file of ``+caffe``, built by Octave's or MATLAB's compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError

from ..files.atomic_file import atomic_path, atomic_write
from .libpython import python_places

#: What users put on their path, in the installed package.
HOME = Path(__file__).resolve().parent
#: The folders of MATLAB's language in it.
_FOLDERS = ("+caffe", "hdf5creation")
_SOURCE = HOME / "+caffe" / "+internal" / "caffe_.c"
#: The file beside the MEX file that says where Python is.
PLACES = "caffe_.python"


@dataclass(frozen=True)
class MexCompiler:
    """A program that builds MEX files.

    Attributes:
        language: "Octave" or "MATLAB". suffix: of what it builds.
    """

    program: str
    language: str
    suffix: str

    def command(self, target: Path) -> list[str]:
        """The words that build the MEX file."""
        if self.language == "Octave":
            return [self.program, "--mex", "-o", str(target), str(_SOURCE), "-ldl", "-lpthread"]
        return [self.program, "-output", str(target), str(_SOURCE), "-ldl", "-lpthread"]


def mex_compilers(named: str = "") -> list[MexCompiler]:
    """The one that is named, or those on the PATH.

    Raises:
        RoasteryError: the one that is named is none.
    """
    if named:
        found = _compiler(shutil.which(named), "mkoctfile" in Path(named).name)
        if found is None:
            raise RoasteryError(
                f"'{named}' is neither Octave's mkoctfile nor MATLAB's mex",
                hint="mkoctfile is on the PATH, or in liboctave-dev; mex is in MATLAB's bin folder",
            )
        return [found]
    on_path = [_compiler(shutil.which("mkoctfile"), True), _compiler(shutil.which("mex"), False)]
    return [found for found in on_path if found is not None]


def _compiler(program: str | None, octave: bool) -> MexCompiler | None:
    if program is None:
        return None
    if octave:
        return MexCompiler(program, "Octave", "mex")
    # TeX has a program called mex, too.
    beside = Path(program).resolve().with_name("mexext")
    if not beside.exists():
        return None
    said = subprocess.run([beside], capture_output=True, text=True, check=False).stdout.strip()
    return MexCompiler(program, "MATLAB", said or "mexa64")


def built_for(home: Path = HOME) -> list[str]:
    """The MEX files that are in a folder, by name."""
    return sorted(path.name for path in home.glob("caffe_.mex*"))


def copy_interface(target: Path) -> None:
    """Copy the folders in MATLAB's language; each appears whole, and replaces an older one."""
    os.makedirs(target, exist_ok=True)
    for name in _FOLDERS:
        with atomic_path(target / name, replaces_folder=True) as made:
            built = shutil.ignore_patterns("caffe_.mex*", PLACES)
            shutil.copytree(HOME / name, made, ignore=built)


def build_mex(compiler: MexCompiler, home: Path = HOME, *, copies: bool = False) -> Path:
    """Build the MEX file into ``home``, and write beside it where Python is.

    It is a function on the path itself, in no package: Octave looks through all of its path anew
    at each call of a MEX file that is in a package, which takes milliseconds.

    Args:
        copies: copy the interface to ``home``, once the MEX file is compiled.

    Raises:
        RoasteryError: it does not compile, Python has no shared library, or the folder is not
            to be written.
    """
    places = python_places().lines()
    if not copies and not os.access(home, os.W_OK):
        raise RoasteryError(
            f"{home} cannot be written",
            hint="`roastery matlab --build --output DIR` copies the interface to DIR first",
        )
    target = home / f"caffe_.{compiler.suffix}"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, target.name)
        command = compiler.command(made)
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode != 0 or not made.is_file():
            raise RoasteryError(
                f"{compiler.program} cannot build the MEX file (exit code {done.returncode})",
                detail=(done.stdout + done.stderr).strip(),
                hint=f"the command was: {' '.join(command)}",
            )
        if copies:
            copy_interface(home)
        with atomic_path(target) as whole:
            shutil.copy2(made, whole)
    with atomic_write(home / PLACES, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(places)
    return target
