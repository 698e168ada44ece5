"""Where patches of images are, and what becomes of them."""

from __future__ import annotations

from .emitter import Access
from .index import Affine
from .monomial import Monomial


def patch_place(tile: int, number: Affine, step: int, pad: int) -> Affine:
    """Along one axis of an image: an element of the patch of a tile."""
    return number.scaled(Monomial.of(tile)).shifted(Monomial.of(step - pad))


def product_access(product: int, channel: Affine, channels: Monomial, at: Access) -> Access:
    """Of images of products, that of a channel in some tile: ``at`` says which image and tile."""
    place = channel.shifted(channels * Monomial.of(product)) if product else channel
    return at.moved(1, place, at.extents[1])
