"""How a kernel's readable text says which operands and results are parts of tensors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ir.graph import Graph
from ir.graph_sizes import graph_symbols, named_sizes
from ir.ops.fusion import Fused
from ir.size import parse_shape, size_text, symbol, symbols_of

_TIGHT, _INSIDE = "parts of tensors", "inside of tensors"
_SIZE = re.compile(r"size (\S+) = (\d+)")


def placement(op: Fused) -> Iterator[str]:
    """Lines about them, none where there are none."""
    if op.tight:
        yield f"{_TIGHT}: {', '.join(map(str, op.tight))}"
    if op.inside:
        known = {symbol.key for symbol in graph_symbols(op.body)}
        symbols = {s.key: s for number in op.inside for s in symbols_of(number)}
        yield from (f"size {s.key} = {s.value}" for s in symbols.values() if s.key not in known)
        yield f"{_INSIDE}: {', '.join(map(size_text, op.inside))}"


def read_placement(lines: Sequence[str], body: Graph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What :func:`placement` wrote among others: :attr:`Fused.tight` and :attr:`Fused.inside`.

    Raises ValueError for other text.
    """
    scope, sizes = named_sizes(body)
    found: dict[str, tuple[int, ...]] = {}
    for line in lines:
        if size := _SIZE.fullmatch(line):
            sizes[size[1]] = symbol(scope, size[1], int(size[2]))
        name, _, numbers = line.partition(": ")
        if name in (_TIGHT, _INSIDE):
            found[name] = parse_shape(numbers, sizes)
    return found.get(_TIGHT, ()), found.get(_INSIDE, ())
