"""The LevelDB reader against LevelDB, and against files that LevelDB would drop records of."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import cramjam
import plyvel
import pytest
from level_files import batch, database, edit, entries, log, stored, table
from recorded_cases import DATA

from runtime.data.database_writer import new_database
from runtime.data.leveldb.damage import LevelError
from runtime.data.leveldb.reader import LevelReader
from runtime.data.leveldb.table import StoredValue

RECORDS = json.loads((DATA / "databases" / "records.json").read_text())
DIARY = ("LOG", "LOG.old", "LOCK")


def read_all(path: Path, start: bytes | None = None) -> list[tuple[bytes, bytes]]:
    reader = LevelReader(path)
    try:
        return [(record.key, record.read()) for record in reader.records(start)]
    finally:
        reader.close()


def state(path: Path) -> dict[str, tuple[bytes, int]]:
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.iterdir()}


def in_log(path: Path) -> None:
    """3,000 records in a write-ahead log, as the tools of Caffe leave them."""
    with plyvel.DB(str(path), create_if_missing=True, write_buffer_size=1 << 28) as writer:
        for begin in range(0, 3000, 1000):
            with writer.write_batch() as writes:
                for i in range(begin, begin + 1000):
                    writes.put(b"%08d" % i, random.Random(i).randbytes(30))


def in_everything(path: Path) -> None:
    """Tables of several levels, with filters, deletions, replaced records; and logs."""
    draw = random.Random(7)
    with plyvel.DB(
        str(path),
        create_if_missing=True,
        write_buffer_size=70_000,
        max_file_size=1 << 20,
        block_size=2000,
        bloom_filter_bits=10,
    ) as writer:
        for i in range(6000):
            key = b"%05d" % draw.randrange(2000)
            if i % 5 == 0:
                writer.delete(key)
            else:
                writer.put(key, draw.randbytes(draw.choice([0, 5, 300, 40_000 if i < 30 else 1])))


def converted(path: Path) -> None:
    """What our converters write."""
    with new_database(path, "leveldb") as writer:
        for i in range(1500):
            writer.put(b"%08d" % i, bytes([i % 256]) * 60 + random.Random(i).randbytes(60))


MAKERS = {"in_log": in_log, "in_everything": in_everything, "converted": converted}


@pytest.fixture(scope="module", params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("level") / request.param
    MAKERS[request.param](path)
    return path


def by_library(path: Path, copy: Path) -> list[tuple[bytes, bytes]]:
    shutil.copytree(path, copy)
    with plyvel.DB(str(copy), paranoid_checks=True) as library:
        return list(library)


@pytest.mark.parametrize("name", [name for name in RECORDS if name.startswith("leveldb")])
def test_reads_what_caffe_wrote(name: str) -> None:
    before = state(DATA / "databases" / name)
    found = read_all(DATA / "databases" / name)
    assert [
        [key.decode(), len(value), sha256(value).hexdigest()] for key, value in found
    ] == RECORDS[name]
    assert state(DATA / "databases" / name) == before


def test_reads_what_leveldb_reads_and_touches_nothing(made: Path, tmp_path: Path) -> None:
    before = state(made)
    found = read_all(made)
    assert state(made) == before
    assert found == by_library(made, tmp_path / "copy")


def test_starting_at_a_key(made: Path) -> None:
    found = read_all(made)
    keys = [key for key, _ in found]
    for at in random.Random(1).sample(range(len(keys) - 1), 12):
        assert read_all(made, keys[at]) == found[at:]
        assert read_all(made, keys[at] + b"\0") == found[at + 1 :]
    assert read_all(made, b"") == found
    assert read_all(made, b"zzz") == []


def test_every_flip_and_cut_is_refused(made: Path, tmp_path: Path) -> None:
    """In every file that counts, anywhere. Nothing is changed by the attempt."""
    draw = random.Random(2)
    path = tmp_path / "db"
    shutil.copytree(made, path)
    whole = read_all(path)
    for file in sorted(path.iterdir()):
        content = file.read_bytes()
        if file.name in DIARY or not content:
            continue
        file.rename(tmp_path / "away")
        try:
            counts = read_all(path) != whole  # else a leftover that is in use no more
        except (LevelError, FileNotFoundError):
            counts = True
        (tmp_path / "away").rename(file)
        for number in range(20):
            at = draw.randrange(len(content))
            changed = bytearray(content)
            changed[at] ^= 1 << draw.randrange(8)
            file.write_bytes(content[:at] if number % 2 else changed)
            before = state(path)
            if counts:
                with pytest.raises(LevelError, match=r"CURRENT|MANIFEST|\.log|\.ldb"):
                    read_all(path)
            else:
                assert read_all(path) == whole
            assert state(path) == before
        file.write_bytes(content)


def test_a_converted_database_has_no_place_for_a_silent_cut(tmp_path: Path) -> None:
    """Every cut of every file, also between two records of a log."""
    path = tmp_path / "db"
    with new_database(path, "leveldb") as writer:
        for i in range(5):
            writer.put(b"%d" % i, b"v" * 20)
    kinds = {file.suffix for file in path.iterdir()}
    assert kinds == {"", ".ldb", ".log"}
    for file in path.iterdir():
        content = file.read_bytes()
        assert file.suffix != ".log" or not content
        for size in range(len(content)):
            file.write_bytes(content[:size])
            with pytest.raises(LevelError):
                read_all(path)
        file.write_bytes(content)
        if content or file.suffix == ".log":
            file.unlink()
            with pytest.raises((LevelError, FileNotFoundError)):
                read_all(path)
            file.write_bytes(content)
    assert len(read_all(path)) == 5


def test_a_log_cut_between_records_is_noticed_where_it_can_be(tmp_path: Path) -> None:
    files = {"l2": log(batch(1, (b"a", b"1")), batch(2, (b"b", b"2"))), "l3": log(batch(3))}
    whole = database(tmp_path / "whole", edit(last_sequence=0), **files)
    assert read_all(whole) == [(b"a", b"1"), (b"b", b"2")]
    cut = log(batch(1, (b"a", b"1")))
    gap = database(tmp_path / "gap", edit(last_sequence=0), **{**files, "l2": cut})
    with pytest.raises(LevelError, match="write number 3 follows number 1: records are missing"):
        read_all(gap)
    short = database(tmp_path / "short", edit(last_sequence=2), l2=cut)
    with pytest.raises(LevelError, match="ends with write number 1; MANIFEST-000001 knows of 2"):
        read_all(short)
    begin = database(tmp_path / "begin", edit(last_sequence=1), l2=log(batch(3, (b"c", b"3"))))
    with pytest.raises(LevelError, match="write number 3 follows number 1"):
        read_all(begin)


def test_logs_that_count_and_tables_of_old_names(tmp_path: Path) -> None:
    old = table(
        [(stored(b"c", 2), entries([(stored(b"a", 1), b"old"), (stored(b"c", 2), b"")]), 0)]
    )
    manifest = edit((1, 4, len(old), stored(b"a", 1), stored(b"c", 2)), log_number=6)
    path = database(
        tmp_path / "db",
        manifest + b"\x09\x05",
        s4=old,
        l3=log(batch(1, (b"not", b"read"))),
        l5=log(batch(101, (b"a", b"new"), (b"b", b"x"))),
        l6=log(batch(103, (b"b", None))),
    )
    assert read_all(path) == [(b"a", b"new"), (b"c", b"")]
    (path / "000005.log").unlink()
    with pytest.raises(LevelError, match=r"000005.log is missing; MANIFEST-000001 names it"):
        read_all(path)


def one_table(folder: Path, block: bytes, compression: int = 0, last: bytes = b"b") -> Path:
    content = table([(stored(last), block, compression)])
    return database(folder, edit((0, 4, len(content), stored(b"a"), stored(b"b"))), t4=content)


PAIRS = [(stored(b"a"), b"x" * 5000), (stored(b"b"), b"y" * 5000)]


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_compressions(compression: int, tmp_path: Path) -> None:
    block = entries(PAIRS)
    packed: list[Callable[[bytes], bytes]] = [
        bytes,
        lambda data: bytes(cramjam.snappy.compress_raw(data)),
        lambda data: bytes(cramjam.zstd.compress(data)),
    ]
    data = packed[compression](block)
    if compression == 2:  # as LevelDB writes it: the frame says how large it becomes
        size = struct.pack("<I", len(block))
        data = b"\x28\xb5\x2f\xfd\xa0" + size + data[4 + 1 + 1 :] if data[4] >> 6 == 0 else data
    path = one_table(tmp_path / "db", data, compression)
    assert read_all(path) == [(b"a", b"x" * 5000), (b"b", b"y" * 5000)]


HUGE = b"\xff\xff\xff\xff\x0f"


@pytest.mark.parametrize(
    ("block", "compression", "message"),
    [
        (HUGE + b"abc", 1, "8 bytes of Snappy say that they become 4294967295"),
        (b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"abc", 2, "it becomes 18446744073709551615"),
        (b"\x28\xb5\x2f\xfd\x00abc", 2, "does not say how many bytes"),
        (b"\x10abcdefgh", 1, "it cannot be decompressed"),
        (entries(PAIRS), 7, "compression 7 is not known"),
        (b"\x00\x01" + HUGE + b"a" + struct.pack("<II", 0, 1), 0, "beyond its block"),
        (b"\x05\x09\x00" + stored(b"a") + struct.pack("<II", 0, 1), 0, "beyond its block"),
        (struct.pack("<I", 0xFFFFFFFF), 0, "4294967295 restart points"),
        (b"\x80" * 12 + struct.pack("<II", 0, 1), 0, "a number exceeds 32 bits"),
        (entries([PAIRS[1], PAIRS[0]]), 0, "does not begin where the manifest says"),
        (entries([PAIRS[0], PAIRS[0]]), 0, "key b'a' is out of order"),
        (entries([PAIRS[0]]), 0, "does not end where the manifest says"),
        (entries([PAIRS[0], (stored(b"b", 101), b"")]), 0, "newer than the manifest"),
        (entries([(stored(b"a", kind=3), b"")]), 0, "a key is of kind 3"),
        (entries([(b"short", b"")]), 0, "a key has 5 bytes"),
        (entries([(b"k" * (1 << 17), b"")]), 0, "a key of 131072 bytes"),
    ],
)
def test_hostile_blocks(block: bytes, compression: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(LevelError, match=message):
        read_all(one_table(tmp_path / "db", block, compression))


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (edit(comparator=b"idb_cmp1"), "ordered by 'idb_cmp1'"),
        (edit((0, 4, 9, b"", stored(b"b"))), "a key has 0 bytes"),
        (edit((7, 4, 9, stored(b"a"), stored(b"b"))), "level 7; there are 7"),
        (edit((0, 4, 9, stored(b"b"), stored(b"a"))), "table 4 ends before it begins"),
        (edit((0, 4, 9, stored(b"a"), stored(b"b"))), r"000004.ldb is missing"),
        (edit((0, 1000, 9, stored(b"a"), stored(b"b"))), "names table 1000 too early"),
        (edit(*[(0, 4, 9, stored(b"a"), stored(b"b"))] * 2), "table 4 is added twice"),
        (edit(*[(1, n, 9, stored(b"a"), stored(b"b")) for n in (4, 5)]), "4 and 5 of level 1"),
        (edit() + b"\x06\x00\x04", "table 4 leaves level 0, where it never was"),
        (edit() + b"\x08\x00", "an entry of kind 8 is not known"),
        (edit() + b"\x01" + HUGE, "a text of 4294967295 bytes"),
        (edit() + b"\x02" + b"\xff" * 12, "a number exceeds 64 bits"),
        (edit(log_number=3), r"000003.log is missing"),
        (b"\x01\x1aleveldb.BytewiseComparator", "is cut off: it does not say the number of its"),
        (b"", "is cut off: it does not say"),
    ],
)
def test_hostile_manifests(manifest: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(LevelError, match=message):
        read_all(database(tmp_path / "db", manifest))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            log(batch(1, (b"a", b"b")))[:-1],
            "is cut off: it ends at byte 23, and the record at byte",
        ),
        (log(batch(1, (b"a", b"b"))) + b"\0", "is cut off: it ends at byte 25, inside the head"),
        (bytes(50), "the checksum of a record is wrong"),
        (log(struct.pack("<QI", 1, 1 << 31)), "a batch ends inside one of the writes"),
        (log(batch(1, (b"a", b"b")) + b"x"), "a batch of 1 writes has more bytes"),
        (log(b"short"), "a batch ends inside"),
        (log(struct.pack("<QI", 1, 1) + b"\x02"), "a write of kind 2"),
        (log(struct.pack("<QI", 1, 1) + b"\x01" + HUGE), "a key of 4294967295 bytes"),
        (log(struct.pack("<QI", 1, 1) + b"\x01\x01a" + HUGE), "a batch ends inside"),
    ],
)
def test_hostile_logs(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(LevelError, match=message):
        read_all(database(tmp_path / "db", edit(last_sequence=0), l9=content))


@pytest.mark.parametrize(
    "current", ["", "MANIFEST-000001", "MANIFEST-000001\n\n", "../x\n", "MANIFEST-1/../../y\n"]
)
def test_current_names_a_manifest(current: str, tmp_path: Path) -> None:
    path = database(tmp_path / "db", edit())
    (path / "CURRENT").write_text(current)
    with pytest.raises(LevelError, match="CURRENT holds"):
        read_all(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = database(tmp_path / "db", edit())
    (path / "MANIFEST-000001").unlink()
    os.mkfifo(path / "MANIFEST-000001")
    with pytest.raises(LevelError, match="MANIFEST-000001 is no regular file"):
        read_all(path)


def test_records_outlive_their_table_and_not_their_log(tmp_path: Path) -> None:
    converted(tmp_path / "tables")
    reader = LevelReader(tmp_path / "tables")
    record = next(reader.records())
    reader.close()
    assert len(record.read()) == 120
    in_log(tmp_path / "log")
    reader = LevelReader(tmp_path / "log")
    record = next(reader.records())
    reader.close()
    with pytest.raises(LevelError, match="closed"):
        record.read()


def test_kept_records_hold_places_and_no_blocks(made: Path) -> None:
    reader = LevelReader(made)
    kept = reader.kept_records()
    assert kept and not any(isinstance(record.value, StoredValue) for record in kept)
    found = [(record.key, record.read()) for record in reversed(kept)]
    reader.close()
    assert found[::-1] == read_all(made)


def test_a_block_that_changed_is_noticed(tmp_path: Path) -> None:
    converted(tmp_path / "db")
    table = next((tmp_path / "db").glob("*.ldb"))
    reader = LevelReader(tmp_path / "db")
    record = reader.kept_records()[0]
    data = bytearray(table.read_bytes())
    data[20] ^= 1
    table.write_bytes(data)
    with pytest.raises(LevelError, match="the checksum of a block is wrong"):
        record.read()
    table.unlink()
    with pytest.raises(FileNotFoundError):
        record.read()
    reader.close()
