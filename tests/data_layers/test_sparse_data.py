"""SparseDatum records against protobuf's own parser, damaged ones; the layer that reads them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from ir.errors import RoasteryError
from roastery.wire.encoding import WireError, bytes_field, varint_field
from runtime.data.database_writer import new_database
from runtime.data.opening import open_source
from runtime.data.sources.sparse_data import SparseDataConfig
from runtime.data.sparse_datum import SparseDatum, parse_sparse, serialize_sparse


def _sparse_class(packed: bool) -> type:
    name = f"sparse{packed}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name)
    message = file.message_type.add(name="SparseDatum")
    for number, field, kind in (
        (1, "size", 5),
        (2, "nnz", 5),
        (3, "indices", 5),
        (4, "label", 2),
        (5, "data", 2),
    ):
        many = field in ("indices", "data")
        added = message.field.add(name=field, number=number, type=kind, label=3 if many else 1)
        if many:
            added.options.packed = packed
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{name}.SparseDatum"))


CLASSES = {packed: _sparse_class(packed) for packed in (True, False)}
ELEMENTS = st.lists(
    st.tuples(st.integers(-(2**31), 2**31 - 1), st.floats(width=32, allow_nan=False)), max_size=20
)


@given(elements=ELEMENTS, label=st.floats(width=32, allow_nan=False), packed=st.booleans())
def test_reads_what_protobuf_writes(
    elements: list[tuple[int, float]], label: float, packed: bool
) -> None:
    indices, data = [i for i, _ in elements], [v for _, v in elements]
    size, count = 7, len(elements)
    message = CLASSES[packed](size=size, nnz=count, indices=indices, label=label, data=data)
    found = parse_sparse(message.SerializeToString())
    assert (found.size, found.label, found.indices.tolist()) == (size, label, indices)
    np.testing.assert_array_equal(found.data, np.array(data, np.float32))
    again = CLASSES[True].FromString(serialize_sparse(found))
    assert (again.size, again.nnz, again.label) == (size, count, label)
    assert list(again.indices) == indices and list(again.data) == data


def test_no_more_than_nnz_elements_count() -> None:
    message = CLASSES[True](size=4, nnz=1, indices=[2, 3], data=[5.0, 6.0])
    found = parse_sparse(message.SerializeToString())
    assert found.indices.tolist() == [2] and found.data.tolist() == [5.0]


@pytest.mark.parametrize(
    "record, said",
    [
        (varint_field(2, 0), "it says that it has 0 elements"),
        (CLASSES[True](size=-3).SerializeToString(), "it says that it has -3 elements"),
        (
            CLASSES[True](size=3, nnz=2, indices=[1, 2], data=[1.0]).SerializeToString(),
            "2 elements are not 0, and has 1 of them at 2 places",
        ),
        (CLASSES[True](size=3, nnz=-1).SerializeToString(), "-1 elements are not 0"),
        (varint_field(1, 3) + bytes_field(5, b"12345"), "5 bytes are not a whole number"),
        (
            varint_field(1, 3) + bytes_field(5, b"12345678")[:-1],
            "field 5 needs 8 bytes, 7 are left",
        ),
    ],
)
def test_damaged_records(record: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        parse_sparse(record)


@given(record=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(record: bytes) -> None:
    with contextlib.suppress(WireError):
        parse_sparse(record)


def database(folder: Path, *records: SparseDatum) -> SparseDataConfig:
    with new_database(folder / "sparse", "leveldb") as writer:
        for number, record in enumerate(records):
            writer.put(b"%05d" % number, serialize_sparse(record))
    return SparseDataConfig(source="sparse", batch_size=2)


def row(size: int, label: float, **elements: float) -> SparseDatum:
    indices = np.array([int(name[1:]) for name in elements], np.int64)
    return SparseDatum(size, indices, np.array([*elements.values()], np.float32), label)


def test_rows_are_made_dense(tmp_path: Path) -> None:
    twice = SparseDatum(4, np.array([1, 1]), np.array([2.0, 3.0], np.float32), 2.0)
    config = database(tmp_path, row(4, 0.5, i3=1.0, i0=-2.0), row(4, 1.0), twice)
    source = open_source(config, "TRAIN", 0, tmp_path)
    assert source.shapes() == [(2, 4), (2,)]
    rows, labels = source.next().arrays
    np.testing.assert_array_equal(rows, [[-2, 0, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(labels, [0.5, 1.0])
    rows, labels = source.next().arrays  # what stands at one place twice is added up
    np.testing.assert_array_equal(rows, [[0, 5, 0, 0], [-2, 0, 0, 1]])
    np.testing.assert_array_equal(labels, [2.0, 0.5])
    source.close()


@pytest.mark.parametrize("index", [4, -1])
def test_an_index_that_is_in_no_row(tmp_path: Path, index: int) -> None:
    other = SparseDatum(9, np.array([index]), np.ones(1, np.float32))
    source = open_source(database(tmp_path, row(4, 0.0), other), "TRAIN", 0, tmp_path)
    with pytest.raises(RoasteryError, match=f"index {index} is not in a row of 4") as caught:
        source.next()
    assert "record '00001'" in caught.value.message
    source.close()


def test_other_records_are_refused(tmp_path: Path) -> None:
    with new_database(tmp_path / "sparse", "leveldb") as writer:
        writer.put(b"0", b"\xff" * 9)
    with pytest.raises(RoasteryError, match=r"record '0' of database .* is not a SparseDatum"):
        open_source(SparseDataConfig(source="sparse", batch_size=2), "TRAIN", 0, tmp_path)


@pytest.mark.parametrize("before", [0, 1])
def test_a_batch_that_no_memory_holds(tmp_path: Path, before: int) -> None:
    database(tmp_path, *[row(4, 0.0)] * before, row(2**31 - 1, 0.0))
    config = SparseDataConfig(source="sparse", batch_size=1, prefetch=10**6)
    with pytest.raises(RoasteryError, match="prefetch is 1000000"):
        source = open_source(config, "TRAIN", 0, tmp_path)
        with contextlib.closing(source):
            source.next()
            source.next()
