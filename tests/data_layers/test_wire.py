"""The wire format: any bytes either parse or raise WireError; what is written reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roastery.wire.encoding import (
    WireError,
    bytes_field,
    packed_array,
    packed_varints,
    read_varint,
    signed32,
    signed64,
    varint,
    varint_field,
)
from roastery.wire.reader import WireReader


def fields(data: bytes) -> list[tuple[int, int, int | memoryview]]:
    return [(f.number, f.wire_type, f.value) for f in WireReader(data).fields()]


@given(st.integers(-(2**63), 2**64 - 1))
def test_varints_read_back(value: int) -> None:
    data = varint(value)
    assert read_varint(memoryview(data), 0) == (value % 2**64, len(data))
    if -(2**63) <= value < 2**63:
        assert signed64(value % 2**64) == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_int32_read_back(value: int) -> None:
    assert signed32(read_varint(memoryview(varint(value)), 0)[0]) == value


@given(
    st.lists(
        st.tuples(
            st.integers(1, 2**29 - 1), st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=200))
        )
    )
)
def test_fields_read_back(wanted: list[tuple[int, int | bytes]]) -> None:
    data = b"".join(
        varint_field(number, value) if isinstance(value, int) else bytes_field(number, value)
        for number, value in wanted
    )
    found = [
        (number, value if isinstance(value, int) else bytes(value))
        for number, _, value in fields(data)
    ]
    assert found == wanted


@given(st.binary(max_size=60))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    try:
        for _, _, value in fields(data):
            if not isinstance(value, int):
                packed_varints(value)
    except WireError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",
        b"\x08\xff",
        b"\x0a\x05abc",
        b"\x0d123",
        b"\x09123",
        b"\x0b",
        b"\x0c",
        b"\x0e",
        b"\x00\x01",
        b"\xff" * 11,
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        fields(data)


def test_packed_arrays() -> None:
    assert packed_array(memoryview(b"\0\0\x80?\0\0\0@"), "<f4").tolist() == [1.0, 2.0]
    with pytest.raises(WireError, match="whole number"):
        packed_array(memoryview(b"12345"), "<f4")
