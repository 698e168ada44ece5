"""The LMDB reader against liblmdb, and against files that would make liblmdb crash."""

from __future__ import annotations

import contextlib
import json
import random
from hashlib import sha256
from pathlib import Path

import lmdb
import pytest
from recorded_cases import DATA

from runtime.data.lmdb_file import LmdbError, LmdbFile

RECORDS = json.loads((DATA / "databases" / "records.json").read_text())


def write_lmdb(path: Path, records: dict[bytes, bytes]) -> Path:
    environment = lmdb.open(str(path), map_size=1 << 28, sync=False)
    with environment.begin(write=True) as transaction:
        for key, value in records.items():
            transaction.put(key, value)
    environment.close()
    return path / "data.mdb"


def read_all(path: Path, start: bytes | None = None) -> list[tuple[bytes, bytes]]:
    file = LmdbFile(path)
    try:
        return [(record.key, record.read()) for record in file.records(start)]
    finally:
        file.close()


@pytest.mark.parametrize("name", [name for name in RECORDS if name.startswith("lmdb")])
def test_reads_what_caffe_wrote(name: str) -> None:
    found = read_all(DATA / "databases" / name / "data.mdb")
    assert [
        [key.decode(), len(value), sha256(value).hexdigest()] for key, value in found
    ] == RECORDS[name]


@pytest.fixture(scope="module")
def tall(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[bytes, bytes]]:
    """Three levels, long and short keys, values from none to several pages."""
    random.seed(5)
    records = {}
    for i in range(6000):
        key = b"%06d_" % (i * 3) + b"k" * random.choice([0, 10, 200])
        size = random.choice([0, 1, 50, 300, 2000]) if i % 50 else 9000
        records[key] = random.randbytes(size)
    return write_lmdb(tmp_path_factory.mktemp("tall") / "db", records), records


def test_order_and_values(tall: tuple[Path, dict[bytes, bytes]]) -> None:
    path, records = tall
    assert read_all(path) == sorted(records.items())


def test_starting_at_a_key(tall: tuple[Path, dict[bytes, bytes]]) -> None:
    path, records = tall
    keys = sorted(records)
    file = LmdbFile(path)
    for index in [0, 1, 17, 2999, 3000, 5998, 5999, *random.Random(1).sample(range(6000), 200)]:
        assert next(file.records(keys[index])).key == keys[index]
    assert next(file.records(b"")).key == keys[0]
    assert next(file.records(b"000001")).key == keys[1]
    assert next(file.records(b"9"), None) is None
    assert sum(1 for _ in file.records(keys[4000])) == 2000
    file.close()


def test_after_deletions(tmp_path: Path) -> None:
    records = {b"%05d" % i: bytes([i % 256]) * 700 for i in range(3000)}
    path = write_lmdb(tmp_path / "db", records)
    environment = lmdb.open(str(tmp_path / "db"), map_size=1 << 28)
    with environment.begin(write=True) as transaction:
        for i in range(0, 3000, 3):
            transaction.delete(b"%05d" % i)
            del records[b"%05d" % i]
    environment.close()
    assert read_all(path) == sorted(records.items())


def test_empty_database(tmp_path: Path) -> None:
    assert read_all(write_lmdb(tmp_path / "db", {})) == []


def test_several_values_per_key_are_refused(tmp_path: Path) -> None:
    environment = lmdb.open(str(tmp_path / "db"), max_dbs=2)
    inner = environment.open_db(b"inner", dupsort=True)
    with environment.begin(write=True, db=inner) as transaction:
        transaction.put(b"a", b"b")
    environment.close()
    with pytest.raises(LmdbError, match="a database of its own"):
        read_all(tmp_path / "db" / "data.mdb")


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    whole = (DATA / "databases" / "lmdb_big" / "data.mdb").read_bytes()
    path = tmp_path / "data.mdb"
    complete = read_all(DATA / "databases" / "lmdb_big" / "data.mdb")
    refused = 0
    for size in [*range(0, len(whole), 1024), len(whole) - 1]:
        path.write_bytes(whole[:size])
        try:
            assert read_all(path) == complete  # what is missing was not in use
        except LmdbError:
            refused += 1
    assert refused >= len(whole) // 1024 * 0.9


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_an_error_or_other_values(
    seed: int, tmp_path: Path, tall: tuple[Path, dict[bytes, bytes]]
) -> None:
    """Never another exception, never a crash, never an endless walk."""
    whole = (DATA / "databases" / "lmdb_many" / "data.mdb").read_bytes()
    noise = random.Random(seed)
    path = tmp_path / "data.mdb"
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(noise.choice([1, 5, 200])):
            damaged[noise.randrange(len(damaged))] = noise.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(LmdbError):
            read_all(path)


def test_tree_that_points_to_itself(tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "db", {b"%06d" % i: b"v" * 100 for i in range(500)})
    data = bytearray(path.read_bytes())
    size = LmdbFile(path).page_size
    for page in range(2, len(data) // size):
        at = page * size
        if data[at + 10] & 1:  # a branch page: let every child be itself
            count = (int.from_bytes(data[at + 12 : at + 14], "little") - 16) // 2
            for i in range(count):
                node = int.from_bytes(data[at + 16 + 2 * i : at + 18 + 2 * i], "little")
                data[at + node : at + node + 6] = page.to_bytes(6, "little")
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="points back to itself"):
        read_all(path)


def test_reading_after_close(tmp_path: Path) -> None:
    file = LmdbFile(write_lmdb(tmp_path / "db", {b"a": b"b"}))
    record = next(file.records())
    file.close()
    with pytest.raises(LmdbError, match="closed"):
        record.read()
