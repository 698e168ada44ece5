"""``roastery build``: a net with its weights as one program."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from compiler.c.compile.c_compiler import NoCompiler, find_compiler
from compiler.c.compile.program import build_program
from ir.errors import RoasteryError

from ..devices.compile_options import Passes
from ..files.atomic_file import atomic_path
from ..files.new_mode import new_mode
from ..files.owned_folder import owned_folder
from ..reading import nets
from .cpu_baselines import baseline_target, compiler_for
from .deployed import Exported
from .exporting import export_net
from .picture_use import NO_RULES, PictureRules

_ANYBODY = 0o777


def build_executable(
    net: nets.NetSource,
    weights: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    *,
    phase: str = "TEST",
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    allow_python: bool | None = None,
    dialect: str | None = None,
    cpu_baseline: str | Sequence[str] = (),
    pictures: PictureRules = NO_RULES,
    deploy: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """What :func:`export_net` makes of target ``c``, compiled: a program with the weights inside,
    which runs where neither Python nor Roastery is.

    It needs a C compiler: the one that is found here, or for CPUs of another kind Zig's.

    Args:
        output: the program's file; it appears whole or not at all.
        cpu_baseline: for which CPUs; without it those that have the vectors of this one.
        pictures: where neither they nor a data layer say how pictures become the input, they do as
            Caffe's nets want them.
        deploy: as in :func:`export_net`.
        progress: called before the C is compiled with 0 and how many files it is, and in the end.

    Raises RoasteryError also where nothing compiles for these CPUs, before anything is written.
    """
    asked = [cpu_baseline] if isinstance(cpu_baseline, str) else list(cpu_baseline)
    named = [name.strip() for text in asked for name in text.split(",") if name.strip()]
    if len(named) > 1:
        raise RoasteryError(
            f"a program is for one --cpu-baseline, not for {', '.join(named)}",
            hint="build once for each, each with an --output of its own",
        )
    if not named and isinstance(found := find_compiler(), NoCompiler):
        raise RoasteryError(
            f"a program needs a C compiler: {found.reason}",
            hint="install gcc or clang, or `pip install roastery[cpu]`, or set CC to a C compiler; "
            "`roastery export --target c` writes what is compiled elsewhere",
        )
    compiler = compiler_for(baseline_target(named[0] if named else None).instructions)
    with owned_folder(Path(tempfile.gettempdir()), "roastery-build") as folder:
        made = export_net(
            net,
            weights,
            folder,
            ["c"],
            phase=phase,
            level=level,
            stages=stages,
            shapes=shapes,
            precision=precision,
            passes=passes,
            layout=layout,
            allow_python=allow_python,
            dialect=dialect,
            cpu_baseline=named,
            pictures=replace(pictures, usual=True),
            deploy=deploy,
        )
        name = next(folder.glob("*.weights")).stem
        program = folder / "program"
        build_program(folder, name, compiler, made.baselines[0], program, progress)
        with atomic_path(output) as temporary:
            # Not copyfile, whose errors name the source where the target's disk is full.
            with program.open("rb") as made_here, temporary.open("wb") as file:
                shutil.copyfileobj(made_here, file)
            temporary.chmod(new_mode(_ANYBODY))
    return replace(made, path=os.fspath(output), nbytes=os.path.getsize(output))
