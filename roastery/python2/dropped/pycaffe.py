"""pycaffe of 2014: a net's phase and device were set by its methods."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .registry import Offer


def _nothing(*args: Any) -> None:
    """A net's phase is given when it is made."""


def mend_net(module: ModuleType, offer: Offer) -> None:
    names = ("set_device", "set_mode_cpu", "set_mode_gpu")
    offer.add(module.Net, set_phase_test=_nothing, **{name: _of_caffe(name) for name in names})


def _of_caffe(name: str) -> Any:
    """A method that sets the device for nets made from then on, as caffe's function does."""
    return lambda self, *args: getattr(sys.modules["roastery.caffe"], name)(*args)


def mend_caffe(module: ModuleType, offer: Offer) -> None:
    offer.add(module, set_phase_test=_nothing)
