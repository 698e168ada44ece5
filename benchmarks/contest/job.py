"""What all contenders are given: a folder with a net, its weights and its input.

``net.prototxt``, ``net.caffemodel``, ``net.onnx`` (deploy form only), ``solver.prototxt`` (training
form only), ``data.npy``, ``label.npy`` (training form only).
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np

import roastery
from benchmarks.zoo import ZooNet
from ir.program import NetProgram
from roastery.api.executable import Executable, Parameters
from roastery.reading import nets
from roastery.weights.parameters import save_weights

_SOLVER = """
net: "{folder}/net.prototxt" base_lr: 1e-4 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.0005
max_iter: 1000000000 snapshot_after_train: false solver_mode: CPU
"""
RATE, MOMENTUM, DECAY = 1e-4, 0.9, 0.0005


def write_job(folder: Path, net: ZooNet, batch: int, *, trains: bool) -> None:
    """Fill a folder. Seeded: the same every time."""
    folder.mkdir(parents=True, exist_ok=True)
    text = net.text(batch, deploy=not trains)
    if (
        trains
    ):  # masks drop nothing, so that all contenders compute the same; they draw all the same
        text = re.sub(r"dropout_ratio: [\d.]+", "dropout_ratio: 1e-9", text)
        (folder / "solver.prototxt").write_text(_SOLVER.format(folder=folder))
    (folder / "net.prototxt").write_text(text)
    rng = np.random.default_rng(1)
    executable = roastery.compile(folder / "net.prototxt", device="reference", phase="TRAIN")
    _draw_weights(executable.program, executable.parameters, rng)
    arrays = {
        name: rng.integers(0, net.classes, shape) if name == "label" else rng.random(shape)
        for name, shape in executable.inputs.items()
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32))
    if not trains:
        _settle(executable, arrays["data"])
    message = nets.read_net(folder / "net.prototxt")
    save_weights(folder / "net.caffemodel", message, executable.program, executable.store)
    if not trains and importlib.util.find_spec("onnx"):
        from .onnx_model import onnx_model

        blobs = executable.program.blobs
        model = onnx_model(message, executable.parameters, blobs["prob"][-1].shape)
        (folder / "net.onnx").write_bytes(model.SerializeToString())


def _draw_weights(program: NetProgram, parameters: Parameters, rng: np.random.Generator) -> None:
    """Such that no layer makes numbers much larger or smaller than it gets."""
    for layer in program.layers:
        if layer.type == "BatchNorm" or layer.key not in parameters:
            continue
        for array in parameters[layer.key]:
            if layer.type == "Scale":  # most ReLUs pass: else roundings grow from layer to layer
                array[...] = rng.normal(1.0, 0.1, array.shape)
            elif array.ndim > 1:
                spread = np.sqrt(2.0 / np.prod(array.shape[1:]))
                array[...] = spread * rng.standard_normal(array.shape, np.float32)
            else:
                array[...] = rng.normal(0.0, 0.05, array.shape)


def _settle(executable: Executable, data: np.ndarray) -> None:
    """BatchNorm's means and variances are those of the input; probabilities are not all alike."""
    executable(data=data[:2])
    probabilities = np.log(executable(data=data[:2])["prob"] + 1e-30)
    spread = float(probabilities.reshape(len(data[:2]), -1).std(axis=1).mean())
    last = list(executable.parameters)[-1]
    for array in executable.parameters[last]:
        array /= max(spread, 1e-3) / 2.0
