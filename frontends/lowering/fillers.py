"""FillerParameter -> FillerSpec."""

from __future__ import annotations

from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.program import FillerSpec

KINDS = (
    "constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear", "gabor",
)  # fmt: skip
"""Caffe's, and Intel's "gabor"."""


def filler_spec(message: Message) -> FillerSpec:
    """Raises RoasteryError for an unknown kind, naming the known ones."""
    kind = message.type
    place = message.location_of("type")
    if kind not in KINDS:
        raise RoasteryError(
            f"unknown filler {kind!r}", location=place, hint=f"known fillers: {', '.join(KINDS)}"
        )
    if message.has("sparse") and kind != "gaussian":
        raise RoasteryError(
            f"`sparse` is for gaussian fillers, this one is {kind!r}",
            location=message.location_of("sparse"),
        )
    return FillerSpec(
        kind=kind,
        value=message.value,
        min=message.min,
        max=message.max,
        mean=message.mean,
        std=message.std,
        sparse=message.sparse,
        variance_norm=message.variance_norm,
        location=place,
    )
