"""The LMDB reader against liblmdb, and against files that would make liblmdb crash."""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import lmdb
import pytest
from recorded_cases import DATA

from runtime.data.mdb.damage import LmdbError
from runtime.data.mdb.file import LmdbFile
from runtime.data.mdb.snapshot import take_snapshot
from runtime.data.mdb.tree import LmdbRecord, records

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
        return [(record.key, record.read()) for record in found(file, start)]
    finally:
        file.close()


def found(file: LmdbFile, start: bytes | None = None) -> Iterator[LmdbRecord]:
    return records(take_snapshot(file, None), start)


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
        assert next(found(file, keys[index])).key == keys[index]
    assert next(found(file, b"")).key == keys[0]
    assert next(found(file, b"000001")).key == keys[1]
    assert next(found(file, b"9"), None) is None
    assert sum(1 for _ in found(file, keys[4000])) == 2000
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


def pages(path: Path) -> tuple[bytearray, int, list[int], list[int]]:
    """A file's bytes, its page size, and the numbers of its branch and of its leaf pages."""
    data = bytearray(path.read_bytes())
    size = LmdbFile(path).page_size
    kinds = [data[page * size + 10] for page in range(len(data) // size)]
    branches, leaves = ([n for n, kind in enumerate(kinds) if kind & flag] for flag in (1, 2))
    return data, size, branches, [page for page in leaves if page > 1]


def point(data: bytearray, size: int, branch: int, child: int) -> None:
    """Let every node of a branch page name one child."""
    at = branch * size
    count = (int.from_bytes(data[at + 12 : at + 14], "little") - 16) // 2
    for i in range(count):
        node = at + int.from_bytes(data[at + 16 + 2 * i : at + 18 + 2 * i], "little")
        data[node : node + 4] = child.to_bytes(4, "little")


def flat(folder: Path) -> Path:
    """A root and about fifteen leaves."""
    return write_lmdb(folder / "db", {b"%06d" % i: b"v" * 100 for i in range(500)})


def test_tree_that_points_to_itself(tmp_path: Path) -> None:
    path = flat(tmp_path)
    data, size, branches, _ = pages(path)
    for branch in branches:
        point(data, size, branch, branch)
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="it stands on level 2 of 2"):
        read_all(path)


def test_pages_that_have_several_parents(tmp_path: Path) -> None:
    path = flat(tmp_path)
    data, size, branches, leaves = pages(path)
    for branch in branches:
        point(data, size, branch, leaves[0])
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="its keys are not those that its parent says"):
        read_all(path)


def test_empty_leaves_make_no_endless_walk(tmp_path: Path) -> None:
    path = flat(tmp_path)
    data, size, _, leaves = pages(path)
    for leaf in leaves:
        data[leaf * size + 12 : leaf * size + 14] = (16).to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="no room, or no records"):
        read_all(path)


def test_keys_out_of_order(tmp_path: Path) -> None:
    path = flat(tmp_path)
    data, _, _, _ = pages(path)
    at = data.index(b"000007")
    data[at : at + 6] = b"000005"
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="key b'000005' is out of order"):
        read_all(path)


@pytest.mark.parametrize(("entries", "told"), [(499, "more"), (501, "500")])
def test_another_number_of_records(entries: int, told: str, tmp_path: Path) -> None:
    path = flat(tmp_path)
    data = bytearray(path.read_bytes())
    size = LmdbFile(path).page_size
    for page in (0, 1):  # the main tree's entries, in both meta pages
        at = page * size + 16 + 24 + 48 + 32
        data[at : at + 8] = entries.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(LmdbError, match=f"says that it has {entries} records, and has {told}"):
        read_all(path)


def test_large_values_whose_pages_are_others(tmp_path: Path) -> None:
    path = write_lmdb(tmp_path / "db", {b"a": b"v" * 9000, b"b": b"w" * 9000})
    whole = path.read_bytes()
    size = LmdbFile(path).page_size
    runs = [n for n in range(2, len(whole) // size) if whole[n * size + 10] == 4]
    for at, what in ((0, "does not begin a large value"), (10, "does not begin"), (12, "too few")):
        data = bytearray(whole)
        data[runs[0] * size + at] = 1
        path.write_bytes(data)
        with pytest.raises(LmdbError, match=what):
            read_all(path)


def test_values_that_are_larger_than_any(tmp_path: Path) -> None:
    """In a sparse file: nothing is allocated for what it claims."""
    path = write_lmdb(tmp_path / "db", {b"a": b"v" * 9000})
    data = bytearray(path.read_bytes())
    node = data.index(b"\x01\x00\x01\x00a") - 4
    data[node : node + 4] = (3 << 30).to_bytes(4, "little")
    for page in (0, 1):
        at = page * LmdbFile(path).page_size + 16 + 24 + 96
        data[at : at + 8] = (1 << 40).to_bytes(8, "little")
    path.write_bytes(data)
    os.truncate(path, 1 << 42)
    with pytest.raises(LmdbError, match="says that its value has 3221225472 bytes"):
        read_all(path)


def test_a_damaged_meta_page_is_told(tmp_path: Path) -> None:
    """The other one holds an older state: reading that would lose what was written last."""
    path = flat(tmp_path)
    data = bytearray(path.read_bytes())
    data[LmdbFile(path).page_size + 16] ^= 1
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="page 1 is damaged: it is no meta page"):
        read_all(path)


@pytest.mark.parametrize(
    ("flag", "message"), [(2, "as numbers or backwards"), (8, "as numbers"), (4, "several values")]
)
def test_trees_of_other_kinds(flag: int, message: str, tmp_path: Path) -> None:
    path = flat(tmp_path)
    data = bytearray(path.read_bytes())
    for page in (0, 1):
        data[page * LmdbFile(path).page_size + 16 + 24 + 48 + 4] |= flag
    path.write_bytes(data)
    with pytest.raises(LmdbError, match=message):
        read_all(path)


def test_reading_after_close(tmp_path: Path) -> None:
    file = LmdbFile(write_lmdb(tmp_path / "db", {b"a": b"b"}))
    record = next(found(file))
    file.close()
    with pytest.raises(LmdbError, match="closed"):
        record.read()


@pytest.mark.parametrize("offset", [1 << 40, 1 << 62, 1 << 63, 1 << 76])
def test_pages_beyond_what_a_file_can_have(offset: int, tmp_path: Path) -> None:
    file = LmdbFile(write_lmdb(tmp_path / "db", {b"a": b"1"}))
    with contextlib.closing(file), pytest.raises(LmdbError, match=r"cut off|ends"):
        file.read_bytes(offset, 16)
