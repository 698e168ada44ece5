"""Run Caffe's own notebooks, unmodified but for sizes of loops, on made-up weights and data.

    python examples/notebooks/caffes.py ~/caffe                              # all of them
    python examples/notebooks/caffes.py ~/caffe net_surgery siamese
    python examples/notebooks/caffes.py ~/caffe --deepdream ~/deepdream

The first argument is a checkout of BVLC/caffe; nothing in it is changed. Nothing is downloaded:
commands that would are left out and listed, and what they bring is made up (caffe_tree.py). Numbers
that would keep a CPU busy for hours are made smaller; these changes are listed, too. Cells are
Python 2.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import caffe_tree
from roastery.notebooks.document import cell_source, code_cells, read_notebook
from roastery.notebooks.figures import close_figures

#: Commands that need the network.
DOWNLOADS = (
    "wget",
    "curl",
    "get_mnist.sh",
    "get_ilsvrc_aux.sh",
    "download_model_binary.py",
    "assemble_data.py",
)

CAFFENET = "models/bvlc_reference_caffenet"
GOOGLENET = "models/bvlc_googlenet"
VOC = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip


@dataclass(frozen=True)
class Notebook:
    """A notebook: where it is, what it needs, and which numbers are made smaller."""

    path: str
    prepare: Callable[[Path], None]
    smaller: Sequence[tuple[str, str]] = field(default=())


def _caffenet(root: Path) -> None:
    _weights(root, CAFFENET, "bvlc_reference_caffenet")
    caffe_tree.write_imagenet(root)


def _weights(root: Path, model: str, name: str) -> None:
    target = root / model / f"{name}.caffemodel"
    if not target.exists():
        caffe_tree.write_weights(root / model / "deploy.prototxt", target)


def _classification(root: Path) -> None:
    _caffenet(root)
    caffe_tree.write_picture(root / "examples" / "image.jpg", 3)


def _mnist(root: Path) -> None:
    caffe_tree.write_mnist(root / "data" / "mnist")
    tool = root / "build" / "examples" / "mnist" / "convert_mnist_data.bin"
    caffe_tree.write_tool(tool, "convert_mnist")


def _styles(root: Path) -> None:
    _caffenet(root)
    caffe_tree.write_styles(root)


def _logreg(root: Path) -> None:
    caffe_tree.write_tool(root / "build" / "tools" / "caffe")


def _pascal(root: Path) -> None:
    _caffenet(root)
    caffe_tree.write_pascal(root, VOC)


def _siamese(root: Path) -> None:
    caffe_tree.write_mnist(root / "data" / "mnist", test=10000)
    folder = root / "examples" / "siamese"
    net, weights = folder / "mnist_siamese.prototxt", folder / "mnist_siamese_iter_50000.caffemodel"
    caffe_tree.write_weights(net, weights)


def _deepdream(root: Path) -> None:
    _weights(root, GOOGLENET, "bvlc_googlenet")
    for number, name in enumerate(("sky1024px.jpg", "flowers.jpg")):
        caffe_tree.write_picture(root.parent / "deepdream" / name, number, 96, 128)


NOTEBOOKS = {
    "00-classification": Notebook("examples/00-classification.ipynb", _classification),
    "01-learning-lenet": Notebook("examples/01-learning-lenet.ipynb", _mnist),
    "02-fine-tuning": Notebook(
        "examples/02-fine-tuning.ipynb",
        _styles,
        [
            ("batch_size=50", "batch_size=10"),
            ("niter = 200", "niter = 2"),
            ("test_iters=10", "test_iters=1"),
        ],
    ),
    "brewing-logreg": Notebook("examples/brewing-logreg.ipynb", _logreg),
    "net_surgery": Notebook("examples/net_surgery.ipynb", _caffenet),
    "pascal-multilabel": Notebook(
        "examples/pascal-multilabel-with-datalayer.ipynb",
        _pascal,
        [
            ("batch_size = 128", "batch_size = 6"),
            ("step(100)", "step(1)"),
            ("range(6)", "range(1)"),
            ("test_nets[0], 50)", "test_nets[0], 2)"),
            ("5823/128", "256/128"),
        ],
    ),
    "siamese": Notebook("examples/siamese/mnist_siamese.ipynb", _siamese),
    "deepdream": Notebook(
        "../deepdream/dream.ipynb",
        _deepdream,
        [("iter_n=10", "iter_n=1"), ("xrange(100)", "xrange(30)")],
    ),
}  # fmt: skip


@dataclass
class Outcome:
    """What became of a notebook's cells."""

    cells: int = 0
    left_out: list[str] = field(default_factory=list)
    smaller: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def run(name: str, notebook: Notebook, root: Path, show: bool) -> Outcome:
    """Run all cells; one that fails does not keep the others from running."""
    from roastery.notebooks.session import CellSession
    from roastery.python2.mode import python2
    from roastery.python2.running import names_of_main, tree_of_cell

    path = (root / notebook.path).resolve()
    outcome = Outcome()

    def skipped(command: str) -> bool:
        if not any(word in command for word in DOWNLOADS):
            return False
        outcome.left_out.append(command.split()[0])
        return True

    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    os.environ["MPLBACKEND"] = "Agg"
    os.environ["GLOG_minloglevel"] = "1"  # noqa: SIM112
    with contextlib.ExitStack() as stack:
        stack.enter_context(python2(folder=str(path.parent)))
        session = CellSession(tree_of_cell, names_of_main(), skipped)
        stack.enter_context(session.running())
        for number, cell in code_cells(read_notebook(path)):
            source = cell_source(cell)
            for large, small in notebook.smaller:
                if large in source:
                    source = source.replace(large, small)
                    outcome.smaller.append(f"{large} -> {small}")
            outcome.cells += 1
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed):
                    session.run(source, f"{name}, cell {number}")
            except Exception:
                told = traceback.format_exc().strip()
                outcome.failed.append(
                    f"cell {number}: {told.splitlines()[-1] if outcome.failed else told}"
                )
            if show:
                sys.stdout.write(printed.getvalue())
            close_figures()
    return outcome


