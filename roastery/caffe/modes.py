"""The process-wide settings of pycaffe: device, seed, phases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ..devices import choose_device

TRAIN, TEST = 0, 1
PHASES = {TRAIN: "TRAIN", TEST: "TEST", "TRAIN": "TRAIN", "TEST": "TEST"}


@dataclass
class _Settings:
    device: str | None = None
    number: int = 0
    seed: int | None = None
    counter: itertools.count[int] = field(default_factory=itertools.count)


_settings = _Settings()


def set_mode_cpu() -> None:
    """Run nets made from now on on the CPU."""
    _settings.device = "cpu"


def set_mode_gpu() -> None:
    """Run nets made from now on on the GPU chosen by :func:`set_device`."""
    _settings.device = f"cuda:{_settings.number}"


def set_device(number: int) -> None:
    """Choose the GPU by number."""
    _settings.number = int(number)
    if _settings.device and _settings.device.startswith("cuda"):
        set_mode_gpu()


def set_random_seed(seed: int) -> None:
    """Seed of fillers, dropout and data of nets made from now on."""
    _settings.seed = int(seed)
    _settings.counter = itertools.count()


def device() -> str:
    """Canonical name of the device for a new net."""
    return choose_device(default=_settings.device)


def next_seed() -> int:
    """A seed for the next net: from :func:`set_random_seed`, else unpredictable."""
    if _settings.seed is None:
        import secrets

        return secrets.randbits(31)
    return (_settings.seed + next(_settings.counter) * 1_000_003) & 0x7FFFFFFF
