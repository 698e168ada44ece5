"""Labels that no class has are refused when they are read, with their place.

Caffe reads past the end of its scores for them and trains on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.location import Location
from ir.program import LayerInfo, NetProgram
from runtime.data.source import Batch, DataSource, Position, Shape

#: Layers whose bottom 1 holds class numbers, and the axis of their classes.
_AXIS = {
    "SoftmaxWithLoss": lambda layer: layer.softmax_param.axis,
    "InfogainLoss": lambda layer: layer.infogain_loss_param.axis,
    "Accuracy": lambda layer: layer.accuracy_param.axis,
    "MultinomialLogisticLoss": lambda layer: 1,
    "HingeLoss": lambda layer: 1,
}


@dataclass(frozen=True)
class LabelCheck:
    """The classes that one top of a data layer may name."""

    top: int
    classes: int
    ignored: int | None
    layer: str
    location: Location


def label_checks(net: Message, program: NetProgram) -> dict[str, list[LabelCheck]]:
    """What must hold for labels that come straight from data layers, by data layer.

    Args:
        net: what ``program`` was lowered from: filtered, with Split layers.

    Returns: checks by the keys of the data layers.
    """
    origin = {
        top: (layer.key, i)
        for layer in program.layers
        if layer.source is not None
        for i, top in enumerate(layer.tops)
    }
    found: dict[str, list[LabelCheck]] = {}
    for layer, message in zip(program.layers, net.layer, strict=True):
        if layer.type == "Split" and layer.bottoms[0] in origin:
            origin.update((top, origin[layer.bottoms[0]]) for top in layer.tops)
        elif layer.type in _AXIS and len(layer.bottoms) > 1 and layer.bottoms[1] in origin:
            source, top = origin[layer.bottoms[1]]
            found.setdefault(source, []).append(_check(layer, message, top))
        elif layer.source is None:
            for name in layer.tops:
                origin.pop(name, None)  # written in place: no longer what was read
    return found


def _check(layer: LayerInfo, message: Message, top: int) -> LabelCheck:
    parameters = message.accuracy_param if layer.type == "Accuracy" else message.loss_param
    return LabelCheck(
        top=top,
        classes=layer.bottom_values[0].shape[_AXIS[layer.type](message)],
        ignored=parameters.ignore_label if parameters.has("ignore_label") else None,
        layer=layer.name,
        location=layer.location,
    )


class CheckedSource:
    """A data source whose labels are looked at before the net sees them."""

    def __init__(self, source: DataSource, checks: Sequence[LabelCheck]) -> None:
        self._source = source
        self._checks = list(checks)

    @property
    def tops(self) -> tuple[str, ...]:
        return self._source.tops

    def shapes(self) -> list[Shape]:
        return self._source.shapes()

    def next(self) -> Batch:
        batch = self._source.next()
        for check in self._checks:
            _look(batch.arrays[check.top], check, self.tops[check.top])
        return batch

    def position(self) -> Position:
        return self._source.position()

    def restore(self, position: Mapping[str, Any]) -> None:
        self._source.restore(position)

    def close(self) -> None:
        self._source.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def _look(labels: np.ndarray, check: LabelCheck, top: str) -> None:
    # Caffe truncates: 2.9 is class 2. A NaN fails both comparisons.
    good = (labels > -1) & (labels < check.classes)
    if check.ignored is not None:
        good |= labels == check.ignored
    if good.all():
        return
    index = int(np.flatnonzero(~good)[0])
    value = float(labels.reshape(-1)[index])
    raise RoasteryError(
        f"label {value:g} (value {index} of the batch in '{top}'), but layer '{check.layer}' has "
        f"{check.classes} class(es): 0 to {check.classes - 1}",
        location=check.location,
        hint="give the layer below as many outputs as there are classes, count classes from 0, "
        "or name the label to skip in ignore_label",
    )
