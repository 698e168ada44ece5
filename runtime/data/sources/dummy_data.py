"""DummyData: values of fillers. Caffe: src/caffe/layers/dummy_data_layer.cpp."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import OpenOptions, SourceConfig
from ..draws import FILL
from ..planned import Allocate, PlannedSource
from ..room import check_record
from ..source import Position, Shape


@dataclass(frozen=True, kw_only=True)
class DummyFiller:
    """Fills one top: ``fill(shape, seed)`` gives its values for one forward pass.

    ``constant`` fillers run once, the others before every forward pass with a new seed.
    """

    fill: Callable[[tuple[int, ...], int], np.ndarray]
    constant: bool = False


@dataclass(frozen=True, kw_only=True)
class DummyDataConfig(SourceConfig):
    """DummyData: filler values. Either ``shape`` or the four legacy lists."""

    kind = "DummyData"

    shape: tuple[tuple[int, ...], ...] = ()
    num: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    height: tuple[int, ...] = ()
    width: tuple[int, ...] = ()
    data_filler: tuple[DummyFiller, ...] = ()

    def open(self, options: OpenOptions) -> DummySource:
        return DummySource(self, options)


class DummySource(PlannedSource[int]):
    """Constant fillers run once, the others before every forward pass.

    The seed given to a filler depends on the top and the pass alone, so a resumed run
    sees the same values. Passes of all ranks are counted: each rank has its own values.
    """

    reads_ahead = False

    def __init__(self, config: DummyDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        tops = len(config.tops)
        if not tops:
            raise self.error("DummyData has no top", field="top")
        if len(config.data_filler) not in (0, 1, tops):
            raise self.error(
                f"{len(config.data_filler)} data_filler given for {tops} tops",
                f"give none (zeros), one for all, or {tops}",
                field="data_filler",
            )
        self._shapes = self._top_shapes()
        fields = "num, channels, height and width" if config.num else "shape"
        for top, shape in zip(config.tops, self._shapes, strict=True):
            check_record(config, f"{fields} of top '{top}'", shape, fields.partition(",")[0])
        fillers = config.data_filler or (DummyFiller(fill=_zeros, constant=True),)
        self._fillers = fillers if len(fillers) == tops else fillers * tops
        self._kept: dict[int, np.ndarray] = {}
        self._pass = 0

    def constants(self) -> dict[str, np.ndarray]:
        """The tops that are filled once, with their values, which are not to be written to."""
        return {
            name: self._fill(top, 0)
            for top, name in enumerate(self.tops)
            if self._fillers[top].constant
        }

    def reshape(self, shapes: Sequence[Shape]) -> None:
        """Fill tops of other shapes from now on. Values of constant fillers stay as they are."""
        self._shapes = list(shapes)

    def plan_work(self) -> int:
        numbers = self.share.numbers(self._pass, 1)
        self._pass = numbers.stop
        return numbers.start

    def next_shapes(self) -> list[Shape]:
        return list(self._shapes)

    def load(self, work: int, allocate: Allocate) -> list[np.ndarray]:
        return [self._fill(top, work) for top in range(len(self._shapes))]

    def place_now(self) -> Position:
        return {"pass": self._pass}

    def move_to(self, position: Mapping[str, Any]) -> None:
        self._pass = self.saved_number(position, "pass")

    def close(self) -> None:
        self._kept = {}

    def _fill(self, top: int, number: int) -> np.ndarray:
        filler = self._fillers[top]
        if filler.constant and top in self._kept:
            return self._kept[top]
        seed = self.draws.word(FILL, 0 if filler.constant else number, top)
        values = np.ascontiguousarray(filler.fill(self._shapes[top], seed), np.float32)
        if filler.constant:
            self._kept[top] = values
        return values

    def _top_shapes(self) -> list[Shape]:
        config, tops = self.config, len(self.tops)
        legacy = {
            "num": config.num,
            "channels": config.channels,
            "height": config.height,
            "width": config.width,
        }
        if any(legacy.values()):
            if config.shape:
                raise self.error(
                    "both shape and the fields num, channels, height, width are given",
                    "keep shape",
                    field="shape",
                )
            for name, values in legacy.items():
                self._check_count(name, len(values))
            return [
                tuple(values[top if len(values) > 1 else 0] for values in legacy.values())
                for top in range(tops)
            ]
        self._check_count("shape", len(config.shape))
        for shape in config.shape:
            if any(size < 0 for size in shape):
                raise self.error(f"shape {shape} has a negative size", field="shape")
        return [config.shape[top if len(config.shape) > 1 else 0] for top in range(tops)]

    def _check_count(self, name: str, count: int) -> None:
        tops = len(self.tops)
        if count not in (1, tops):
            raise self.error(
                f"{count} {name} given for {tops} tops",
                f"give one {name} for all, or {tops}" if tops > 1 else f"give one {name}",
                field=name,
            )


def _zeros(shape: Shape, seed: int) -> np.ndarray:
    return np.zeros(shape, np.float32)
