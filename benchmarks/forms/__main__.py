"""python -m benchmarks.forms [--net NAME ...] [--output FILE]: known nets in all their forms.

Each net is exported as an artifact, an ONNX model and a PyTorch module, at full size with random
weights; all of them run on the same random arrays, at batch 1 and 5 by one file where sizes may
change. The table has how far each is from `roastery.compile` on the CPU, of the largest element,
and whether an artifact on the device `reference` is the same as the net there, bit by bit.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.printed_rows import print_rows, table_parser
from ir.errors import RoasteryError

from .compared import results_at, told
from .makers import FORMS, Arrays, Exported, Maker, executable, reference_artifact
from .nets import NETS, FormNet, Shapes, write_net

COLUMNS = (*FORMS, "artifact on `reference`")


def rows(net: FormNet, folder: Path) -> Iterator[str]:
    """A line of the table for each of its sizes."""
    prototxt, weights = write_net(net, folder)
    exported = Exported(prototxt, weights, folder, net.sizes[0], net.dynamic)
    ours = list(results_at(net, exported, executable, net.sizes))
    columns = [_column(net, exported, maker, net.sizes, ours) for maker in FORMS.values()]
    few = [shapes for shapes in net.sizes if _pictures(shapes) <= net.most_pictures]
    by_numpy = list(results_at(net, exported, partial(executable, device="reference"), few))
    found = iter(_column(net, exported, reference_artifact, few, by_numpy))
    columns.append([next(found) if shapes in few else "not run" for shapes in net.sizes])
    for shapes, *cells in zip(net.sizes, *columns, strict=True):
        yield "| " + " | ".join([net.name, _size(shapes), *cells]) + " |"


def _column(
    net: FormNet,
    exported: Exported,
    maker: Maker,
    sizes: Sequence[Shapes],
    expected: Sequence[Arrays],
) -> list[str]:
    """Cells of a form; a problem stands in the rest of them."""
    cells: list[str] = []
    try:
        for wanted, found in zip(expected, results_at(net, exported, maker, sizes), strict=True):
            cells.append(told(wanted, found))
    except RoasteryError as error:
        cells += [error.message.partition("\n")[0]] * (len(sizes) - len(cells))
    return cells


def _pictures(shapes: Shapes) -> int:
    """Or sentences: how many at once."""
    return max(shape[0] for name, shape in shapes.items() if name in ("data", "features"))


def _size(shapes: Shapes) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes.values())


def table(names: Sequence[str]) -> Iterator[str]:
    """Line by line; what is exported says nothing on standard output."""
    yield f"| net | inputs | {' | '.join(COLUMNS)} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    for name in names:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            made = list(rows(NETS[name], Path(folder)))
        yield from made


if __name__ == "__main__":
    parser = table_parser(__doc__)
    parser.add_argument("--net", action="append", choices=NETS, help="default: all")
    arguments = parser.parse_args()
    print_rows(table(arguments.net or list(NETS)), arguments.output)
