"""The benchmarked nets in PyTorch, built from the same prototxt and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.program import NetProgram


class TorchNet:
    """A net of the layers that LeNet, GoogLeNet and ResNet-50 have.

    Args:
        net: the prototxt. program: the same, lowered (for names and shapes of variables).
        arrays: parameters and inputs by name.
        device: where its tensors lie.
    """

    def __init__(
        self, net: Message, program: NetProgram, arrays: Mapping[str, np.ndarray], device: str
    ) -> None:
        import torch

        self.torch = torch
        self.weights: dict[str, Any] = {}
        for name in program.variables:
            if name in arrays and not name.startswith("@"):
                learns = program.variables[name].learns
                tensor = torch.from_numpy(np.array(arrays[name])).to(device)
                self.weights[name] = tensor.requires_grad_(learns)
        self.inputs = {
            name: torch.from_numpy(np.array(arrays[name])).to(device) for name in program.inputs
        }
        by_name = {layer.name: layer for layer in net.layer}
        # Split layers stand in the program only.
        self.layers = [(by_name[x.name], x) for x in program.layers if x.name in by_name]
        self.aliases = {
            top: x.bottoms[0] for x in program.layers if x.type == "Split" for top in x.tops
        }
        self.losses = [
            (top, weight)
            for x in program.layers
            for top, weight in zip(x.tops, x.loss_weights, strict=True)
            if weight
        ]

    def loss(self) -> Any:
        """The weighted sum of all losses."""
        blobs = dict(self.inputs)
        for message, layer in self.layers:
            if layer.type == "Input":
                continue
            bottoms = [blobs[self.aliases.get(b, b)] for b in layer.bottoms]
            variables = [self.weights[c] for c in layer.variables]
            blobs[layer.tops[0]] = LAYERS[layer.type](self.torch, message, bottoms, variables)
        return sum(weight * blobs[top] for top, weight in self.losses)

    def step(self, loss: Callable[[], Any]) -> None:
        """Forward and backward; ``loss`` may be a compiled form of :meth:`loss`."""
        for weight in self.weights.values():
            weight.grad = None
        loss().backward()


def _convolution(torch: Any, m: Message, x: list[Any], w: list[Any]) -> Any:
    p = m.convolution_param
    stride, pad = (list(p.stride) or [1])[0], (list(p.pad) or [0])[0]
    bias = w[1] if len(w) > 1 else None
    return torch.nn.functional.conv2d(x[0], w[0], bias, stride, pad, groups=p.group)


def _pooling(torch: Any, m: Message, x: list[Any], w: list[Any]) -> Any:
    p = m.pooling_param
    if p.global_pooling:
        return x[0].mean((2, 3), keepdim=True)
    if p.pool == "MAX":
        return torch.nn.functional.max_pool2d(x[0], p.kernel_size, p.stride, p.pad, ceil_mode=True)
    return torch.nn.functional.avg_pool2d(x[0], p.kernel_size, p.stride, p.pad, ceil_mode=True)


def _lrn(torch: Any, m: Message, x: list[Any], w: list[Any]) -> Any:
    p = m.lrn_param
    return torch.nn.functional.local_response_norm(x[0], p.local_size, p.alpha, p.beta, p.k)


def _batch_norm(torch: Any, m: Message, x: list[Any], w: list[Any]) -> Any:
    return torch.nn.functional.batch_norm(x[0], None, None, training=True)


LAYERS: dict[str, Callable[[Any, Message, list[Any], list[Any]], Any]] = {
    "Convolution": _convolution,
    "Pooling": _pooling,
    "LRN": _lrn,
    "BatchNorm": _batch_norm,
    "InnerProduct": lambda torch, m, x, w: torch.nn.functional.linear(x[0].flatten(1), *w),
    "ReLU": lambda torch, m, x, w: torch.relu(x[0]),
    "Scale": lambda torch, m, x, w: x[0] * w[0][:, None, None] + w[1][:, None, None],
    "Eltwise": lambda torch, m, x, w: x[0] + x[1],
    "Concat": lambda torch, m, x, w: torch.cat(x, 1),
    "Dropout": lambda torch, m, x, w: torch.dropout(x[0], m.dropout_param.dropout_ratio, True),
    "SoftmaxWithLoss": lambda torch, m, x, w: torch.nn.functional.cross_entropy(
        x[0], x[1].long().flatten()
    ),
}
