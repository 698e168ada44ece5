"""A graph of groups that stays free of cycles while groups merge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


class Dag:
    """Groups of numbered vertices, each group at first one vertex.

    ``ancestors`` is a bit matrix: row g holds the vertices of all groups that g depends on.
    A merge costs a pass over a few columns: microseconds for thousands of nodes.
    """

    def __init__(self, preds: Sequence[Iterable[int]]) -> None:
        """``preds[i]``: vertices that vertex i depends on, all smaller than i."""
        count = len(preds)
        self.root = list(range(count))
        self.members: dict[int, list[int]] = {i: [i] for i in range(count)}
        self.preds: dict[int, set[int]] = {i: set(p) for i, p in enumerate(preds)}
        self._ancestors = np.zeros((count, count // 64 + 1), np.uint64)
        for i, before in enumerate(preds):
            row = self._ancestors[i]
            for p in before:
                row |= self._ancestors[p]
                row[p >> 6] |= np.uint64(1 << (p & 63))

    def find(self, vertex: int) -> int:
        """The group of a vertex."""
        path = vertex
        while self.root[path] != path:
            path = self.root[path]
        while self.root[vertex] != path:
            self.root[vertex], vertex = path, self.root[vertex]
        return path

    def can_merge(self, a: int, b: int) -> bool:
        """Whether no path leads from one group to the other through a third."""
        if a == b:
            return True
        both = self._mask([*self.members[a], *self.members[b]])
        between = {self.find(p) for p in self.preds[a] | self.preds[b]} - {a, b}
        if not between:
            return True
        rows = self._ancestors[list(between)]
        return not bool((rows & both).any())

    def merge(self, a: int, b: int) -> int:
        """Make one group of two; returns it. The caller has asked :meth:`can_merge`."""
        if a == b:
            return a
        members = sorted([*self.members[a], *self.members.pop(b)])
        self.root[b] = a
        self.members[a] = members
        self.preds[a] |= self.preds.pop(b)
        self.preds[a].difference_update(members)
        inside = self._mask(members)
        row = (self._ancestors[a] | self._ancestors[b]) & ~inside
        below = np.zeros(len(self.root), bool)
        for m in members:
            below |= (self._ancestors[:, m >> 6] & np.uint64(1 << (m & 63))) != 0
        below[members] = False
        self._ancestors[below] |= row | inside
        self._ancestors[a] = row
        return a

    def _mask(self, vertices: Iterable[int]) -> np.ndarray:
        mask = np.zeros(self._ancestors.shape[1], np.uint64)
        for v in vertices:
            mask[v >> 6] |= np.uint64(1 << (v & 63))
        return mask
