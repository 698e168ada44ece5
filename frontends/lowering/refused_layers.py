"""Layers of forks that are known, and refused on purpose."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a layer type is refused, and what to do instead."""

    reason: str
    instead: str


REFUSED: dict[str, Refusal] = {
    "DenseCRF": Refusal(
        "inference in a fully connected CRF is no part of a net here",
        "end the net at the scores, and refine them after it",
    ),
    "DomainTransform": Refusal(
        "its recursive filter is not supported",
        "end the net at the scores and the edges, and filter them after it",
    ),
    "DomainTransformForwardOnly": Refusal(
        "its recursive filter is not supported",
        "end the net at the scores and the edges, and filter them after it",
    ),
    "LocalConvolution": Refusal(
        "forks give this name to different layers",
        "a Local layer has weights of its own at every place",
    ),
}
"""By type. hszhao/PSPNet: src/caffe/layers/densecrf_layer.cpp, domain_transform_layer.cpp."""
