"""A deploy net as an ONNX model: the layers that the measured nets have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from frontends.prototxt import Message

_OPSET, _IR = 17, 9


def onnx_model(
    net: Message, parameters: Mapping[str, Sequence[np.ndarray]], result: Sequence[int]
) -> ModelProto:
    """``parameters``: arrays by layer; ``result``: the shape of its last blob.

    Raises NotImplementedError for a layer that is not known.
    """
    writer = _Writer(parameters)
    for layer in net.layer:
        writer.add(layer)
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, writer.shape)]
    outputs = [helper.make_tensor_value_info(writer.last, TensorProto.FLOAT, result)]
    graph = helper.make_graph(writer.nodes, net.name, inputs, outputs, writer.weights)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR)
    checker.check_model(model)
    return model


class _Writer:
    def __init__(self, parameters: Mapping[str, Sequence[np.ndarray]]) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.shape: list[int] = []
        self.last = ""
        self._parameters = parameters
        self._names: dict[str, str] = {}  # of the newest version of each blob
        self._statistics: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}

    def add(self, layer: Message) -> None:
        write = getattr(self, f"_{layer.type.lower()}", None)
        if write is None:
            raise NotImplementedError(f"layer type {layer.type}")
        write(layer)

    def _emit(self, layer: Message, kind: str, inputs: Sequence[str], **fields: Any) -> None:
        top = layer.top[0]
        name = f"{top}/{layer.name}" if top in self._names else top
        self.nodes.append(helper.make_node(kind, inputs, [name], layer.name, **fields))
        self._names[top] = self.last = name

    def _bottoms(self, layer: Message) -> list[str]:
        return [self._names[bottom] for bottom in layer.bottom]

    def _arrays(self, layer: Message) -> Sequence[np.ndarray]:
        return self._parameters.get(layer.name, ())

    def _weight(self, layer: Message, number: int, array: np.ndarray) -> str:
        name = f"{layer.name}:{number}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _learned(self, layer: Message) -> list[str]:
        return [self._weight(layer, i, array) for i, array in enumerate(self._arrays(layer))]

    # --- layers -------------------------------------------------------------------------

    def _input(self, layer: Message) -> None:
        self.shape = list(layer.input_param.shape[0].dim)
        self._names[layer.top[0]] = layer.top[0]

    def _convolution(self, layer: Message) -> None:
        p = layer.convolution_param
        size, stride, pad = ([*(given or [default])] for given, default in
                             ((p.kernel_size, 1), (p.stride, 1), (p.pad, 0)))  # fmt: skip
        self._emit(layer, "Conv", [*self._bottoms(layer), *self._learned(layer)],
                   kernel_shape=2 * size, strides=2 * stride, pads=4 * pad, group=p.group,
                   )  # fmt: skip

    def _pooling(self, layer: Message) -> None:
        p = layer.pooling_param
        if p.global_pooling and p.pool == "AVE":
            return self._emit(layer, "GlobalAveragePool", self._bottoms(layer))
        kind = "MaxPool" if p.pool == "MAX" else "AveragePool"
        if kind == "AveragePool" and p.pad:
            raise NotImplementedError("means over windows with padding")
        self._emit(layer, kind, self._bottoms(layer), kernel_shape=2 * [p.kernel_size],
                   strides=2 * [p.stride], pads=4 * [p.pad], ceil_mode=1)  # fmt: skip

    def _innerproduct(self, layer: Message) -> None:
        flat = f"{layer.name}/flat"
        self.nodes.append(helper.make_node("Flatten", self._bottoms(layer), [flat]))
        self._emit(layer, "Gemm", [flat, *self._learned(layer)], transB=1)

    def _batchnorm(self, layer: Message) -> None:
        """The Scale that follows makes one node of both."""
        mean, variance, factor = self._arrays(layer)
        eps = layer.batch_norm_param.eps
        self._statistics[layer.top[0]] = (mean / factor, variance / factor, eps)

    def _scale(self, layer: Message) -> None:
        mean, variance, eps = self._statistics.pop(layer.bottom[0])
        names = [*self._learned(layer), *(self._weight(layer, i, array)
                 for i, array in ((2, mean), (3, variance)))]  # fmt: skip
        self._emit(layer, "BatchNormalization", [*self._bottoms(layer), *names], epsilon=eps)

    def _lrn(self, layer: Message) -> None:
        p = layer.lrn_param
        self._emit(layer, "LRN", self._bottoms(layer), size=p.local_size, alpha=p.alpha,
                   beta=p.beta, bias=p.k)  # fmt: skip

    def _relu(self, layer: Message) -> None:
        self._emit(layer, "Relu", self._bottoms(layer))

    def _eltwise(self, layer: Message) -> None:
        self._emit(layer, "Add", self._bottoms(layer))

    def _concat(self, layer: Message) -> None:
        self._emit(layer, "Concat", self._bottoms(layer), axis=1)

    def _softmax(self, layer: Message) -> None:
        self._emit(layer, "Softmax", self._bottoms(layer), axis=1)

    def _dropout(self, layer: Message) -> None:
        self._names[layer.top[0]] = self._names[layer.bottom[0]]
