"""An LMDB that other processes write to while it is read."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
import pytest

from ir.errors import RoasteryError
from runtime.data.database import LmdbDatabase, open_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.opening import open_source, probe_shapes
from runtime.data.prefetch import Prefetcher
from runtime.data.sources.data import DataConfig

ROOT = Path(__file__).parents[2]
RECORDS = 40

WRITER = """
import os, sys, lmdb
from runtime.data.datum import Datum, serialize_datum
environment = lmdb.open(sys.argv[1], map_size=1 << 28, sync=False)
def write(generation):
    with environment.begin(write=True) as transaction:
        for i in range(int(sys.argv[2])):
            pixels = bytes([generation % 100]) * (700 if i % 3 else 9000)
            value = serialize_datum(Datum(1, 1, len(pixels), pixels, generation % 100))
            transaction.put(b"%04d" % i, value)
        # Records that come and go, so that pages are freed and used again.
        for i in range(generation % 7):
            transaction.delete(b"9%03d" % i)
        for i in range((generation + 1) % 7):
            transaction.put(b"9%03d" % i, value)
for line in sys.stdin:
    begin, end = map(int, line.split())
    for generation in range(begin, end):
        write(generation)
    print("done", flush=True)
"""


class Writer:
    """A process that writes generations of records, all of one generation alike."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(RECORDS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._generation = 1

    def start(self, count: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._generation} {self._generation + count}\n")
        self._process.stdin.flush()
        self._generation += count

    def wait(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n"

    def write(self, count: int) -> None:
        self.start(count)
        self.wait()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path)
    writer.write(1)
    yield writer
    writer.close()


def generations(values: list[bytes]) -> set[int]:
    """The generations of records; each must be of one alone."""
    return {label for value in values for label in (value[-1], *set(value[20:-4]))}


def test_every_pass_sees_one_state_while_another_process_writes(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None)
    seen = set()
    for _ in range(8):
        writer.start(12)  # while the pass goes on; 97 in all, and labels count to 99
        found = generations([record.read() for record in database.records()])
        writer.wait()
        assert len(found) == 1
        seen |= found
    assert len(seen) >= 4  # a pass may begin before the writer does, or after it
    database.close()


