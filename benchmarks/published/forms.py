"""python -m benchmarks.published.forms FOLDER [--output FILE]: nets in all their forms.

FOLDER holds nets that people published: NAME.prototxt, and NAME.caffemodel beside it. Each is
exported as an artifact, an ONNX model and a PyTorch module; all of them run on the same random
pictures, and the table has how far each is from `roastery.compile`, of the largest element.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import roastery
from benchmarks.forms.compared import told
from benchmarks.forms.makers import FORMS, Exported
from benchmarks.printed_rows import print_rows, table_of_folder
from ir.errors import RoasteryError

from .compared import pairs


def row(prototxt: Path, weights: Path, seed: int = 0) -> str:
    """A line of the table."""
    cells = [prototxt.stem]
    net = roastery.compile(prototxt, weights=weights, device="cpu", freeze=True)
    random = np.random.default_rng(seed)
    inputs = {
        key: random.uniform(-1, 1, shape).astype(np.float32) for key, shape in net.inputs.items()
    }
    ours = net(**inputs)
    for maker in FORMS.values():
        with tempfile.TemporaryDirectory() as folder:
            try:
                with maker(Exported(prototxt, weights, Path(folder))) as run:
                    cells.append(told(ours, run(inputs)))
            except RoasteryError as error:
                cells.append(error.message.partition("\n")[0])
    return "| " + " | ".join(cells) + " |"


def rows(folder: Path) -> Iterator[str]:
    """The table, line by line; what is exported says nothing on standard output."""
    yield f"| net | {' | '.join(FORMS)} |"
    yield "|---|" + "---|" * len(FORMS)
    for prototxt, weights in pairs(folder):
        with contextlib.redirect_stdout(sys.stderr):
            line = row(prototxt, weights)
        yield line


if __name__ == "__main__":
    arguments = table_of_folder(__doc__)
    print_rows(rows(arguments.folder), arguments.output)
