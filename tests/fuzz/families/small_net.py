"""A net and a solver that weights and states are made for, and read into."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from frontends.prototxt import parse_text
from roastery.training.solvers import build_solver
from runtime.solver.solver import Solver

NET = """name: "small"
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 1 dim: 6 dim: 6 } } }
layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "ip" type: "InnerProduct" bottom: "bn" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
"""


def make_solver(kind: str, format: str, prefix: str) -> Solver:
    """A solver of the small net that has taken two steps."""
    momentum = 0 if kind == "RMSProp" else 0.9
    text = (
        f'type: "{kind}" base_lr: 0.01 lr_policy: "fixed" momentum: {momentum} max_iter: 9 '
        f'random_seed: 3 snapshot_format: {format} snapshot_prefix: "{prefix}" '
        f"net_param {{ {NET} }}"
    )
    solver = build_solver(parse_text(text, "SolverParameter"), "reference")
    for name in ("data", "t"):
        array = solver.train.inputs[name].data.array
        array[...] = np.random.default_rng(1).standard_normal(array.shape)
    solver.step(2)
    return solver


@cache
def ready_solver(kind: str) -> Solver:
    """A solver to read into; made once."""
    return make_solver(kind, "BINARYPROTO", "unused")


def snapshot(room: Path, kind: str, format: str) -> tuple[Path, Path]:
    """Weights and state files of a solver of the small net."""
    import os

    before = os.getcwd()
    os.chdir(room)
    try:
        make_solver(kind, format, "s").snapshot()
    finally:
        os.chdir(before)
    end = ".h5" if format == "HDF5" else ""
    return room / f"s_iter_2.caffemodel{end}", room / f"s_iter_2.solverstate{end}"
