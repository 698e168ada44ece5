"""How many images per second the data layer reads, decodes and transforms per core.

    python benchmarks/data_throughput.py [--records 256] [--batch 64] [--threads 1,2]

Makes its own databases of 256 x 256 colour pictures in a temporary folder, raw and JPEG
encoded, and reads them as a training net does: random 227 x 227 crop, mirror, mean. The
second table lets a step of a given length run against the reader and says how much of
its time the step waited for data. A third table reads whole databases of raw records, by our
readers and by the libraries. Records come from the page cache, not from the disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from runtime.data.config import TransformConfig
from runtime.data.database import open_database
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.image_codec import encode_image
from runtime.data.opening import open_source
from runtime.data.planned import PlannedSource
from runtime.data.prefetch import Prefetcher
from runtime.data.sources.data import DataConfig

SIDE, CROP = 256, 227


def smooth_picture(random: np.random.Generator) -> np.ndarray:
    """A (256, 256, 3) picture whose JPEG has about the size of a photograph's."""
    coarse = random.integers(0, 256, (SIDE // 8, SIDE // 8, 3)).astype(np.float32)
    fine = np.kron(coarse, np.ones((8, 8, 1), np.float32))
    return np.clip(fine + random.normal(0, 12, fine.shape), 0, 255).astype(np.uint8)


def make_databases(folder: Path, records: int) -> float:
    """Databases "raw" and "encoded"; returns the mean size of a JPEG in bytes."""
    random = np.random.default_rng(1)
    sizes = []
    with (
        new_database(folder / "raw", "lmdb") as raw,
        new_database(folder / "encoded", "lmdb") as encoded,
    ):
        for i in range(records):
            picture = smooth_picture(random)
            planes = picture.transpose(2, 0, 1)
            raw.put(b"%08d" % i, serialize_datum(Datum(3, SIDE, SIDE, planes.tobytes(), i)))
            data = encode_image(picture, "jpg")
            sizes.append(len(data))
            encoded.put(b"%08d" % i, serialize_datum(Datum(data=data, label=i, encoded=True)))
    return float(np.mean(sizes))


def open_reader(folder: Path, kind: str, batch: int, threads: int, depth: int) -> Prefetcher:
    """The reader that a training run would have."""
    transform = TransformConfig(crop_size=CROP, mirror=True, mean_value=(104, 117, 123))
    source = open_source(
        DataConfig(source=kind, batch_size=batch, backend="LMDB", transform=transform),
        "TRAIN",
        1,
        folder,
    )
    assert isinstance(source, PlannedSource)
    return Prefetcher(source, depth, threads)


def throughput(
    folder: Path, kind: str, batch: int, threads: int, seconds: float
) -> tuple[float, float]:
    """Images per second of wall time, and of processor time, reading as fast as possible."""
    with open_reader(folder, kind, batch, threads, 2 * threads) as reader:
        for _ in range(2 * threads + 1):
            reader.next()
        began, began_cpu = time.perf_counter(), time.process_time()
        images = 0
        while time.perf_counter() - began < seconds:
            reader.next()
            images += batch
        wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return images / wall, images / cpu


def waiting(
    folder: Path, kind: str, batch: int, threads: int, step_seconds: float, steps: int = 20
) -> float:
    """The share of its time that a step of this length waits for data."""
    with open_reader(folder, kind, batch, threads, 4) as reader:
        reader.next()
        before = reader.wait_seconds
        began = time.perf_counter()
        for _ in range(steps):
            time.sleep(step_seconds)
            reader.next()
        return (reader.wait_seconds - before) / (time.perf_counter() - began)


def fill_leveldbs(folder: Path, records: int) -> None:
    """LevelDBs "level_log", as Caffe's tools leave them, and "level_tables", as ours do."""
    import plyvel

    with (
        closing(open_database(folder / "raw", "LMDB", None)) as source,
        plyvel.DB(
            str(folder / "level_log"), create_if_missing=True, write_buffer_size=1 << 30
        ) as log,
        new_database(folder / "level_tables", "leveldb") as tables,
    ):
        for record in source.records():
            log.put(record.key, record.read())
            tables.put(record.key, record.read())


def read_by_us(path: Path, backend: str) -> int:
    """Open a database, read all its records; their bytes."""
    with closing(open_database(path, backend, None)) as database:
        return sum(len(record.read()) for record in database.records())


def read_by_library(path: Path) -> int:
    """The same by LevelDB itself, checking what it reads; a log is recovered the first time."""
    import plyvel

    with plyvel.DB(str(path), paranoid_checks=True) as database:
        with database.iterator(verify_checksums=True) as iterator:
            return sum(len(value) for _, value in iterator)


def readers(folder: Path, records: int) -> None:
    """Print how fast whole databases are read, the best of five each."""
    fill_leveldbs(folder, records)
    ways: dict[str, Callable[[], int]] = {
        "LMDB, ours": lambda: read_by_us(folder / "raw", "LMDB"),
        "LevelDB tables, ours": lambda: read_by_us(folder / "level_tables", "LEVELDB"),
        "LevelDB tables, plyvel": lambda: read_by_library(folder / "level_tables"),
        "LevelDB log, ours": lambda: read_by_us(folder / "level_log", "LEVELDB"),
    }
    print(f"\n{'whole database':24} {'records/s':>10} {'MB/s':>8}")
    for name, read in ways.items():
        best, size = float("inf"), 0
        for _ in range(5):
            began = time.perf_counter()
            size = read()
            best = min(best, time.perf_counter() - began)
        print(f"{name:24} {records / best:10.0f} {size / best / 1e6:8.0f}")
    began = time.perf_counter()
    size = read_by_library(folder / "level_log")
    spent = time.perf_counter() - began
    name = "LevelDB log, plyvel"  # the first time only: it moves the log into tables
    print(f"{name:24} {records / spent:10.0f} {size / spent / 1e6:8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=256, help="pictures per database")
    parser.add_argument("--batch", type=int, default=64, help="pictures per batch")
    parser.add_argument("--threads", default="1,2", help="thread counts to try")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a measurement")
    parser.add_argument("--readers", action="store_true", help="the third table alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jpeg = make_databases(folder, options.records)
        print(
            f"{options.records} records of {SIDE}x{SIDE}x3, JPEG of {jpeg / 1024:.1f} KiB, "
            f"crop {CROP}, mirror, mean, batch {options.batch}"
        )
        if options.readers:
            readers(folder, options.records)
            return
        print(f"{'records':10} {'threads':>7} {'images/s':>10} {'images/s per core':>18}")
        rates = {}
        for kind in ("raw", "encoded"):
            for threads in map(int, options.threads.split(",")):
                wall, cpu = throughput(folder, kind, options.batch, threads, options.seconds)
                rates[kind, threads] = wall
                print(f"{kind:10} {threads:7d} {wall:10.0f} {cpu:18.0f}")
        print(f"\n{'records':10} {'threads':>7} {'step ms':>8} {'waited':>7}")
        for (kind, threads), rate in rates.items():
            for share in (0.5, 0.8, 1.2):
                step = options.batch / (rate * share)
                waited = waiting(folder, kind, options.batch, threads, step)
                print(
                    f"{kind:10} {threads:7d} {1000 * step:8.1f} {waited:7.1%}"
                    f"   (the step takes {share:.0%} of the reader's rate)"
                )
        readers(folder, options.records)


if __name__ == "__main__":
    main()
