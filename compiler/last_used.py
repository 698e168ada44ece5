"""What was made and may be asked for again, as far as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class LastUsed(Generic[Key, Made]):
    """Those that were used last, by their keys. Iterates over them, the newest last.

    Args:
        most: so many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Key, Made] = OrderedDict()

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[Made]:
        return iter(self._made.values())

    def find(self, key: Key) -> Made | None:
        """What is kept, if it is; which is no use of it."""
        return self._made.get(key)

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """What is kept, or is made now; it is the newest from then on."""
        return self.use(key, self._made[key] if key in self._made else make())

    def use(self, key: Key, made: Made) -> Made:
        """Keep something as the newest."""
        self._made[key] = made
        self._made.move_to_end(key)
        if len(self._made) > self._most:
            self.drop_oldest()
        return made

    def drop_oldest(self) -> None:
        self._made.popitem(last=False)

    def clear(self) -> None:
        self._made.clear()
