"""python -m benchmarks.published.end_results FOLDER [--output FILE]: the same end results.

FOLDER holds nets that people published, NAME.prototxt with NAME.caffemodel beside it, MNIST's test
images as they are published, and ``pictures`` of people. Nets are exported as an artifact, an ONNX
model and a PyTorch module; the table has what is found in the pictures by the compiled net, and
whether these find the same: classes, boxes, texts, who is alike.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.forms.makers import FORMS, Exported, Maker, executable
from benchmarks.printed_rows import print_rows, table_of_folder
from ir.errors import RoasteryError

from .tasks import TASKS
from .tasks.task import Found, Task, compared


def found_by(task: Task, maker: Maker, folder: Path) -> Sequence[Found]:
    """What nets in a form find. One file of each serves all sizes."""
    with contextlib.ExitStack() as held:
        nets = {}
        for name in task.nets:
            room = Path(held.enter_context(tempfile.TemporaryDirectory()))
            prototxt, weights = folder / f"{name}.prototxt", folder / f"{name}.caffemodel"
            exported = Exported(prototxt, weights, room, dynamic="all")
            nets[name] = held.enter_context(maker(exported))
        return task.find(nets, folder)


def row(task: Task, folder: Path) -> str:
    """A line of the table."""
    missing = [n for n in task.nets if not (folder / f"{n}.caffemodel").is_file()]
    if missing:
        return f"| {task.name} | {', '.join(missing)} not there | |" + " |" * len(FORMS)
    try:
        ours = found_by(task, executable, folder)
    except FileNotFoundError as error:
        return f"| {task.name} | {error} | |" + " |" * len(FORMS)
    cells = [task.name, task.told(ours), task.unit]
    for maker in FORMS.values():
        try:
            cells.append(compared(ours, found_by(task, maker, folder)))
        except RoasteryError as error:
            cells.append(error.message.partition("\n")[0])
    return "| " + " | ".join(cells) + " |"


def rows(folder: Path) -> Iterator[str]:
    """The table, line by line; what is exported says nothing on standard output."""
    yield f"| task | found by the compiled net | numbers are parts of | {' | '.join(FORMS)} |"
    yield "|---|---|---|" + "---|" * len(FORMS)
    for task in TASKS:
        with contextlib.redirect_stdout(sys.stderr):
            line = row(task, folder)
        yield line


if __name__ == "__main__":
    arguments = table_of_folder(__doc__)
    print_rows(rows(arguments.folder), arguments.output)
