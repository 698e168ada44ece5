"""OpenCV 4, which reads Caffe's files itself. Runs in an environment of its own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from serving import serve


class Inference:
    def __init__(self, folder: Path, threads: int) -> None:
        cv2.setNumThreads(threads)
        files = str(folder / "net.prototxt"), str(folder / "net.caffemodel")
        self._net = cv2.dnn.readNetFromCaffe(*files)
        self._net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        self._data = np.load(folder / "data.npy")

    def run(self) -> np.ndarray:
        self._net.setInput(self._data, "data")
        return self._net.forward()

    def results(self) -> dict[str, np.ndarray]:
        return {"prob": self.run()}


if __name__ == "__main__":
    serve(Inference)
