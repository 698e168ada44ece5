"""Numbers of bytes, as people write them."""

from __future__ import annotations

import pytest

from ir.byte_size import byte_size, parse_byte_size


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("123456", 123456),
        ("3.5GiB", 3758096384),
        ("3.5 GB", 3500000000),
        ("3500M", 3500 << 20),
        ("4g", 4 << 30),
        (" 2 kb ", 2000),
        ("1TIB", 1 << 40),
        ("5 bytes", 5),
    ],
)
def test_what_is_understood(text: str, count: int) -> None:
    assert parse_byte_size(text) == count


@pytest.mark.parametrize(
    "text", ["", "0", "0.1", "-1", "x", "1e9", "nan", "inf", "1 GiBs", "9" * 21, "99999999999T"]
)
def test_what_is_not(text: str) -> None:
    assert parse_byte_size(text) is None


def test_what_is_written_is_understood() -> None:
    for count in (1, 1000, 1 << 20, 5 << 30):
        assert parse_byte_size(byte_size(count)) == pytest.approx(count, rel=1e-3)
