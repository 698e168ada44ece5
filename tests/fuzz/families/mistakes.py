"""Readers that fail on purpose: what tells failures apart is tested with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError

from ..inputs import Sample, one_file
from ..targets import Target

ACTS = ("refuse", "raise", "claim", "take", "abort", "write", "spin", "read")
"""What the samples ask for, the first as number -1."""


def _act(path: Path) -> object:
    what = path.read_text()
    if what == "refuse":
        raise RoasteryError("no")
    if what == "raise":
        raise LookupError("a mistake")
    if what == "claim":
        return np.empty(1 << 34, np.uint8)
    if what == "take":
        return np.ones(100 << 20, np.uint8).sum()
    if what == "abort":
        os.abort()
    if what == "write":
        path.write_text("read")
    while what == "spin":
        pass
    return None


def _acts(room: Path) -> list[Sample]:
    return [one_file("what", act) for act in ACTS]


def _careless(room: Path) -> list[Sample]:
    return [one_file("file", bytes(range(256)))]


SELF_TESTS = (
    Target("self-test", _acts, _act, "text"),
    Target("careless self-test", _careless, Path.read_bytes, "bytes", sealed=True),
)
