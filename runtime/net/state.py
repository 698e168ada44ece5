"""What a net carries from pass to pass besides parameters: written variables, random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ir.graph import Role
from ir.program import RANDOM_STATE, NetProgram

from ..memory.store import Store


class PassState:
    """The variables that a forward pass writes, and the number of the pass, which random layers
    read.

    Backward must see the number that its forward saw: it moves when the next pass begins.
    """

    def __init__(self, program: NetProgram, store: Store) -> None:
        self._store = store
        outputs = program.graph.outputs
        self._written = [p.name for p in outputs if p.role is Role.STATE and p.name != RANDOM_STATE]
        self._random = store.data[RANDOM_STATE] if RANDOM_STATE in program.variables else None
        self._fresh = True  # the number is that of the next pass

    def begin_pass(self) -> None:
        if self._random is not None:
            if not self._fresh:
                self._random.put(self._random.peek() + np.array([0, 1], np.uint32))
            self._fresh = False

    def random(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        if self._random is None:
            return []
        seed, count = (int(v) for v in self._random.peek())
        return [seed, count if self._fresh else count + 1]

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random`."""
        if self._random is not None and len(state) == 2:
            self._random.array[:] = state
            self._fresh = True

    def held(self) -> dict[str, np.ndarray]:
        """Copies of what the next pass reads, by variable."""
        written = {name: self._store.data[name].peek().copy() for name in self._written}
        return {**written, RANDOM_STATE: np.array(self.random(), np.uint32)}

    def put(self, state: Mapping[str, np.ndarray]) -> None:
        """Inverse of :meth:`held`, for what has the sizes of now."""
        for name, array in state.items():
            if name == RANDOM_STATE:
                self.restore_random([int(v) for v in array])
            elif self._store.data[name].type.shape == array.shape:
                self._store.data[name].array[...] = array