def test_a_pass_keeps_its_state_however_much_is_written(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None)
    walk = database.records()
    records = [next(walk) for _ in range(RECORDS // 2)]
    writer.write(30)
    records += walk
    writer.write(30)
    assert generations([record.read() for record in records]) == {1}
    assert generations([record.read() for record in database.records()]) == {61}
    database.close()


def test_without_a_lock_what_is_changed_is_refused(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None, lock=False)
    walk = database.records()
    first = next(walk)
    writer.write(1)
    assert generations([first.read(), next(walk).read()]) == {1}  # nothing is overwritten yet
    writer.write(3)
    with pytest.raises(RoasteryError, match="it was changed while it was read"):
        list(walk)
    database.close()


def taken(path: Path) -> int:
    """Places that hold a state, seen by a process of its own."""
    code = (
        "import lmdb, sys\n"
        "text = lmdb.open(sys.argv[1], readonly=True).readers()\n"
        "print(sum(line.split()[-1].isdigit() for line in text.splitlines()[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_places_are_taken_for_a_pass_and_given_back(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None)
    walk = database.records()
    record = next(walk)
    assert taken(path) == 1
    del walk
    gc.collect()
    assert taken(path) == 1  # the record can still be read
    del record
    gc.collect()
    assert taken(path) == 0
    database.close()


def test_the_program_that_reads_may_open_it_too(path: Path, writer: Writer) -> None:
    source = open_source(
        DataConfig(source="db", batch_size=7, backend="LMDB"), "TEST", 1, path.parent
    )
    with lmdb.open(str(path), map_size=1 << 28) as environment:
        with environment.begin(write=True) as transaction:
            transaction.put(b"zz", serialize_datum(Datum(1, 1, 700, bytes(700), 99)))
    with pytest.raises(RoasteryError):
        for _ in range(20):  # the records of this database are of two sizes
            source.next()
    source.close()


def test_a_database_that_grows_beyond_its_map(path: Path) -> None:
    with lmdb.open(str(path), map_size=1 << 16) as environment:
        with environment.begin(write=True) as transaction:
            transaction.put(b"a", b"1")
        database = open_database(path, "LMDB", None)
        assert len(list(database.records())) == 1
        environment.set_mapsize(1 << 26)
        with environment.begin(write=True) as transaction:
            for i in range(300):
                transaction.put(b"b%03d" % i, bytes(5000))
        assert [len(r.read()) for r in database.records()][:2] == [1, 5000]
        database.close()


@pytest.mark.parametrize("file", ["lock.mdb", "data.mdb-lock"])
def test_where_no_lock_can_be_taken_it_is_read_without(
    file: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with lmdb.open(str(tmp_path / "db")) as environment:
        with environment.begin(write=True) as transaction:
            transaction.put(b"a", b"b")
    path = tmp_path / "db" if file == "lock.mdb" else tmp_path / "db" / "data.mdb"
    (tmp_path / "db" / "lock.mdb").unlink()
    (tmp_path / "db" / file).mkdir()
    with caplog.at_level("INFO", "roastery.data"):
        database = open_database(path, "LMDB", None)
    assert [record.read() for record in database.records()] == [b"b"]
    assert "is read without a lock (" in caplog.text
    database.close()


def test_names_that_are_no_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / os.fsdecode(b"line\nbreak and \xff")
    with lmdb.open(os.fsencode(path)) as environment:
        with environment.begin(write=True) as transaction:
            transaction.put(b"a", b"b")
    with caplog.at_level("INFO", "roastery.data"):
        database = open_database(path, "LMDB", None)
        records = list(database.records())
    assert [record.read() for record in records] == [b"b"]
    assert "without a lock" not in caplog.text
    database.close()


def test_a_look_at_the_first_record_leaves_no_trace(path: Path, writer: Writer) -> None:
    writer.close()
    (path / "lock.mdb").unlink()
    config = DataConfig(source="db", batch_size=2, backend="LMDB")
    assert probe_shapes(config, "TEST", path.parent) == [(2, 1, 1, 9000), (2,)]
    assert os.listdir(path) == ["data.mdb"]


def test_places_are_given_back_when_the_reader_is_killed(path: Path, writer: Writer) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from runtime.data.database import open_database\n"
        "walk = open_database(Path(sys.argv[1]), 'LMDB', None).records()\n"
        "record = next(walk)\nprint('reading', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "reading\n"
    assert taken(path) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 20
    while taken(path) and time.monotonic() < until:
        time.sleep(0.02)
    assert taken(path) == 0


def test_a_holder_that_died_is_replaced(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None)
    assert len(list(database.records())) > RECORDS
    from runtime.data.mdb import locks

    assert locks._process is not None
    os.kill(locks._process._process.pid, signal.SIGKILL)
    locks._process._process.wait()
    assert len(list(database.records())) > RECORDS  # without a lock
    database.close()
    again = LmdbDatabase(path, None)
    walk = again.records()
    record = next(walk)
    assert taken(path) == 1, record
    again.close()


def test_a_forked_child_leaves_the_places_of_its_parent(path: Path, writer: Writer) -> None:
    database = open_database(path, "LMDB", None)
    walk = database.records()
    records = [next(walk)]
    child = os.fork()
    if not child:
        del records, walk, database
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert taken(path) == 1
    writer.write(20)
    assert generations([record.read() for record in [*records, *walk]]) == {1}
    database.close()


def test_sources_on_many_threads_share_the_holder(path: Path, writer: Writer) -> None:
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(5):
                database = open_database(path, "LMDB", None)
                assert len(generations([r.read() for r in database.records()])) == 1
                database.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    writer.start(40)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.wait()
    assert not errors


def test_batches_read_ahead_are_of_one_state_each_pass(tmp_path: Path) -> None:
    """Records of an old pass are still being loaded when the next one has begun."""
    path = tmp_path / "db"
    environment = lmdb.open(str(path), map_size=1 << 26)

    def write(label: int) -> None:
        with environment.begin(write=True) as transaction:
            for i in range(20):
                value = serialize_datum(Datum(1, 2, 2, bytes([label] * 4), label))
                transaction.put(b"%02d" % i, value)

    write(1)
    source = open_source(DataConfig(source="db", batch_size=5, backend="LMDB"), "TEST", 1, tmp_path)
    with Prefetcher(source, depth=3, threads=2) as ahead:
        passes = []
        for label in range(2, 12):
            batches = [ahead.next().arrays for _ in range(4)]
            assert all(np.array_equal(a.reshape(5, 4)[:, 0], b) for a, b in batches)
            passes.append({float(x) for _, labels in batches for x in labels})
            write(label)
        assert all(len(labels) == 1 for labels in passes)
    environment.close()


@pytest.mark.parametrize("order", ["shuffle", "enable_random_selection"])
def test_records_in_a_random_order_are_of_one_state(order: str, tmp_path: Path) -> None:
    path = tmp_path / "db"
    environment = lmdb.open(str(path), map_size=1 << 26)
    with environment.begin(write=True) as transaction:
        for i in range(20):
            transaction.put(b"%02d" % i, serialize_datum(Datum(1, 1, 1, bytes([i]), i)))
    config = DataConfig(source="db", batch_size=20, backend="LMDB", **{order: True})  # type: ignore[arg-type]
    source = open_source(config, "TEST", 1, tmp_path)
    before = source.next().arrays[1]
    for _ in range(3):  # pages of the first state would be used again
        with environment.begin(write=True) as transaction:
            for i in range(20):
                transaction.delete(b"%02d" % i)
            transaction.put(b"new", serialize_datum(Datum(1, 1, 1, bytes(1), 99)))
    found = [source.next().arrays[1] for _ in range(5)]
    assert {*np.concatenate([before, *found])} <= {*range(20)}
    if order == "shuffle":
        assert all(sorted(labels) == [*range(20)] for labels in found)
    assert taken(path) == 1
    source.close()
    del source
    gc.collect()
    assert taken(path) == 0
    environment.close()
