"""``roastery matlab``: the interface for MATLAB and Octave."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, UsageError
from ..say import say, say_note


def _run(arguments: Arguments) -> None:
    from pathlib import Path

    from ir.errors import RoasteryError

    from ...matlab.libpython import python_places
    from ...matlab.mex_file import HOME, build_mex, mex_compilers

    if arguments.places:
        for line in python_places().lines().splitlines():
            say(line)
        return
    if not arguments.build:
        for name in ("output", "compiler"):
            if getattr(arguments, name):
                raise UsageError(f"--{name} goes with --build")
        _show(HOME)
        return
    compilers = mex_compilers(arguments.compiler)
    if not compilers:
        raise RoasteryError(
            "there is neither mkoctfile nor MATLAB's mex on the PATH",
            hint="Debian: apt install octave octave-dev; else --compiler=/path/to/MATLAB/bin/mex",
        )
    home = Path(arguments.output).absolute() if arguments.output else HOME
    for n, compiler in enumerate(compilers):
        made = build_mex(compiler, home, copies=bool(arguments.output) and n == 0)
        say(f"built {made} with {compiler.program}, for {compiler.language}")
    _say_path(str(home))


def _say_path(folder: str) -> None:
    quoted = folder.replace("'", "''")
    say(f"in Octave or MATLAB:  addpath('{quoted}', '{quoted}/hdf5creation')")


def _show(home: object) -> None:
    from ...matlab.mex_file import built_for, mex_compilers

    _say_path(str(home))
    built = built_for()
    if built:
        say(f"MEX files there: {', '.join(built)}")
        return
    found = mex_compilers()
    if found:
        words = " and ".join(f"{one.program} ({one.language})" for one in found)
        say(f"the MEX file has not been built; `roastery matlab --build` does, with {words}")
    else:
        say("the MEX file has not been built; `roastery matlab --build` needs mkoctfile or mex")
    say_note("MATLAB can do without: there +caffe runs over MATLAB's own bridge to Python (pyenv)")


COMMAND = Command(
    name="matlab",
    summary="Caffe's interface for MATLAB and Octave",
    group="Other",
    description=(
        "Tells what to put on the path of MATLAB or Octave so that matcaffe's scripts run: "
        "`caffe.Net`, `caffe.Solver` and the rest. With --build it compiles the small MEX file "
        "that starts Python, the one of this environment, inside of MATLAB or Octave: by "
        "`mkoctfile` (Octave) and `mex` (MATLAB), whichever are on the PATH."
    ),
    flags=(
        Flag("build", "build the MEX file", "bool", False),
        Flag(
            "output",
            "copy the interface to this folder and build there; without it the installed package "
            "is where it goes",
            default="",
            metavar="DIR",
        ),
        Flag("compiler", "mkoctfile or mex, by name or path", default="", metavar="PROGRAM"),
        Flag("places", "print where Python is, as the MEX file wants to know it", "bool", False),
    ),
    examples=(
        Example("roastery matlab", "what to put on the path, and what there is to build"),
        Example("roastery matlab --build", "build the MEX file for Octave and MATLAB"),
        Example(
            "roastery matlab --build --output ~/matcaffe",
            "where the installed package cannot be written",
        ),
    ),
    run=_run,
)
