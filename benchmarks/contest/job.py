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
from benchmarks.drawn_weights import draw_weights, settle
from benchmarks.zoo import ZooNet
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
    draw_weights(executable.program, executable.parameters, rng)
    arrays = {
        name: rng.integers(0, net.classes, shape) if name == "label" else rng.random(shape)
        for name, shape in executable.inputs.items()
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32))
    if not trains:
        settle(executable, {"data": arrays["data"][:2]})
    message = nets.read_net(folder / "net.prototxt")
    save_weights(folder / "net.caffemodel", message, executable.program, executable.store)
    if not trains and importlib.util.find_spec("onnx"):
        from .onnx_model import onnx_model

        blobs = executable.program.blobs
        model = onnx_model(message, executable.parameters, blobs["prob"][-1].shape)
        (folder / "net.onnx").write_bytes(model.SerializeToString())
