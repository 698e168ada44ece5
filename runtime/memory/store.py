"""The parameter store: data and diff of every variable of a net, shared between executables.

Parameters lie one after the other in two flat buffers (data and diff), grouped by
(lr_mult, decay_mult), so that a solver updates each group with one pointwise op.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.program import RANDOM_STATE, Variable
from ir.types import TensorType

from .buffers import Buffer, Memory, padded_size
from .fillers import fill_array, surely_fills


@dataclass(frozen=True)
class Group:
    """A run of the flat buffers whose parameters are updated alike."""

    lr_mult: float
    decay_mult: float
    start: int
    stop: int
    variables: tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """A run of a group whose data lies together, here or in another store.

    ``start`` and ``size`` count elements of the flat diff.
    """

    data: Buffer
    start: int
    size: int


class Store:
    """Buffers by variable name.

    Args:
        variables: a net's variables. Variables of further nets are added by :meth:`extend`.
        seed: for fillers and for the random variable.
        shared: data buffers of another store that stand in for this one's, by variable name. Such
            variables are not filled, and have diffs of their own, as in Caffe.
        given: variables that the caller fills before anything reads them. Memory that nobody
            wrote is not there yet.
        diff_memory: makes zeroed memory of so many bytes, for the flat buffer of diffs.
    """

    def __init__(
        self,
        variables: Mapping[str, Variable],
        seed: int,
        shared: Mapping[str, Buffer] | None = None,
        given: Collection[str] = (),
        diff_memory: Callable[[int], Memory] = Memory,
    ) -> None:
        self.seed = seed
        self.shared = dict(shared or {})
        self.shares = 0  # how often buffers of other stores took the place of this one's
        self.variables: dict[str, Variable] = {}
        self.data: dict[str, Buffer] = {}
        self.diff: dict[str, Buffer] = {}
        self.groups: list[Group] = []
        owned = [c for c in variables.values() if c.index >= 0 and c.name not in self.shared]
        rates = list(dict.fromkeys((c.lr_mult, c.decay_mult) for c in owned))
        size = sum(padded_size(c.type.size) for c in owned)
        self.flat_data = Buffer(TensorType((size,)))
        diffs = TensorType((size,))
        self.flat_diff = Buffer(diffs, diff_memory(padded_size(size) * diffs.dtype.itemsize))
        position = 0
        for lr_mult, decay_mult in rates:
            start = position
            members = [c for c in owned if (c.lr_mult, c.decay_mult) == (lr_mult, decay_mult)]
            for variable in members:
                self.data[variable.name] = self.flat_data.part(position, variable.type)
                self.diff[variable.name] = self.flat_diff.part(position, variable.type)
                position += padded_size(variable.type.size)
            names = tuple(c.name for c in members)
            self.groups.append(Group(lr_mult, decay_mult, start, position, names))
        self._flat = frozenset(self.data)
        self._cleared: tuple[frozenset[str], list[Buffer]] | None = None
        for variable in variables.values():
            self._add(variable, given=variable.name in given)

    def extend(self, variables: Iterable[Variable]) -> None:
        """Add the variables that are missing: a test net's own layers, a net at another shape.

        Hidden state of another shape (a recurrent layer's, for another batch size) starts anew.
        Raises RoasteryError, before anything changes, for a parameter of another shape.
        """
        variables = list(variables)
        for variable in variables:
            have = self.data.get(variable.name)
            if have is not None and have.type != variable.type and variable.index >= 0:
                raise RoasteryError(
                    f"blob {variable.index} of layer '{variable.layer}' has shape "
                    f"{list(have.type.shape)}; at this size of the input it would need "
                    f"{list(variable.type.shape)}",
                    location=variable.location,
                    hint="layers such as InnerProduct take one size of input only",
                )
        for variable in variables:
            if (
                variable.name not in self.variables
                or self.data[variable.name].type != variable.type
            ):
                self.data.pop(variable.name, None)
                self._add(variable)

    def _add(self, variable: Variable, *, given: bool = False) -> None:
        self.variables[variable.name] = variable
        self._cleared = None
        if variable.name in self.shared:
            self.data[variable.name] = self.shared[variable.name]
            self.diff[variable.name] = Buffer(variable.type)
            return
        if variable.name not in self.data:
            self.data[variable.name] = Buffer(variable.type)
            if variable.index >= 0:
                self.diff[variable.name] = Buffer(variable.type)
        if given and surely_fills(variable.filler):
            return
        array = self.data[variable.name].array
        if variable.name == RANDOM_STATE:
            array[0] = self.seed & 0xFFFFFFFF
        else:
            fill_array(variable.filler, array, self.generator(variable.name))

    def share(self, buffers: Mapping[str, Buffer]) -> None:
        """Use data buffers of another store from now on; diffs stay apart. By variable name.

        Graphs that are bound to the old ones must be bound anew. Caffe: Blob::ShareData.
        """
        changed = {n: b for n, b in buffers.items() if self.data[n] is not b}
        if changed:
            self.data.update(changed)
            self.shares += 1

    def generator(self, name: str) -> np.random.Generator:
        """A generator of its own for each variable, so that no order of creation matters."""
        key = np.frombuffer(name.encode("utf-8", "surrogateescape"), np.uint8)
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, *key])))

    def pieces(self, group: Group) -> Iterator[Piece]:
        """A group in runs: all of it, unless :meth:`share` put parameters elsewhere."""
        start = group.start
        for name in group.variables:
            data, at = self.data[name], self.diff[name].start
            if data.memory is self.flat_data.memory:
                continue
            if at > start:
                yield self._own_piece(start, at)
            size = padded_size(data.type.size)
            yield Piece(data, at, size)
            start = at + size
        if group.stop > start:
            yield self._own_piece(start, group.stop)

    def _own_piece(self, start: int, stop: int) -> Piece:
        size = stop - start
        return Piece(self.flat_data.part(start, TensorType((size,))), start, size)

    def clear_diffs(self, but: frozenset[str] = frozenset()) -> None:
        """Zero the diffs of all parameters, but of some that a pass has overwritten."""
        if self._cleared is None or self._cleared[0] != but:
            self._cleared = but, list(self._diffs(but))
        for buffer in self._cleared[1]:
            buffer.clear()

    def _diffs(self, but: frozenset[str]) -> Iterator[Buffer]:
        """All diffs but some; those that lie together are one tensor."""
        start = stop = 0
        for name, diff in self.diff.items():
            if name in but:
                continue
            if name not in self._flat:
                yield diff
            elif diff.start == stop:
                stop += diff.capacity
            else:
                if stop > start:
                    yield self.flat_diff.part(start, TensorType((stop - start,)))
                start, stop = diff.start, diff.start + diff.capacity
        if stop > start:
            yield self.flat_diff.part(start, TensorType((stop - start,)))

    def clear_padding(self) -> None:
        """Zero what lies between the diffs of the flat buffer, where kernels may have written."""
        for name, diff in self.diff.items():
            if name in self._flat:
                diff.clear_padding()
