"""Numbers as a C++ ``ostream`` prints them: six significant digits, no trailing zeros."""

from __future__ import annotations

import numpy as np

#: A Python or numpy number.
LoggedNumber = int | float | np.integer | np.floating


def format_number(value: LoggedNumber) -> str:
    """Print ``value`` as Caffe's ``LOG(INFO) << value`` does.

    Integers are printed in full, everything else like C's ``%g``: ``0.1``, ``1e-07``, ``nan``.
    """
    if isinstance(value, int | np.integer):
        return str(int(value))
    return f"{float(value):g}"


def as_float32(value: LoggedNumber) -> float:
    """``value`` rounded to float32, the type in which Caffe computes what it prints."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))
