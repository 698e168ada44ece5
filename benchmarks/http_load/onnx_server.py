"""The server of ``examples/serve`` with ONNX Runtime in the place of Roastery.

    python benchmarks/http_load/onnx_server.py net.onnx net.roast --port 8001

The artifact says how pictures become the input; the model runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples" / "serve"), str(ROOT)]

from roast_server.engine import Arrays, Port  # noqa: E402
from roast_server.server import run  # noqa: E402
from roast_server.settings import read_settings  # noqa: E402

from runtime.artifact import Artifact  # noqa: E402

_TYPES = {"tensor(float)": np.dtype(np.float32)}


class OnnxEngine:
    """A model whose first axis is the batch."""

    def __init__(self, model: Path, artifact: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(model), options, providers=providers)
        with Artifact.load(artifact) as said:
            self.pictures = said.pictures()
        self.name, self.device, self.stateful = model.stem, "onnxruntime", False
        self.versions = {"onnxruntime": onnxruntime.__version__}
        self.inputs = {port.name: _port(port) for port in self._session.get_inputs()}
        self.outputs = {port.name: _port(port) for port in self._session.get_outputs()}

    def run(self, arrays: Arrays) -> dict[str, np.ndarray]:
        results = self._session.run(None, dict(arrays))
        return dict(zip(self.outputs, results, strict=True))

    def close(self) -> None:
        del self._session


def _port(port: onnxruntime.NodeArg) -> Port:
    sizes = [size if isinstance(size, int) else None for size in port.shape]
    return Port(tuple(size or 1 for size in sizes), _TYPES[port.type], tuple(sizes))


def main() -> int:
    model, *words = sys.argv[1:]
    settings = read_settings(words)
    threads = settings.threads or 1
    return run(settings, lambda: OnnxEngine(Path(model), settings.artifact, threads))


if __name__ == "__main__":
    sys.exit(main())
