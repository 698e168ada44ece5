"""pycaffe of 2014: a net's phase and device were set by its methods."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


def _nothing(*args: Any) -> None:
    """A net's phase is given when it is made."""


def mend_net(module: ModuleType, offer: Offer) -> None:
    from roastery.caffe import modes

    offer.add(
        module.Net,
        set_device=staticmethod(modes.set_device),
        set_mode_cpu=staticmethod(modes.set_mode_cpu),
        set_mode_gpu=staticmethod(modes.set_mode_gpu),
        set_phase_test=_nothing,
    )


def mend_caffe(module: ModuleType, offer: Offer) -> None:
    offer.add(module, set_phase_test=_nothing)
