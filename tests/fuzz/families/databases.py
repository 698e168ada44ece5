"""LMDB and LevelDB, as files and through the Data layer."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

from runtime.data.database import open_database
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.opening import open_source
from runtime.data.sources.data import DataConfig
from tests.data_layers import level_files as level

from .. import mutate_bytes, mutate_wire
from ..inputs import Sample, from_folder
from ..targets import Target, register
from .places import DATA


def _records(path: Path, backend: str) -> object:
    database = open_database(path, backend, None)
    found = hashlib.sha1()
    count = 0
    try:
        for record in database.records():
            found.update(record.key + b"\0" + record.read())
            count += 1
    finally:
        database.close()
    return count, found.hexdigest()


def _batches(path: Path, backend: str) -> object:
    source = open_source(
        DataConfig(source=path.name, batch_size=3, backend=backend), "TRAIN", 1, path.parent
    )
    try:
        for _ in range(2):
            source.next()
    finally:
        source.close()
    return None


def _recorded(*names: str) -> list[Sample]:
    samples = []
    for name in names:
        made = from_folder(DATA / "databases" / name, "db")
        samples.append(Sample({f"db/{key}": value for key, value in made.files.items()}, "db"))
    return samples


def _lmdbs(room: Path) -> list[Sample]:
    return _recorded("lmdb_raw", "lmdb_png", "lmdb_gray")


def _levels(room: Path) -> list[Sample]:
    with new_database(room / "ours", "leveldb") as writer:
        for i in range(300):
            writer.put(b"%05d" % i, serialize_datum(Datum(1, 2, 2, bytes([i % 250] * 4), i)))
    made = from_folder(room / "ours", "db")
    ours = Sample({f"db/{k}": v for k, v in made.files.items() if _counts(k)}, "db")
    others = _recorded("leveldb_raw", "leveldb_png_reopened", "leveldb_gray")
    return [ours, *(Sample({k: v for k, v in s.files.items() if _counts(k)}, "db") for s in others)]


def _counts(name: str) -> bool:
    """LevelDB's own log and lock hold no data."""
    return Path(name).name not in ("LOG", "LOG.old", "LOCK")


def _odd_level(rng: Random, room: Path) -> Sample:
    """Right checksums around wrong blocks, batches and manifests."""

    def perhaps(content: bytes) -> bytes:
        return rng.choice(mutate_bytes.MUTATORS)(content, rng) if rng.random() < 0.4 else content

    pairs = [(level.stored(b"%05d" % i, i + 1), serialize_datum(Datum(1, 2, 2, b"abcd", i)))
             for i in range(20)]  # fmt: skip
    block = perhaps(level.entries(pairs))
    table = level.table([(pairs[-1][0], block, rng.choice((0, 0, 0, 1, 2, 7)))])
    if rng.random() < 0.2:
        table = perhaps(table)
    edit = perhaps(level.edit((rng.choice((0, 1, 6, 9)), 5, len(table), pairs[0][0], pairs[-1][0])))
    files = {
        "db/CURRENT": perhaps(b"MANIFEST-000001\n") if rng.random() < 0.1 else b"MANIFEST-000001\n",
        "db/MANIFEST-000001": level.log(edit[:30_000]),
        "db/000005.ldb": table,
    }
    if rng.random() < 0.5:
        batch = level.batch(rng.choice((50, 1, 2**56)), (b"key", b"value"), (b"00001", None))
        files["db/000007.log"] = level.log(perhaps(batch)[:30_000])
    return Sample(files, "db")


def _odd_records(rng: Random, room: Path) -> Sample:
    """A right database of wrong Datum records."""
    import shutil

    folder = room / "records"
    shutil.rmtree(folder, ignore_errors=True)
    with new_database(folder, "leveldb") as writer:
        for i in range(4):
            record = serialize_datum(Datum(1, 2, 2, b"abcd", i))
            if rng.random() < 0.5:
                record = mutate_wire.mutate(record, rng)
            writer.put(b"%05d" % i, record)
    made = from_folder(folder, "db")
    return Sample({f"db/{key}": value for key, value in made.files.items()}, "db")


register(
    Target("LMDB", _lmdbs, lambda path: _records(path, "LMDB"), "bytes", leaves=("db/lock.mdb",))
)
register(
    Target(
        "LMDB (Data layer)",
        _lmdbs,
        lambda path: _batches(path, "LMDB"),
        "bytes",
        leaves=("db/lock.mdb",),
    )
)
register(
    Target(
        "LevelDB",
        _levels,
        lambda path: _records(path, "LEVELDB"),
        "bytes",
        odd=_odd_level,
        sealed=True,
    )
)
register(
    Target(
        "LevelDB (Data layer)",
        _levels,
        lambda path: _batches(path, "LEVELDB"),
        "bytes",
        odd=_odd_records,
    )
)
