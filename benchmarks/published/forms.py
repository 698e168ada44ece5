"""python -m benchmarks.published.forms FOLDER [--output FILE]: nets in all their forms.

FOLDER holds nets that people published: NAME.prototxt, and NAME.caffemodel beside it. Each is
exported as an artifact, an ONNX model and a PyTorch module; all of them run on the same random
pictures, and the table has how far each is from `roastery.compile`, of the largest element.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

import numpy as np

import roastery
from benchmarks.forms.compared import told
from benchmarks.forms.makers import FORMS, Exported
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, help="also write the table to a file")
    arguments = parser.parse_args()
    rows = [f"| net | {' | '.join(FORMS)} |", "|---|" + "---|" * len(FORMS)]
    print("\n".join(rows))
    for prototxt, weights in pairs(arguments.folder):
        with contextlib.redirect_stdout(sys.stderr):
            rows.append(row(prototxt, weights))
        print(rows[-1], flush=True)
    if arguments.output is not None:
        arguments.output.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
