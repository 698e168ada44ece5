"""Numbers look as a C++ stream prints them."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.logging import format_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (2.302585093, "2.30259"),
        (1e-7, "1e-07"),
        (2e-07, "2e-07"),
        (123456.0, "123456"),
        (1234567.0, "1.23457e+06"),
        (0.0001, "0.0001"),
        (0.00001234, "1.234e-05"),
        (1e30, "1e+30"),
        (-7.9874e-41, "-7.9874e-41"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (1234567, "1234567"),
        (np.int64(1234567), "1234567"),
        (np.float32(0.01), "0.01"),
        (np.float64(87.33654), "87.3365"),
    ],
)
def test_known_values(value: float, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(width=32, allow_nan=False))
def test_equals_printf(value: float) -> None:
    buffer = ctypes.create_string_buffer(64)
    ctypes.CDLL(None).snprintf(buffer, 64, b"%g", ctypes.c_double(value))
    assert format_number(np.float32(value)) == buffer.value.decode()
