"""``random``: a seed gives the choices that it gave."""

from __future__ import annotations

import math
import random
from types import ModuleType
from typing import Any


class _Choices:
    """What Python 2 made of numbers from 0 to 1, which are the same today."""

    def random(self) -> float:
        raise NotImplementedError

    def _below(self, count: Any) -> int:
        return int(self.random() * count)

    def randrange(self, start: Any, stop: Any = None, step: Any = 1) -> int:
        first, last, step = int(start), stop, int(step)
        if last is None:
            first, last = 0, first
        count = len(range(first, int(last), step))
        if not count:
            raise ValueError(f"empty range for randrange() ({first},{last}, {int(last) - first})")
        return first + step * self._below(count)

    def randint(self, a: Any, b: Any) -> int:
        return self.randrange(a, b + 1)

    def choice(self, seq: Any) -> Any:
        return seq[self._below(len(seq))]

    def shuffle(self, x: Any, random: Any = None) -> None:
        draw = random or self.random
        for i in range(len(x) - 1, 0, -1):
            j = int(draw() * (i + 1))
            x[i], x[j] = x[j], x[i]

    def sample(self, population: Any, k: int, **words: Any) -> list[Any]:
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError("sample larger than population")
        few = 21 if k <= 5 else 21 + 4 ** math.ceil(math.log(k * 3, 4))
        if n <= few or hasattr(population, "keys"):
            pool = list(population)
            found = []
            for i in range(k):
                j = self._below(n - i)
                found.append(pool[j])
                pool[j] = pool[n - i - 1]
            return found
        if not hasattr(population, "__getitem__"):
            population = tuple(population)
        places: dict[int, None] = {}
        while len(places) < k:
            places[self._below(n)] = None
        return [population[at] for at in places]

    def jumpahead(self, n: int) -> None:
        """Only asked for to make sequences differ."""
        for _ in range(n % 1000):
            self.random()


class _Shared(_Choices):
    """Those of the module: the numbers are those that libraries draw from, too."""

    def random(self) -> float:
        return random.random()


def _seed(function: Any) -> Any:
    def seed(*args: Any) -> None:
        (value,) = (*args, None)[:1]
        if value is not None and not isinstance(value, int | float | str | bytes):
            value = hash(value)
        function(value, 2 if value is None or isinstance(value, int) else 1)

    return seed


class Random(_Choices, random.Random):
    """A generator of its own."""

    def random(self) -> float:
        return random.Random.random(self)

    def seed(self, *args: Any) -> None:
        _seed(super().seed)(*args)


def choice_names(real: ModuleType) -> dict[str, Any]:
    shared = _Shared()
    names = ("choice", "jumpahead", "randint", "randrange", "sample", "shuffle")
    found = {name: getattr(shared, name) for name in names}
    return found | {"Random": Random, "seed": _seed(random.seed)}
