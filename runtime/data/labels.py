"""Labels that no class has are refused when they are read, with their place.

Caffe reads past the end of its scores for them and trains on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from ir.program import Labels, LayerInfo, NetProgram
from runtime.data.source import Batch, DataSource, Position, Shape


@dataclass(frozen=True)
class LabelCheck:
    """The classes that one top of a data layer may name: what ``layer`` takes.

    ``passed``: numbers that name none, but may be there.
    """

    top: int
    labels: Labels
    layer: LayerInfo
    passed: frozenset[int] = frozenset()


def label_checks(program: NetProgram) -> dict[str, list[LabelCheck]]:
    """What must hold for labels that come straight from data layers, by the data layers' keys."""
    origin: dict[str, tuple[str, int]] = {}  # blob -> data layer and top whose values it holds
    found: dict[str, list[LabelCheck]] = {}
    for layer in program.layers:
        labels = layer.labels
        if labels is not None and layer.bottoms[labels.bottom] in origin:
            source, top = origin[layer.bottoms[labels.bottom]]
            own = () if labels.ignored is None else (labels.ignored,)
            found.setdefault(source, []).append(LabelCheck(top, labels, layer, frozenset(own)))
        shared = origin.get(layer.bottoms[0]) if layer.shares_data else None
        for i, name in enumerate(layer.tops):
            origin.pop(name, None)  # written in place: no longer what was read
            if layer.source is not None:
                origin[name] = (layer.key, i)
            elif shared is not None:
                origin[name] = shared
    return {source: _passing(checks) for source, checks in found.items()}


def _passing(checks: Sequence[LabelCheck]) -> list[LabelCheck]:
    """What one layer ignores may reach those that count it as wrong.

    SegNet's nets have a loss with ``ignore_label`` and an Accuracy without; there
    (src/caffe/layers/accuracy_layer.cpp) only a debug build looks at labels.
    """
    ignored = {check.top: frozenset[int]() for check in checks}
    for check in checks:
        ignored[check.top] |= check.passed
    return [
        replace(check, passed=ignored[check.top]) if check.labels.counts_others else check
        for check in checks
    ]


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


def _look(values: np.ndarray, check: LabelCheck, top: str) -> None:
    if check.labels.rows is not None:
        _look_at_rows(values, check.labels.rows, check, top)
        return
    good = _named(values, check)
    for number in check.passed:
        good |= values == number
    if good.all():
        return
    index = int(np.flatnonzero(~good)[0])
    value, classes = float(values.reshape(-1)[index]), check.labels.classes
    raise RoasteryError(
        f"label {value:g} (value {index} of the batch in '{top}'), but layer "
        f"'{check.layer.name}' has {classes} class(es): 0 to {classes - 1}",
        location=check.layer.location,
        hint="give the layer below as many outputs as there are classes, count classes from 0, "
        "or name the label to skip in ignore_label, which softmax losses and Accuracy have",
    )


def _look_at_rows(values: np.ndarray, form: tuple[int, int], check: LabelCheck, top: str) -> None:
    """Boxes with labels."""
    width, column = form
    rows = values.reshape(-1, width)
    labels, background = rows[:, column], check.labels.background
    good = _named(labels, check)
    good &= labels.astype(np.int64) != background
    wrong = np.flatnonzero(~good & (rows[:, 0].astype(np.int64) != -1))
    if not wrong.size:
        return
    index, classes = int(wrong[0]), check.labels.classes
    raise RoasteryError(
        f"a box with label {float(labels[index]):g} (row {index} of the batch in '{top}'), but "
        f"layer '{check.layer.name}' has {classes} class(es): 0 to {classes - 1}, of which "
        f"{background} is the background",
        location=check.layer.location,
        hint="num_classes counts the background, too; labels of boxes are those of the label map",
    )


def _named(values: np.ndarray, check: LabelCheck) -> np.ndarray:
    """Which name a class. Caffe truncates: 2.9 is class 2. A NaN fails both comparisons."""
    named: np.ndarray = (values > -1) & (values < check.labels.classes)
    return named
