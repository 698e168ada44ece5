"""The benchmarked nets in PyTorch, built from the same prototxt and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.program import LayerInfo, NetProgram

Step = Callable[[list[Any]], Any]


class TorchNet:
    """A net of the layers that the nets of ``benchmarks/zoo`` have, as people write it in PyTorch:
    BatchNorm and the Scale after it are one op, and ReLU works in place where the prototxt's does.

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
                learns = program.variables[name].learns and program.phase == "TRAIN"
                tensor = torch.from_numpy(np.array(arrays[name])).to(device)
                self.weights[name] = tensor.requires_grad_(learns)
        self.inputs = {
            name: torch.from_numpy(np.array(arrays[name])).to(device) for name in program.inputs
        }
        by_name = {layer.name: layer for layer in net.layer}
        # Split layers stand in the program only.
        layers = [(by_name[x.name], x) for x in program.layers if x.name in by_name]
        self.layers = list(self._steps(layers, program.phase == "TRAIN"))
        self.aliases = {
            top: x.bottoms[0] for x in program.layers if x.type == "Split" for top in x.tops
        }
        self.losses = [
            (top, weight)
            for x in program.layers
            for top, weight in zip(x.tops, x.loss_weights, strict=True)
            if weight
        ]

    def _steps(
        self, layers: Sequence[tuple[Message, LayerInfo]], trains: bool
    ) -> Iterator[tuple[LayerInfo, Step]]:
        """What each layer makes of its bottoms."""
        statistics: dict[str, tuple[Any, ...]] = {}  # of a BatchNorm whose Scale comes next
        for message, layer in layers:
            weights = [self.weights[name] for name in layer.variables]
            if layer.type == "BatchNorm":
                mean, variance, factor = weights
                given = (None, None) if trains else (mean / factor, variance / factor)
                statistics[layer.tops[0]] = (*given, message.batch_norm_param.eps)
            elif layer.type == "Scale":
                mean, variance, eps = statistics.pop(layer.bottoms[0])
                yield layer, partial(_batch_norm, self.torch, mean, variance, eps, trains, weights)
            elif layer.type == "ReLU" and layer.tops == layer.bottoms:
                yield layer, lambda x: self.torch.relu_(x[0])
            elif layer.type == "Dropout":
                ratio = message.dropout_param.dropout_ratio
                yield layer, partial(_dropout, self.torch, ratio, trains)
            elif layer.type != "Input":
                yield layer, LAYERS[layer.type](self.torch, message, weights)

    def channels_last(self) -> None:
        """Keep images and filters in memory with their channels innermost."""
        for tensors in (self.weights, self.inputs):
            for tensor in tensors.values():
                if tensor.dim() == 4:
                    tensor.data = tensor.data.to(memory_format=self.torch.channels_last)

    def to_double(self) -> None:
        """Have all numbers in float64, to compare with."""
        for tensors in (self.weights, self.inputs):
            for tensor in tensors.values():
                tensor.data = tensor.data.double()

    def forward(self) -> dict[str, Any]:
        """All blobs."""
        blobs = dict(self.inputs)
        for layer, run in self.layers:
            bottoms = [blobs[self.aliases.get(b, b)] for b in layer.bottoms]
            blobs[layer.tops[0]] = run(bottoms)
        return blobs

    def loss(self) -> Any:
        """The weighted sum of all losses."""
        blobs = self.forward()
        return sum(weight * blobs[top] for top, weight in self.losses)

    def step(self, loss: Callable[[], Any]) -> None:
        """Forward and backward; ``loss`` may be a compiled form of :meth:`loss`."""
        for weight in self.weights.values():
            weight.grad = None
        loss().backward()


def _batch_norm(
    torch: Any,
    mean: Any,
    variance: Any,
    eps: float,
    trains: bool,
    scale: list[Any],
    x: list[Any],
) -> Any:
    norm = torch.nn.functional.batch_norm
    return norm(x[0], mean, variance, *scale, training=trains, eps=eps)


def _dropout(torch: Any, ratio: float, trains: bool, x: list[Any]) -> Any:
    return torch.dropout(x[0], ratio, trains)


