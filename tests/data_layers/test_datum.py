"""Datum records against protobuf's own parser, and against damaged bytes."""

from __future__ import annotations

import lmdb
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from recorded_cases import DATA

from roastery.wire.encoding import WireError
from runtime.data.datum import Datum, parse_datum, serialize_datum


def _datum_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="datum.proto", package="t")
    message = file.message_type.add(name="Datum")
    kinds = {"int": 5, "bytes": 12, "float": 2, "bool": 8}
    for number, name, kind in (
        (1, "channels", "int"),
        (2, "height", "int"),
        (3, "width", "int"),
        (4, "data", "bytes"),
        (5, "label", "int"),
        (6, "float_data", "float"),
        (7, "encoded", "bool"),
    ):
        message.field.add(
            name=name, number=number, type=kinds[kind], label=3 if name == "float_data" else 1
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Datum"))


ProtobufDatum = _datum_class()
NUMBERS = st.integers(-(2**31), 2**31 - 1)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=20)


@given(
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.binary(max_size=300),
    NUMBERS,
    FLOATS,
    st.sampled_from([None, False, True]),
)
def test_agrees_with_protobuf(
    channels: int,
    height: int,
    width: int,
    data: bytes,
    label: int,
    floats: list[float],
    encoded: bool | None,
) -> None:
    theirs = ProtobufDatum(
        channels=channels, height=height, width=width, data=data, label=label, float_data=floats
    )
    if encoded is not None:
        theirs.encoded = encoded
    ours = parse_datum(theirs.SerializeToString())
    assert (ours.channels, ours.height, ours.width, bytes(ours.data), ours.label) == (
        channels,
        height,
        width,
        data,
        label,
    )
    assert ours.encoded == encoded
    assert ([] if ours.float_data is None else ours.float_data.tolist()) == floats
    back = ProtobufDatum.FromString(serialize_datum(ours))
    assert back.label == label and list(back.float_data) == floats and back.data == data
    if not encoded:
        assert back.width == width


@pytest.mark.parametrize("name", ["lmdb_raw", "lmdb_png", "lmdb_gray", "lmdb_files"])
def test_writes_the_bytes_that_caffe_wrote(name: str) -> None:
    with lmdb.open(str(DATA / "databases" / name), readonly=True, lock=False) as environment:
        with environment.begin() as transaction:
            for _, value in transaction.cursor():
                assert serialize_datum(parse_datum(value)) == value


@given(st.binary(max_size=80))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    try:
        datum = parse_datum(data)
        datum.array()
    except WireError:
        pass


def test_an_overlong_float_tag_does_not_hang() -> None:
    with pytest.raises(WireError):
        parse_datum(b"\xb5\x00" + b"\0" * 8)


def test_packed_floats_are_read() -> None:
    values = np.arange(6, dtype="<f4")
    record = b"\x08\x01\x10\x02\x18\x03\x32\x18" + values.tobytes()
    np.testing.assert_array_equal(parse_datum(record).array(), values.reshape(1, 2, 3))


@pytest.mark.parametrize(
    ("datum", "message"),
    [
        (Datum(1, 2, 3, b"12345"), "1x2x3 values and holds 5"),
        (Datum(1, 2, 3), "holds 0"),
        (Datum(0, 2, 3, b""), "0x2x3"),
        (Datum(-1, -1, 5, b"12345"), "-1x-1x5"),
        (Datum(3, 65536, 65536, b"123"), "holds 3"),
        (Datum(data=b"png", encoded=True), "decode it first"),
    ],
)
def test_sizes_that_do_not_fit(datum: Datum, message: str) -> None:
    with pytest.raises(WireError, match=message):
        datum.array()
