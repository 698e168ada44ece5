"""Damaged and hostile files are refused quickly and with a reason, never with a crash."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frontends.caffemodel import read_blob, read_net_and_weights, read_state, read_weights
from ir.errors import RoasteryError
from roastery.wire.encoding import bytes_field, varint, varint_field

RECORDS = Path(__file__).parents[1] / "data" / "caffemodel"
WEIGHTS = (RECORDS / "sgd_iter_5.caffemodel").read_bytes()
STATE = (RECORDS / "sgd_iter_5.solverstate").read_bytes()
READERS = (read_weights, read_net_and_weights, read_state, read_blob)


def read_all(path):
    for reader in READERS:
        try:
            reader(path)
        except RoasteryError as error:
            assert path.name in str(error)


def layer_with(blob):
    return bytes_field(1, b"net") + bytes_field(100, bytes_field(1, b"l") + bytes_field(7, blob))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "not a weights file"),
        (b"\x80" * 40, "not a weights file"),
        (bytes_field(1, b"n\0") + b"\xa2\x06" + varint(2**62) + b"\0", "truncated"),
        (bytes_field(1, b"n\0") + b"\x80\x80", "truncated"),
        (b"\x00" * 100, "no field number 0"),
        (bytes_field(1, b"n\0") + b"\x0b\x0b\x0b", "no wire type"),
        (layer_with(varint_field(1, 2**62) + bytes_field(5, b"\0" * 4)), "holds 1 values"),
        (layer_with(bytes_field(7, varint_field(1, 2**62)) + bytes_field(5, b"\0" * 8)), "2 val"),
        (layer_with(bytes_field(7, varint_field(1, 2**40))), "holds no values"),
        (layer_with(bytes_field(7, varint_field(1, -1)) + bytes_field(5, b"\0" * 4)), "a shape"),
        (layer_with(varint_field(1, 2**62) + varint_field(3, 2**62)), "is not a shape"),
        (layer_with(bytes_field(7, bytes_field(1, b"\0" + varint(2**62) * 2))), "is not a shape"),
        (layer_with(bytes_field(7, bytes_field(1, b"\1" * 40))), "more than 32 axes"),
        (layer_with(bytes_field(5, b"\0" * 7)), "no whole number of values"),
        (layer_with(varint_field(10, 5) + bytes_field(12, b"\0" * 4)), "unknown type 5"),
    ],
)
def test_crafted_weights(content, message, tmp_path):
    path = tmp_path / "w.caffemodel"
    path.write_bytes(content)
    with pytest.raises(RoasteryError, match=message) as caught:
        read_weights(path)
    assert "w.caffemodel" in str(caught.value)
    read_all(path)


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "file"
    for content, reader in ((WEIGHTS, read_weights), (STATE, read_state)):
        whole = reader_result(reader, path, content)
        for length in range(1, len(content), 37):
            # A cut between two layers leaves a valid, shorter file: nothing can tell.
            result = reader_result(reader, path, content[:length])
            assert result is None or result < whole
    path.write_bytes(WEIGHTS[:2000])
    with pytest.raises(RoasteryError, match="is truncated: near byte"):
        read_weights(path)


def reader_result(reader, path, content):
    path.write_bytes(content)
    try:
        result = reader(path)
    except RoasteryError:
        return None
    return len(result) if isinstance(result, list) else len(result.history)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_random_bytes(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    read_all(path)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([WEIGHTS, STATE]), st.data())
def test_flipped_bytes(tmp_path, content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "file"
    path.write_bytes(damaged)
    read_all(path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_hdf5(tmp_path, data):
    damaged = bytearray((RECORDS / "adam_h5_iter_5.caffemodel.h5").read_bytes())
    for _ in range(3):
        damaged[data.draw(st.integers(8, 4000))] = data.draw(st.integers(0, 255))
    path = tmp_path / "file"
    path.write_bytes(damaged[: data.draw(st.integers(8, len(damaged)))])
    read_all(path)


def test_many_tiny_fields_end(tmp_path):
    path = tmp_path / "w"
    path.write_bytes(bytes_field(1, b"n\0") + b"\x20\x01" * 50_000_000)
    start = time.perf_counter()
    with pytest.raises(RoasteryError, match="more than 400000 fields"):
        read_weights(path)
    assert time.perf_counter() - start < 20


def test_hdf5_cannot_point_elsewhere_or_inflate(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 64)
    linked = tmp_path / "linked.h5"
    with h5py.File(linked, "w") as stored:
        group = stored.create_group("data/l")
        group.create_dataset("0", (16,), "<f4", external=[(str(secret), 0, 64)])
    with pytest.raises(RoasteryError, match="refers to other files"):
        read_weights(linked)
    huge = tmp_path / "huge.h5"
    with h5py.File(huge, "w") as stored:
        stored.create_dataset("data/l/0", (2**40,), "<f4", chunks=(2**20,))
    with pytest.raises(RoasteryError, match="which is more than the file can hold"):
        read_weights(huge)
    circle = tmp_path / "circle.h5"
    with h5py.File(circle, "w") as stored:
        stored["data/l/0"] = np.float32([1])
        stored["data/again"] = h5py.SoftLink("/data")
        stored["data/loop"] = stored["data"]
    assert "l" in [weights.name for weights in read_weights(circle)]
    with h5py.File(circle, "a") as stored:
        stored["data/out"] = h5py.ExternalLink(str(linked), "/data")
    with pytest.raises(RoasteryError, match="'out' is a link to another file"):
        read_weights(circle)
    words = tmp_path / "words.h5"
    with h5py.File(words, "w") as stored:
        stored["data/l/0"] = "text"
    with pytest.raises(RoasteryError, match="holds no numbers"):
        read_weights(words)
