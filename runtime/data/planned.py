"""Sources in two steps: plan a batch in order, then load it on any thread.

Planning moves the source on: which records, which random choices. Loading reads,
decodes and transforms them, and touches nothing that another thread changes. So
batches may be loaded side by side and are the same whoever loads them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ir.errors import RoasteryError

from .config import OpenOptions, SourceConfig
from .draws import Draws
from .share import ALL
from .source import Batch, Position, Shape
from .turns import Turns

Allocate = Callable[[Shape], np.ndarray]
"""Gives an uninitialised float32 array, for example in pinned memory."""

Work = TypeVar("Work")

_MOST_RECORDS = 1 << 62


def new_array(shape: Shape) -> np.ndarray:
    """The ordinary allocator: numpy's."""
    return np.empty(shape, np.float32)


@dataclass(frozen=True, slots=True)
class BatchPlan(Generic[Work]):
    """One batch to load, and where the source stands after it."""

    work: Work
    position: Position


class PlannedSource(ABC, Generic[Work]):
    """A `DataSource` made of `plan_work` and `load`."""

    reads_ahead: bool = True
    """Whether a `Prefetcher` may plan and load batches before they are asked for."""

    def __init__(self, config: SourceConfig, options: OpenOptions) -> None:
        self.layer_config = config
        self.notes = options.notes
        self.share = options.share if config.can_take_turns else ALL
        self._turns = Turns(self.share)
        self._stood: Position | None = None
        self.draws = Draws(options.seed, config.key or config.layer)

    @property
    def kind(self) -> str:
        """The layer type; stored in positions, so that they are not mixed up."""
        return self.layer_config.kind

    @property
    def tops(self) -> tuple[str, ...]:
        return self.layer_config.tops

    @abstractmethod
    def plan_work(self) -> Work:
        """Choose the records of the next batch and move on. Called in order, never at once."""

    def pass_work(self) -> None:
        """Move on over a batch that is another rank's."""
        self.plan_work()

    @abstractmethod
    def next_shapes(self) -> list[Shape]:
        """Top shapes of the batch that is planned next, at the cost of its first record."""

    @abstractmethod
    def load(self, work: Work, allocate: Allocate) -> list[np.ndarray]:
        """Read, decode and transform a planned batch. Called on any thread."""

    @abstractmethod
    def place_now(self) -> Position:
        """Where planning stands, without ``kind``."""

    @abstractmethod
    def move_to(self, position: Mapping[str, Any]) -> None:
        """Let planning continue from what `place_now` gave."""

    @abstractmethod
    def close(self) -> None:
        """Give back files and locks."""

    def plan(self) -> BatchPlan[Work]:
        """This rank's next batch, to be loaded later."""
        self._reach_own()
        work = self.plan_work()
        for _ in range(self._turns.after()):
            self.pass_work()
        self._stood = None
        return BatchPlan(work, self._here())

    def _reach_own(self) -> None:
        """Pass over batches of other ranks that come before the next own one. The position stays
        the one that was told with the batch before."""
        if others := self._turns.before():
            self._stood = self._here()
            for _ in range(others):
                self.pass_work()

    def _here(self) -> Position:
        return {"kind": self.kind, **self.place_now()}

    def shapes(self) -> list[Shape]:
        if not self.share.is_idle:
            self._reach_own()
        return self.next_shapes()

    def next(self) -> Batch:
        plan = self.plan()
        arrays = self.load(plan.work, new_array)
        return Batch(arrays, plan.position)

    def position(self) -> Position:
        return self._here() if self._stood is None else dict(self._stood)

    def restore(self, position: Mapping[str, Any]) -> None:
        if position.get("kind") != self.kind:
            raise self.error(
                f"the saved data position belongs to a {position.get('kind')!s:.80} layer, "
                f"this is a {self.kind} layer"
            )
        self.move_to(position)
        self._turns = Turns(self.share)
        self._stood = None

    def saved_number(self, position: Mapping[str, Any], name: str) -> int:
        """A count from a saved position, checked."""
        value = position.get(name)
        if type(value) is not int or not 0 <= value < _MOST_RECORDS:
            raise self.error(
                f"the saved data position has {name} = {value!r:.80}; "
                "a whole number from 0 was expected"
            )
        return value

    def error(self, message: str, hint: str | None = None, field: str = "") -> RoasteryError:
        """An error at this layer, or at one of its settings: see `SourceConfig.at`."""
        return self.layer_config.error(message, field, hint)

    def check_batch_size(self, value: int, parameter: str) -> None:
        """A batch of 0 records is refused; Caffe crashes on some of them."""
        if value < 1:
            raise self.error(
                f"batch_size is {value}",
                hint=f"set {parameter} {{ batch_size: N }} "
                "to how many records one forward pass takes, at least 1",
                field="batch_size",
            )

    def check_top_count(self, allowed: tuple[int, ...]) -> None:
        """Refuse a layer with more or fewer tops than it can fill."""
        if len(self.tops) not in allowed:
            wanted = " or ".join(str(count) for count in allowed)
            raise self.error(
                f"{self.kind} has {len(self.tops)} tops, {wanted} expected", field="top"
            )
