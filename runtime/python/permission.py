"""Whether nets may import modules that lie beside them, for their Python layers.

First of: what the caller says (``--python-layers``, ``allow_python=``); ROASTERY_PYTHON_LAYERS;
inside of ``roastery python`` yes; else what the interface stands for: yes in pycaffe's, which is
called by a user's own script, no in commands and in ``roastery.compile`` and the like.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ir.errors import RoasteryError

VARIABLE = "ROASTERY_PYTHON_LAYERS"

_WORDS = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False, "false": False, "no": False, "off": False
}  # fmt: skip

_in_script = False


def python_allowed(explicit: bool | None = None, *, default: bool = False) -> bool:
    """Whether Python layers may import what is neither installed nor on PYTHONPATH.

    Raises RoasteryError where ROASTERY_PYTHON_LAYERS is neither 1 nor 0.
    """
    if explicit is not None:
        return explicit
    said = os.environ.get(VARIABLE, "").strip().lower()
    if not said:
        return default or _in_script
    if said not in _WORDS:
        raise RoasteryError(f"{VARIABLE}={said}: must be 1 or 0")
    return _WORDS[said]


@contextmanager
def inside_script() -> Iterator[None]:
    """What runs in the block is the user's own program: its nets may import what it could."""
    global _in_script
    before, _in_script = _in_script, True
    try:
        yield
    finally:
        _in_script = before
