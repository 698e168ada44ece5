"""Roastery on the CPU: frozen for inference, or a solver that trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from serving import serve

import roastery


class Inference:
    def __init__(self, folder: Path) -> None:
        net, weights = folder / "net.prototxt", folder / "net.caffemodel"
        self._run = roastery.compile(net, weights, device="cpu", freeze=True)
        self._data = np.load(folder / "data.npy")

    def run(self) -> np.ndarray:
        return self._run(data=self._data)["prob"]

    def results(self) -> dict[str, np.ndarray]:
        return {"prob": self.run()}


class Training:
    def __init__(self, folder: Path) -> None:
        # Who runs nets alone does without.
        from roastery.training.solvers import build_solver
        from roastery.weights.parameters import load_weights

        self._solver = build_solver(folder / "solver.prototxt", device="cpu", seed=1)
        self._net = self._solver.train
        load_weights(folder / "net.caffemodel", self._net.program, self._net.store)
        given = {name: np.load(folder / f"{name}.npy") for name in ("data", "label")}
        self._net.inputs.take(given)

    def run(self) -> None:
        self._solver.step(1)  # which clears diffs first

    def results(self) -> dict[str, np.ndarray]:
        loss = np.array(self._net.forward_backward())
        learning = [name for name, v in self._net.program.variables.items() if v.learns]
        return {"loss": loss, **{name: self._net.store.diff[name].peek() for name in learning}}


if __name__ == "__main__":
    serve(lambda folder, threads: (
        Training if (folder / "solver.prototxt").is_file() else Inference)(folder))  # fmt: skip
