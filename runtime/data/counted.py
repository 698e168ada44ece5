"""Sources that stand where a count says: how many records were planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .config import OpenOptions, SourceConfig
from .epochs import drawn_skip
from .notes import NoteKind
from .planned import PlannedSource, Work
from .source import Position


class CountedSource(PlannedSource[Work]):
    """Batches of one size. What a record is, and which comes next, is the subclass's."""

    def __init__(self, config: SourceConfig, options: OpenOptions, batch_size: int) -> None:
        super().__init__(config, options)
        self.batch_size = batch_size
        self._number = 0

    def next_numbers(self) -> range:
        """The numbers of the next batch's records, counted over all epochs; its ``stop`` is where
        the batch behind it begins."""
        return self.share.numbers(self._number, self.batch_size)

    def pass_work(self) -> None:
        self._number = self.next_numbers().stop

    def go_to(self, number: int) -> None:
        """The next batch begins with the record of this number."""
        self._number = number

    def skip(self, rand_skip: int, count: int, said: NoteKind | None) -> None:
        """Pass over as many of the first ``count`` records as ``rand_skip`` lets chance decide."""
        if not rand_skip:
            return
        skip = drawn_skip(self.draws, rand_skip)
        if said is not None:
            self.notes(said(count=skip))
        if skip >= count:
            raise self.error(
                f"rand_skip drew {skip}, but the list has {count} images",
                f"set rand_skip to at most {count}",
                field="rand_skip",
            )
        self.go_to(skip)

    def place_now(self) -> Position:
        return {"record": self._number}

    def move_to(self, position: Mapping[str, Any]) -> None:
        self.go_to(self.saved_number(position, "record"))

    def close(self) -> None:
        """Nothing stays open between batches, unless a subclass says so."""
