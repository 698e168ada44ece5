"""Nets written in Python: ``n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20)``.

Layers are functions of tops, and ``to_proto`` gives the NetParameter. Caffe:
python/caffe/net_spec.py, whose naming of layers and blobs is kept.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from frontends.lowering.known_layers import layer_types
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError

from .proto import caffe_pb2

_ParamNames = Mapping[str, str]
_ASK = "roastery python --dialect=ssd, or ROASTERY_DIALECT=ssd before caffe is imported"


class Top:
    """One output of a layer. ``fn`` is the layer, ``n`` the number of the output."""

    def __init__(self, fn: Function, n: int) -> None:
        self.fn = fn
        self.n = n

    def to_proto(self) -> Any:
        """The NetParameter of all layers that this top needs."""
        return to_proto(self)

    def _to_proto(self, writer: _Writer) -> None:
        self.fn._to_proto(writer)


class Function:
    """A layer: its type, its bottoms and its parameters.

    Attributes:
        params: keyword arguments as given, without ``ntop`` and ``in_place``.
        tops: its outputs; none with ``ntop=0``.
    """

    def __init__(self, type_name: str, inputs: tuple[Any, ...], params: dict[str, Any]) -> None:
        for index, given in enumerate(inputs):
            if not isinstance(given, Top):
                raise TypeError(f"{type_name} input {index} is not a Top (type is {type(given)})")
        self.type_name = type_name
        self.inputs: tuple[Top, ...] = inputs
        self.params = dict(params)
        self.ntop: int = self.params.pop("ntop", 1)
        self.in_place: bool = self.params.pop("in_place", False)
        self.tops = tuple(Top(self, n) for n in range(self.ntop))

    def to_proto(self) -> Any:
        """The NetParameter of this layer and all that it needs."""
        return to_proto(self)

    def _to_proto(self, writer: _Writer) -> None:
        # Bottoms first; a chain of layers may be longer than Python's calls may nest.
        waiting = [self]
        while waiting:
            function = waiting[-1]
            if function in writer.layers:
                waiting.pop()
                continue
            needed = [t.fn for t in function.inputs if t.fn not in writer.layers]
            if needed:
                waiting.extend(reversed(needed))
                continue
            waiting.pop()
            function._write(writer)

    def _write(self, writer: _Writer) -> None:
        layer = caffe_pb2.LayerParameter()
        layer.type = self.type_name
        layer.bottom.extend(writer.layers[given.fn].top[given.n] for given in self.inputs)
        if self.in_place:
            layer.top.extend(layer.bottom)
        else:
            layer.top.extend(writer.name_of(top, self.type_name) for top in self.tops)
        layer.name = writer.name_of(self.tops[0] if self.tops else self, self.type_name)
        for name, value in self.params.items():
            self._set_param(layer, name, value)
        writer.layers[self] = layer

    def _set_param(self, layer: Any, name: str, value: Any) -> None:
        """``pool=...`` goes into pooling_param, ``loss_weight=...`` into the layer itself."""
        own = _param_names().get(self.type_name)
        place = layer
        if not name.endswith("param") and own is not None:
            inner = getattr(layer, own, None)
            if inner is not None and name in inner.DESCRIPTOR.fields_by_name:
                place = inner
        if name not in place.DESCRIPTOR.fields_by_name:
            known = set(layer.DESCRIPTOR.fields_by_name)
            if own is not None and own in known:
                known |= set(getattr(layer, own).DESCRIPTOR.fields_by_name)
            near = did_you_mean(name, known)
            raise RoasteryError(
                f"a {self.type_name} layer has no parameter '{name}'",
                hint=f"did you mean '{near}'?"
                if near
                else f"a fork's fields are there with its dialect: {_ASK}",
            )
        assign_proto(place, name, value)


SpecNode = Top | Function


class _Writer:
    """Names and layers while a net is written."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        self.layers: OrderedDict[Function, Any] = OrderedDict()
        self._names = dict(names)
        self._counts: Counter[str] = Counter()

    def name_of(self, node: SpecNode, type_name: str) -> str:
        """The node's name: what it was assigned to, else its type and a number."""
        if node not in self._names:
            self._counts[type_name] += 1
            self._names[node] = f"{type_name}{self._counts[type_name]}"
        return self._names[node]

    def net(self) -> Any:
        net = caffe_pb2.NetParameter()
        net.layer.extend(self.layers.values())
        return net


def to_proto(*tops: SpecNode) -> Any:
    """The NetParameter of all layers that ``tops`` need, under automatic names."""
    writer = _Writer({})
    for top in tops:
        top._to_proto(writer)
    return writer.net()


