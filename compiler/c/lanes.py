"""Vectors of a CPU, and the order of memory that suits them."""

from __future__ import annotations

from dataclasses import replace

from compiler.image_layout import channels_by
from compiler.target import Target
from ir.types import F32


def with_layout(target: Target) -> Target:
    """A CPU that wants the channels of images in the lanes of its vectors."""
    return replace(target, layout=channels_by(lanes_of(target)))


def lanes_of(target: Target) -> int:
    """Elements of a vector."""
    return target.vector // F32.itemsize
