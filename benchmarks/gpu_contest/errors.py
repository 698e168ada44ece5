"""Errors of a net's loss and diffs on a GPU, against PyTorch in float64 there.

python -m benchmarks.gpu_contest.errors NET BATCH FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compiler.precision import FLOAT32, TF32
from roastery.devices.backends import choose_device, open_backend
from roastery.files.atomic_file import atomic_path
from runtime.backends.backend import Backend

from .cases import Case
from .contender import arrays_of, net_of
from .torch_run import TorchRun

Found = tuple[float, dict[str, np.ndarray]]
"""A loss, and the diffs of parameters."""


def errors(case: Case, backend: Backend, device: str = "cuda") -> dict[str, dict[str, Any]]:
    """Of Roastery in the precisions of its device, and of PyTorch in two: relative errors of the
    loss, and the largest of a diff with its name."""
    chosen = net_of(case)
    arrays = arrays_of(chosen)

    def of_torch(precision: str, *, double: bool = False) -> Found:
        run = TorchRun(
            chosen.message, chosen.program, arrays, precision, double=double, device=device
        )
        loss = run.once()
        loss.backward()
        grads = {n: w.grad for n, w in run.net.weights.items() if w.grad is not None}
        return float(loss.detach()), {n: g.double().cpu().numpy() for n, g in grads.items()}

    def of_ours(precision: str) -> Found:
        net = chosen.built(backend, precision)
        loss = net.forward_backward()
        return loss, {name: net.store.diff[name].peek().copy() for name in exact}

    truth, exact = of_torch(FLOAT32, double=True)
    found = {f"PyTorch {p}": of_torch(p) for p in (FLOAT32, TF32)}
    found |= {f"Roastery {p}": of_ours(p) for p in backend.target.precisions}
    return {name: _error(loss, diffs, truth, exact) for name, (loss, diffs) in found.items()}


def _error(
    loss: float, diffs: Mapping[str, np.ndarray], truth: float, exact: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    off = {
        name: float(np.linalg.norm(diffs[name] - array) / np.linalg.norm(array))
        for name, array in exact.items()
        if np.linalg.norm(array)
    }
    worst = max(off, key=lambda name: np.nan_to_num(off[name], nan=np.inf))
    return {"loss": abs(loss / truth - 1), "diff": off[worst], "worst": worst}


def main(words: list[str]) -> None:
    net, batch, file = words
    backend = open_backend(choose_device("cuda"))
    found = errors(Case(net, int(batch), True), backend)
    for name, row in found.items():
        print(f"{name:20} loss {row['loss']:.1e}  diffs {row['diff']:.1e} ({row['worst']})")
    with atomic_path(Path(file)) as partial:
        partial.write_text(json.dumps({"errors": found}), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
