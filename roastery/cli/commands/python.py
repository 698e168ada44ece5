"""``roastery python``: run a Python script in which ``import caffe`` means Roastery."""

from __future__ import annotations

import sys

from ..command import Arguments, Command, Example, Flag, Positional
from ..compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, THREADS_FLAG
from ..devices import DEVICE_BRIEF, DEVICES
from ..reading import DIALECT_FLAG, IMAGE_FLAG


def _run(arguments: Arguments) -> int:
    from ..script import Script, run_script

    words = list(arguments.script)
    if arguments.m is not None:
        script = Script("module", arguments.m, words)
    elif arguments.c is not None:
        script = Script("code", arguments.c, words)
    elif words and words[0] != "-":
        script = Script("file", words[0], words[1:])
    elif words or (sys.stdin is not None and not sys.stdin.isatty()):
        code = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        script = Script("input", code, words[1:])
    else:
        script = Script("console", "", [])
    settings = {
        "ROASTERY_DEVICE": arguments.device,
        "ROASTERY_DIALECT": arguments.dialect,
        "ROASTERY_PRECISION": arguments.precision,
        "ROASTERY_PASSES": arguments.passes,
        "ROASTERY_LAYOUT": arguments.layout,
        "ROASTERY_MAX_IMAGE_PIXELS": _number(arguments.max_image_pixels),
        "ROASTERY_THREADS": _number(arguments.threads),
    }
    report = arguments.py2_report
    python2 = None if not arguments.py2 and report is None else (report or "")
    return run_script(script, settings, python2=python2)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


COMMAND = Command(
    name="python",
    summary="Run a Python script written for pycaffe",
    group="Nets",
    description="""
        Runs the script as python does, with its arguments, but `import caffe` and everything
        below it is roastery.caffe, whether or not a Caffe is installed. Scripts need no change.
        So it is in the Pythons that the script starts: by subprocess, by multiprocessing, as
        kernels of Jupyter. Modules of the script's own may be called runtime, compiler, ir or
        frontends, as packages of ours are: its imports find them.

        In a notebook, or inside of a program, `import roastery.caffe; roastery.caffe.install()`
        before the first `import caffe` does the same; `roastery link` does it for good.

        With --py2 the script and the modules in its folder, and in those that it adds to sys.path,
        are Python 2: their source is rewritten as it is imported, and names that libraries have
        dropped since are there. Files stay as they are. It needs the extra py2.

        With --dialect NetSpec and caffe_pb2 know the layers and fields of a fork, so that scripts
        of SSD, SegNet and others write and read their nets.
    """,
    positionals=(
        Positional(
            "script",
            "the script and its arguments; -: from standard input; none: a console",
            required=False,
            rest=True,
        ),
    ),
    flags=(
        IMAGE_FLAG,
        Flag("py2", "the script is Python 2", "bool", False),
        Flag(
            "py2_report",
            "with the script in Python 2, write what is changed of it, as a diff; -: to standard "
            "error",
            metavar="FILE",
        ),
        Flag("m", "run a module instead of a script", metavar="MODULE", last=True),
        Flag("c", "run this code instead of a script", metavar="CODE", last=True),
        Flag(
            "device",
            f"the device of nets where the script does not choose one: {DEVICES}",
            metavar="DEVICE",
            brief=DEVICE_BRIEF,
        ),
        DIALECT_FLAG,
        PRECISION_FLAG,
        PASSES_FLAG,
        LAYOUT_FLAG,
        THREADS_FLAG,
    ),
    examples=(
        Example("roastery python train.py --epochs 3", "a script with its arguments"),
        Example("roastery python --py2 solve.py", "a script of Python 2"),
        Example("roastery python --dialect=ssd ssd_pascal.py", "a script of a fork"),
        Example("roastery python - < solve.py", "what comes through a pipe"),
        Example("roastery python -m pytest tests/", "a module"),
        Example("roastery python -c 'import caffe; print(caffe.layer_type_list())'", "a line"),
    ),
    signals="python",
    run=_run,
)
