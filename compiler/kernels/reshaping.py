"""Elements of a tensor that is seen in another shape."""

from __future__ import annotations

from collections.abc import Sequence

from .emitter import Access, Emitter
from .index import ZERO, Affine, linearize
from .monomial import ONE, Monomial, product


def reshaped(
    emitter: Emitter, at: Access, result: tuple[int, ...], shape: tuple[int, ...]
) -> Access:
    """The access to a tensor of ``shape`` that is asked for an element as if it were ``result``."""
    coordinates: list[Affine] = [ZERO] * len(shape)
    extents: list[Monomial] = [ONE] * len(shape)
    for left, right in _groups(result, shape):
        if len(left) == 1 and len(right) == 1:
            i, j = left[0], right[0]
            coordinates[j], extents[j] = at.coordinates[i], at.extents[i]
            continue
        inner_coordinates = [at.coordinates[i] for i in left]
        inner_extents = [at.extents[i] for i in left]
        parts = _divided(emitter, product(inner_extents), [shape[i] for i in right])
        split = emitter.split(linearize(inner_coordinates, inner_extents), parts)
        for i, index, extent in zip(right, split, parts, strict=True):
            coordinates[i], extents[i] = index, extent
    return Access(tuple(coordinates), tuple(extents), at.guard)


def _divided(emitter: Emitter, total: Monomial, shape: Sequence[int]) -> tuple[Monomial, ...]:
    """Extents for axes whose product is ``total``: one of them follows from the others."""
    if len(shape) == 1:
        return (total,)
    sizes = [emitter.builder.extent(d) for d in shape]
    if product(sizes) == total:
        return tuple(sizes)
    follows = next((i for i, s in enumerate(sizes) if s.constant is None), 0)
    rest = product(s for i, s in enumerate(sizes) if i != follows)
    sizes[follows] = total / rest
    return tuple(sizes)


def _groups(a: Sequence[int], b: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Shortest runs of axes of two shapes of one size that hold the same elements; axes of extent
    1 may be in none.

    So may the last axes of one shape that are left when the other's are used up: their extents
    are 1 at all sizes that are planned for, though only a product of them may be known to be.
    """
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            groups.append(([i], [j]))
            i, j = i + 1, j + 1
        elif a[i] == 1:
            i += 1
        elif b[j] == 1:
            j += 1
        else:
            left, right = [i], [j]
            p, q = a[i], b[j]
            i, j = i + 1, j + 1
            while p != q and (i < len(a) or j < len(b)):
                if j == len(b) or (i < len(a) and p < q):
                    left.append(i)
                    p, i = p * a[i], i + 1
                else:
                    right.append(j)
                    q, j = q * b[j], j + 1
            groups.append((left, right))
    return groups
