"""A net in PyTorch on a GPU, as people run it who want it fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.contest.job import DECAY, MOMENTUM, RATE
from benchmarks.torch_nets import TorchNet
from compiler.precision import BFLOAT16, TF32
from frontends.prototxt import Message
from ir.program import NetProgram


class TorchRun:
    """Channels innermost, cuDNN's benchmarks on, products as precise as ``precision`` says:
    float32 without tf32 ("highest"), tf32, or autocast to bfloat16.

    Args:
        compiled: by torch.compile with max-autotune.
        double: in float64, to compare with.
    """

    def __init__(
        self,
        message: Message,
        program: NetProgram,
        arrays: Mapping[str, np.ndarray],
        precision: str,
        *,
        compiled: bool = False,
        double: bool = False,
        device: str = "cuda",
    ) -> None:
        import torch

        self._torch = torch
        self._device = device
        self._half = precision == BFLOAT16
        fast = precision in (TF32, BFLOAT16)
        torch.set_float32_matmul_precision("high" if fast else "highest")
        torch.backends.cudnn.allow_tf32 = fast
        torch.backends.cudnn.benchmark = not double
        self.net = TorchNet(message, program, arrays, device)
        if double:
            self.net.to_double()
        self.net.channels_last()
        self.trains = program.phase == "TRAIN"
        self._pass = self.net.loss if self.trains else self._outputs
        if compiled:
            # They stay where they are; else captured graphs would copy all of them in every pass.
            for tensor in (*self.net.weights.values(), *self.net.inputs.values()):
                torch._dynamo.mark_static_address(tensor)
            self._pass = torch.compile(self._pass, mode="max-autotune")
        if self.trains:
            learning = [w for w in self.net.weights.values() if w.requires_grad]
            settings = {"lr": RATE, "momentum": MOMENTUM, "weight_decay": DECAY}
            fused = device == "cuda"
            self._optimizer = torch.optim.SGD(learning, fused=fused, **settings)

    def _outputs(self) -> Any:
        blobs = self.net.forward()
        return blobs[self.net.layers[-1][0].tops[0]]

    def once(self) -> Any:
        """The loss, or what the last layer makes."""
        with self._torch.autocast(self._device, self._torch.bfloat16, enabled=self._half):
            return self._pass()

    def run(self) -> None:
        """A training step with its update, or a forward pass."""
        if not self.trains:
            with self._torch.inference_mode():
                self.once()
            return
        self._optimizer.zero_grad(set_to_none=True)
        self.once().backward()
        self._optimizer.step()

    def wait(self) -> None:
        if self._device == "cuda":
            self._torch.cuda.synchronize()

    def peak_memory(self) -> int:
        """Bytes of tensors, at most."""
        return int(self._torch.cuda.max_memory_allocated()) if self._device == "cuda" else 0
