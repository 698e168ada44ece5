"""PyTorch eager; the third argument is the format of its tensors' memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from serving import serve

from benchmarks.contest.job import DECAY, MOMENTUM, RATE
from benchmarks.torch_nets import TorchNet
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.reading import nets
from roastery.weights.parameters import load_weights
from runtime.memory.store import Store


class _Loaded:
    def __init__(self, folder: Path, threads: int, phase: str, last: bool) -> None:
        torch.set_num_threads(threads)
        message = nets.read_net(folder / "net.prototxt")
        request = NetRequest(message, nets.state_message(phase))
        program = lower_net(request, logger_report()).program
        store = Store(program.variables, seed=1)
        load_weights(folder / "net.caffemodel", program, store)
        arrays = {name: buffer.peek() for name, buffer in store.data.items()}
        arrays |= {name: np.load(folder / f"{name}.npy") for name in program.inputs}
        self.net = TorchNet(message, program, arrays, "cpu")
        if last:
            self.net.channels_last()


class Inference(_Loaded):
    def __init__(self, folder: Path, threads: int, last: bool) -> None:
        super().__init__(folder, threads, "TEST", last)

    @torch.inference_mode()
    def run(self) -> np.ndarray:
        return self.net.forward()["prob"].numpy()

    def results(self) -> dict[str, np.ndarray]:
        return {"prob": self.run()}


class Training(_Loaded):
    def __init__(self, folder: Path, threads: int, last: bool) -> None:
        super().__init__(folder, threads, "TRAIN", last)
        learning = [weight for weight in self.net.weights.values() if weight.requires_grad]
        settings = {"lr": RATE, "momentum": MOMENTUM, "weight_decay": DECAY}
        self._optimizer = torch.optim.SGD(learning, **settings)

    def run(self) -> None:
        self.net.step(self.net.loss)
        self._optimizer.step()

    def results(self) -> dict[str, np.ndarray]:
        loss = self.net.loss()
        loss.backward()
        weights = self.net.weights.items()
        diffs = {name: weight.grad.numpy() for name, weight in weights if weight.requires_grad}
        return {"loss": loss.detach().numpy(), **diffs}


def load(folder: Path, threads: int) -> _Loaded:
    kind = Training if (folder / "solver.prototxt").is_file() else Inference
    return kind(folder, threads, sys.argv[4] == "channels_last")


if __name__ == "__main__":
    serve(load)
