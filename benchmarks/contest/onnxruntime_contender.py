"""ONNX Runtime, with all of its optimisations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from serving import serve


class Inference:
    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        providers = ["CPUExecutionProvider"]
        model = str(folder / "net.onnx")
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        self._data = {"data": np.load(folder / "data.npy")}

    def run(self) -> np.ndarray:
        return self._session.run(None, self._data)[0]

    def results(self) -> dict[str, np.ndarray]:
        return {"prob": self.run()}


if __name__ == "__main__":
    serve(Inference)