def _convolution(torch: Any, m: Message, w: list[Any]) -> Step:
    p, functions = m.convolution_param, torch.nn.functional
    stride, pad, groups = (list(p.stride) or [1])[0], (list(p.pad) or [0])[0], p.group
    bias = w[1] if len(w) > 1 else None
    run = functions.conv2d if m.type == "Convolution" else functions.conv_transpose2d
    return lambda x: run(x[0], w[0], bias, stride, pad, groups=groups)


def _pooling(torch: Any, m: Message, w: list[Any]) -> Step:
    p, functions = m.pooling_param, torch.nn.functional
    if p.global_pooling:
        return lambda x: x[0].mean((2, 3), keepdim=True)
    window = p.kernel_size, p.stride, p.pad
    run = functions.max_pool2d if p.pool == "MAX" else functions.avg_pool2d
    return lambda x: run(x[0], *window, ceil_mode=True)


def _lrn(torch: Any, m: Message, w: list[Any]) -> Step:
    p = m.lrn_param
    size, numbers = p.local_size, (p.alpha, p.beta, p.k)
    return lambda x: torch.nn.functional.local_response_norm(x[0], size, *numbers)


def _crop(torch: Any, m: Message, w: list[Any]) -> Step:
    """Of both axes of an image, from the same offset on."""
    (offset,) = m.crop_param.offset

    def run(x: list[Any]) -> Any:
        height, width = x[1].shape[2:]
        return x[0][:, :, offset : offset + height, offset : offset + width]

    return run


def _lstm(torch: Any, m: Message, w: list[Any]) -> Step:
    """Sequences that begin where the pass does, by cuDNN. Its gates have another order, and what
    is the same in every step is a part of its input."""

    def run(x: list[Any]) -> Any:
        steps, weights = x[0].flatten(2), w[0]
        if len(x) > 2:
            steps = torch.cat([steps, x[2].flatten(1).expand(len(steps), -1, -1)], 2)
            weights = torch.cat([weights, w[2]], 1)
        state = steps.new_zeros((1, steps.shape[1], w[-1].shape[1]))
        parts = [_cudnn_order(torch, tensor) for tensor in (weights, w[-1], w[1])]
        parts.append(torch.zeros_like(parts[-1]))
        trains = torch.is_grad_enabled()
        return torch.lstm(steps, (state, state), parts, True, 1, 0.0, trains, False, False)[0]

    return run


def _cudnn_order(torch: Any, tensor: Any) -> Any:
    """Caffe's gates are i, f, o, g."""
    i, f, o, g = tensor.chunk(4)
    return torch.cat([i, f, g, o])


def _embed(torch: Any, m: Message, w: list[Any]) -> Step:
    def run(x: list[Any]) -> Any:
        found = torch.nn.functional.embedding(x[0].long(), w[0])
        return found + w[1] if len(w) > 1 else found

    return run


def _loss(torch: Any, m: Message, w: list[Any]) -> Step:
    """Caffe's normalisation VALID is the mean; without any it divides by the batch."""
    axis, p = m.softmax_param.axis, m.loss_param
    plain = p.has("normalize") and not p.normalize

    def run(x: list[Any]) -> Any:
        scores = x[0].movedim(axis, -1).flatten(0, -2)
        mean = torch.nn.functional.cross_entropy(scores, x[1].long().flatten())
        return mean * (len(scores) / len(x[0])) if plain else mean

    return run


def _dense(torch: Any, m: Message, w: list[Any]) -> Step:
    axis = m.inner_product_param.axis
    return lambda x: torch.nn.functional.linear(x[0].flatten(axis), *w)


def _softmax(torch: Any, m: Message, w: list[Any]) -> Step:
    axis = m.softmax_param.axis
    return lambda x: torch.softmax(x[0], axis)


LAYERS: dict[str, Callable[[Any, Message, list[Any]], Step]] = {
    "Convolution": _convolution,
    "Pooling": _pooling,
    "LRN": _lrn,
    "Deconvolution": _convolution,
    "Crop": _crop,
    "LSTM": _lstm,
    "Embed": _embed,
    "InnerProduct": _dense,
    "ReLU": lambda torch, m, w: lambda x: torch.relu(x[0]),
    "Eltwise": lambda torch, m, w: lambda x: x[0] + x[1],
    "Concat": lambda torch, m, w: lambda x: torch.cat(x, 1),
    "Softmax": _softmax,
    "SoftmaxWithLoss": _loss,
}
"""What a layer makes of its bottoms. Its message is read here, once: torch.compile, which looks
into all that runs, need not."""