_OF_SSD = ("keys", "vals", "update")
"""Methods that SSD's branch adds to NetSpec, and its model_libs.py calls."""


class NetSpec:
    """A net whose blobs are named by assignment: ``n.data = L.Input(...)``, ``n["a/b"] = ...``.

    Attributes:
        tops: what was assigned, by name.
    """

    tops: OrderedDict[str, SpecNode]

    def __init__(self) -> None:
        object.__setattr__(self, "tops", OrderedDict())

    def __setattr__(self, name: str, value: SpecNode) -> None:
        self.tops[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.tops:
            return self.tops[name]
        if name in _OF_SSD:  # looked for last, so that tops may have these names
            return getattr(self, f"_{name}")
        raise AttributeError(f"the NetSpec has no top '{name}'")

    def _keys(self) -> list[str]:
        """``n.keys()``: the names, in the order of assignment."""
        return list(self.tops)

    def _vals(self) -> list[SpecNode]:
        """``n.vals()``: the tops, in the order of assignment."""
        return list(self.tops.values())

    def _update(self, name: str, params: Mapping[str, Any]) -> None:
        """``n.update("conv6", {"dilation": 6})``: more parameters for a layer."""
        node = self.tops[name]
        (node.fn if isinstance(node, Top) else node).params.update(params)

    def __delattr__(self, name: str) -> None:
        del self.tops[name]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def __setitem__(self, name: str, value: SpecNode) -> None:
        self.tops[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.tops[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tops

    def to_proto(self) -> Any:
        """The NetParameter of all layers that the assigned tops need."""
        writer = _Writer({top: name for name, top in self.tops.items()})
        for name, top in self.tops.items():
            if not isinstance(top, (Top, Function)):
                raise RoasteryError(
                    f"'{name}' is a {type(top).__name__}, not a top",
                    hint="a layer with several tops is assigned as n.a, n.b = L.X(..., ntop=2)",
                )
            top._to_proto(writer)
        return writer.net()


def assign_proto(message: Any, name: str, value: Any) -> None:
    """Set a field of a protobuf message: dicts become messages, lists repeated fields.

    A single value for a repeated field becomes a list of one.
    """
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        near = did_you_mean(name, message.DESCRIPTOR.fields_by_name)
        raise RoasteryError(
            f"{message.DESCRIPTOR.name} has no field '{name}'",
            hint=f"did you mean '{near}'?" if near else None,
        )
    try:
        _assign(message, field, value)
    except TypeError as error:
        if error.args and str(error.args[0]).startswith("field '"):
            raise  # a message inside has told already
        raise TypeError(f"field '{name}' of {message.DESCRIPTOR.name}: {error}") from None


def _assign(message: Any, field: Any, value: Any) -> None:
    name = field.name
    target = getattr(message, name)
    if hasattr(target, "extend"):
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        for item in values:
            if isinstance(item, dict):
                _fill(target.add(), item)
            else:
                target.append(item)
    elif isinstance(value, dict):
        target.SetInParent()
        _fill(target, value)
    elif field.message_type is not None:
        target.CopyFrom(value)
    else:
        setattr(message, name, value)


def _fill(message: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        assign_proto(message, name, value)


@cache
def param_name_dict() -> dict[str, str]:
    """Layer type -> name of its parameters: Convolution -> convolution."""
    return {kind: name.removesuffix("_param") for kind, name in _param_names().items()}


def _param_names() -> _ParamNames:
    """Layer type -> field of LayerParameter with its parameters.

    From the names of the messages, as Caffe has it, and from what the layers themselves say
    (Deconvolution has convolution_param).
    """
    fields = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
    names = {
        field.message_type.name.removesuffix("Parameter"): name
        for name, field in fields.items()
        if name.endswith("_param")
    }
    names.update(
        (kind.name, kind.param)
        for kind in layer_types().values()
        if kind.param in fields and kind.name not in names
    )
    return names


class _Layers:
    """``L.Type(bottom, ..., field=value)`` is a layer; it gives its top or tops."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def make(*inputs: Any, **params: Any) -> Any:
            function = Function(name, inputs, params)
            if function.ntop == 0:
                return function
            return function.tops[0] if function.ntop == 1 else function.tops

        make.__name__ = name
        return make


class _Parameters:
    """``P.Pooling.MAX``: the values of enums."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        message = getattr(caffe_pb2, f"{name}Parameter", None)
        if message is None:
            raise AttributeError(
                f"there is no {name}Parameter in caffe.proto; those of a fork are there with its "
                f"dialect: {_ASK}"
            )
        return message


layers = _Layers()
params = _Parameters()
