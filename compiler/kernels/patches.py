"""Where patches of images are, and what becomes of them."""

from __future__ import annotations

from .emitter import Access
from .index import Affine
from .monomial import Monomial


def patch_place(tile: int, number: Affine, step: int, pad: int) -> Affine:
    """Along one axis of an image: an element of the patch of a tile."""
    return number.scaled(Monomial.of(tile)).shifted(Monomial.of(step - pad))


def product_access(product: int, channels: Monomial, at: Access, axis: int = 1) -> Access:
    """Of products, that of a channel in some tile: ``at`` says the channel, image and tile."""
    place = at.coordinates[axis]
    if product:
        place = place.shifted(channels * Monomial.of(product))
    return at.moved(axis, place, at.extents[axis])
