"""What `roastery test` makes of outputs that judge, which have no mean over batches.

Rows of detections differ from batch to batch, a class may be in no picture of one, and the mean of
batches' intersections over unions is not that of all pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from frontends.lowering.known_layers import layer_types
from frontends.prototxt import Message
from ir.program import NetProgram, shown_blob
from runtime.logging import CaffeLog
from runtime.memory.store import Store
from runtime.solver.average_precision import WIDTH, DetectionScores, mean_precision
from runtime.solver.class_overlaps import ClassOverlaps


class Score(Protocol):
    """Of one output over the batches of a test."""

    def add(self, values: np.ndarray) -> None:
        """What a batch left in it, flat."""
        ...

    def tell(self, log: CaffeLog, name: str) -> None:
        """Log what it comes to; ``name`` is the output's."""
        ...


class PrecisionScore:
    """Of DetectionEvaluate: average precisions by a version, and their mean."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._found = DetectionScores()

    def add(self, values: np.ndarray) -> None:
        self._found.add(values.reshape(-1, WIDTH))

    def tell(self, log: CaffeLog, name: str) -> None:
        precisions = self._found.precisions(self._version)
        for label, precision in precisions.items():
            if precision is None:
                log.nothing_detected(label)
            else:
                log.class_precision(label, precision)
        log.mean_output(name, mean_precision(precisions))


class OverlapScore:
    """Of SegmentationEvaluate: means of classes over pictures that have them, and their mean."""

    def __init__(self) -> None:
        self._overlaps = ClassOverlaps()

    def add(self, values: np.ndarray) -> None:
        self._overlaps.add(values)

    def tell(self, log: CaffeLog, name: str) -> None:
        there = self._overlaps.counts > 0
        means = self._overlaps.means
        for number in np.flatnonzero(there):
            log.class_overlap(int(number), float(means[number]))
        log.mean_output(name, float(means[there].mean()) if there.any() else 0.0)


class PixelScore:
    """Of SegAccuracy: measures of all pixels of the test, by classes that occur.

    Args:
        counts: what the layer counted, (3, classes): pixels that are right, that have the class,
            that are said to.
    """

    def __init__(self, counts: Callable[[], np.ndarray]) -> None:
        self._counts = counts

    def add(self, values: np.ndarray) -> None:
        """The layer adds up itself."""

    def tell(self, log: CaffeLog, name: str) -> None:
        right, there, said = self._counts().astype(np.float64)
        union = there + said - right
        overlaps = right / np.maximum(union, 1)
        for number in np.flatnonzero(union):
            log.class_overlap(int(number), float(overlaps[number]))
        recalls = right / np.maximum(there, 1)
        log.mean_output(f"{name}/pixel_accuracy", float(right.sum() / max(there.sum(), 1)))
        log.mean_output(f"{name}/class_accuracy", _mean(recalls[there > 0]))
        log.mean_output(f"{name}/mean_iou", _mean(overlaps[union > 0]))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def adding_up(net: Message) -> Message:
    """The net, with layers that judge pixels adding up all batches.

    Layers are not shared with ``net`` where they differ.
    """
    layers = []
    for layer in net.layer:
        if _judges(layer) == "pixels":
            layer = layer.copy()
            layer.mutable(layer_types()[layer.type].param).set("reset", False)
        layers.append(layer)
    return net.replaced("layer", layers)


def scores(program: NetProgram, store: Store, version: str) -> dict[str, Score]:
    """By output, of those that have no mean; ``version``: of average precisions."""
    made: dict[str, Score] = {}
    for layer in program.layers:
        judges = layer_types()[layer.type].judges if layer.type in layer_types() else ""
        tops = [shown_blob(top) for top in layer.tops]
        if judges == "detections":
            made.update((top, PrecisionScore(version)) for top in tops)
        elif judges == "overlaps":
            made.update((top, OverlapScore()) for top in tops)
        elif judges == "pixels":
            (counts,) = (name for name, v in program.variables.items() if v.owner == layer.key)
            made.update((top, PixelScore(_reader(store, counts))) for top in tops)
    return made


def _reader(store: Store, variable: str) -> Callable[[], np.ndarray]:
    return lambda: np.array(store.data[variable].array)


def _judges(layer: Message) -> str:
    types = layer_types()
    return types[layer.type].judges if layer.type in types else ""
