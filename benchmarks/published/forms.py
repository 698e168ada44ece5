"""python -m benchmarks.published.forms FOLDER [--output FILE]: nets in all their forms.

FOLDER holds nets that people published: NAME.prototxt, and NAME.caffemodel beside it. Each is
exported as an artifact, an ONNX model and a PyTorch module; all of them run on the same random
pictures, and the table has how far each is from `roastery.compile`, of the largest element.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import roastery
from ir.errors import RoasteryError
from roastery.api.exporting import export_net

from .compared import pairs

Arrays = Mapping[str, np.ndarray]
FORMS = ("artifact", "onnx", "torch")


def _artifact(prototxt: Path, weights: Path, folder: Path, inputs: Arrays) -> Arrays:
    file = folder / "net.roast"
    export_net(prototxt, weights, file)
    net = roastery.load(file)
    try:
        return net(**inputs)
    finally:
        net.close()


def _onnx(prototxt: Path, weights: Path, folder: Path, inputs: Arrays) -> Arrays:
    import onnxruntime

    file = folder / "net.onnx"
    export_net(prototxt, weights, file, format="onnx")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def _torch(prototxt: Path, weights: Path, folder: Path, inputs: Arrays) -> Arrays:
    import torch

    written = folder / "module"
    export_net(prototxt, weights, written, format="torch")
    spec = importlib.util.spec_from_file_location("written_net", written / "net.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.Net.load(str(written / "net.safetensors")).eval()
    with torch.no_grad():
        found = net(*(torch.from_numpy(array) for array in inputs.values()))
    if isinstance(found, Mapping):
        return {name: value.numpy() for name, value in found.items()}
    return {"": found.numpy()}


_MAKERS: dict[str, Callable[[Path, Path, Path, Arrays], Arrays]] = {
    "artifact": _artifact,
    "onnx": _onnx,
    "torch": _torch,
}


def _far(ours: Arrays, theirs: Arrays) -> float:
    """The largest difference of any result, of that result's largest element."""
    worst = 0.0
    for name, value in ours.items():
        other = theirs[name] if name in theirs else next(iter(theirs.values()))
        if other.shape != value.shape:
            raise RoasteryError(f"{name}: {list(other.shape)}, not {list(value.shape)}")
        largest = float(np.abs(value).max(initial=0.0)) or 1.0
        worst = max(worst, float(np.abs(value - other).max(initial=0.0)) / largest)
    return worst


def row(prototxt: Path, weights: Path, seed: int = 0) -> str:
    """A line of the table."""
    cells = [prototxt.stem]
    net = roastery.compile(prototxt, weights=weights, device="cpu", freeze=True)
    random = np.random.default_rng(seed)
    inputs = {
        key: random.uniform(-1, 1, shape).astype(np.float32) for key, shape in net.inputs.items()
    }
    ours = net(**inputs)
    for form in FORMS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                far = _far(ours, _MAKERS[form](prototxt, weights, Path(folder), inputs))
                cells.append("the same" if far == 0 else f"{far:.1e}")
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