def run_here(name: str, root: Path, show: bool) -> int:
    """Prepare and run one notebook, and print what became of it."""
    from roastery.caffe import install

    install()
    notebook = NOTEBOOKS[name]
    notebook.prepare(root)
    began = time.perf_counter()
    outcome = run(name, notebook, root, show)
    good = outcome.cells - len(outcome.failed)
    print(f"{name}: {good} of {outcome.cells} cells ran, {time.perf_counter() - began:.0f} s")
    for title, entries in (("left out", outcome.left_out), ("smaller", outcome.smaller)):
        for entry in dict.fromkeys(entries):
            print(f"  {title}: {entry}")
    for entry in outcome.failed:
        print(f"  FAILED {entry}")
    return 1 if outcome.failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Run Caffe's own notebooks.")
    parser.add_argument("caffe", type=Path, help="a checkout of BVLC/caffe")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NOTEBOOKS))
    parser.add_argument("--deepdream", type=Path, help="a checkout of google/deepdream")
    parser.add_argument("--show", action="store_true", help="what cells print, too")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # the copy, in a child
    given = parser.parse_args()
    wrong = [name for name in given.names if name not in NOTEBOOKS]
    if wrong:
        parser.error(f"{wrong[0]}: must be one of {', '.join(NOTEBOOKS)}")
    if given.here is not None:
        return run_here(given.names[0], given.here, given.show)
    if not (given.caffe / "examples" / "net_surgery.ipynb").is_file():
        parser.error(f"{given.caffe} is no checkout of Caffe: it has no examples/net_surgery.ipynb")
    chosen = given.names or [n for n in NOTEBOOKS if n != "deepdream" or given.deepdream]
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "caffe"
        caffe_tree.copy_checkout(given.caffe, root)
        if given.deepdream is not None:
            (root.parent / "deepdream").mkdir()
            shutil.copy(given.deepdream / "dream.ipynb", root.parent / "deepdream")
        for name in chosen:
            words = [
                str(given.caffe),
                name,
                "--here",
                str(root),
                *(["--show"] if given.show else []),
            ]
            done = subprocess.run([sys.executable, os.path.abspath(__file__), *words])
            codes.append(done.returncode)
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
