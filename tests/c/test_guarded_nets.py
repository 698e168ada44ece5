"""Nets whose every buffer stands alone between pages that nobody may touch, and holds NaN first.

Whatever is read before it is written shows in results; whatever reads or writes around a buffer
ends the process.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.plan.arena import aligned
from runtime.backends.host_graph import HostGraph
from runtime.memory.buffers import Buffer, Memory
from tests.support import golden
from tests.support.c_kernels import needs_compiler
from tests.support.guarded_memory import guarded

QUICK = 10  # one of so many is run by `make test`


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory(self: HostGraph, number: int) -> np.ndarray:
        place = self._placement[number]
        if isinstance(place, Buffer):
            return place.flat.view(np.uint8)
        own = self.__dict__.setdefault("_own", {})
        if number not in own:
            nbytes = aligned(self.plan.buffers[number].type.nbytes)
            own[number] = guarded(np.full(nbytes, 0xFF, np.uint8))
        return own[number]

    make = Memory.__init__

    def block(self: Memory, nbytes: int) -> None:
        make(self, 0)
        if nbytes:
            self.raw = guarded(np.zeros(nbytes, np.uint8))

    monkeypatch.setattr(HostGraph, "memory", memory)
    monkeypatch.setattr(Memory, "__init__", block)


def paths() -> list[object]:
    rest = pytest.mark.exhaustive
    return [
        pytest.param(path, id=path.stem, marks=[rest] if i % QUICK else [])
        for i, path in enumerate(golden.LAYERS)
    ]


@needs_compiler
@pytest.mark.parametrize("path", paths())
def test_recorded(path: Path) -> None:
    errors = golden.fused_errors(path, "cpu")
    assert errors
    assert {key: error for key, error in errors.items() if not error <= 2e-5} == {}
