"""The forms: each is written once, and runs on arrays of any size that it takes."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

import roastery
from roastery.api.exporting import export_net

Arrays = Mapping[str, np.ndarray]
Run = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Exported:
    """What is exported, and where to.

    Attributes:
        folder: that the files go to.
        shapes: of inputs, where they are others than in the prototxt.
        dynamic: which sizes of an ONNX model may change: "batch", "all" or "".
    """

    prototxt: Path
    weights: Path
    folder: Path
    shapes: Mapping[str, tuple[int, ...]] | None = None
    dynamic: str = ""


class Maker(Protocol):
    """Writes the form; within the context it runs."""

    def __call__(self, net: Exported, /) -> AbstractContextManager[Run]: ...


@contextlib.contextmanager
def executable(net: Exported, device: str = "cpu") -> Iterator[Run]:
    """The compiled net itself, at the export's sizes; for others it is planned again."""
    compiled = roastery.compile(
        net.prototxt, net.weights, device=device, shapes=net.shapes, freeze=device == "cpu"
    )
    yield lambda inputs: compiled(**inputs)


@contextlib.contextmanager
def artifact(net: Exported, baseline: str | Sequence[str] = ()) -> Iterator[Run]:
    """By machine code for CPUs: for all that there are compilers for, or for some."""
    file = net.folder / "net.roast"
    export_net(net.prototxt, net.weights, file, shapes=net.shapes, cpu_baseline=baseline)
    with _loaded(file, "cpu") as run:
        yield run


@contextlib.contextmanager
def reference_artifact(net: Exported) -> Iterator[Run]:
    """Computed by numpy op by op, with no op changed: as ``reference`` runs a net."""
    file = net.folder / "reference.roast"
    export_net(
        net.prototxt, net.weights, file, shapes=net.shapes, cpu_baseline="none", passes="none"
    )
    with _loaded(file, "reference") as run:
        yield run


@contextlib.contextmanager
def _loaded(file: Path, device: str) -> Iterator[Run]:
    loaded = roastery.load(file, device)
    try:
        yield lambda inputs: loaded(**inputs)
    finally:
        loaded.close()


@contextlib.contextmanager
def onnx(net: Exported) -> Iterator[Run]:
    """By ONNX Runtime on the CPU."""
    import onnxruntime

    file = net.folder / "net.onnx"
    export_net(
        net.prototxt, net.weights, file, shapes=net.shapes, format="onnx", dynamic=net.dynamic
    )
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    yield lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))


@contextlib.contextmanager
def torch(net: Exported) -> Iterator[Run]:
    """By PyTorch on the CPU."""
    import torch

    written = net.folder / "module"
    export_net(net.prototxt, net.weights, written, shapes=net.shapes, format="torch")
    spec = importlib.util.spec_from_file_location("written_net", written / "net.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded = module.Net.load(str(written / "net.safetensors")).eval()

    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            found = loaded(*(torch.from_numpy(array) for array in inputs.values()))
        if isinstance(found, Mapping):
            return {name: value.numpy() for name, value in found.items()}
        return {"": found.numpy()}

    yield run


FORMS: dict[str, Maker] = {"artifact": artifact, "onnx": onnx, "torch": torch}
