"""CIFAR-10's binary batches into databases. Caffe: examples/cifar10/convert_cifar_data.cpp."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from roastery.files.missing import cannot_read
from roastery.files.regular_file import check_regular, read_regular

from ..database_writer import check_backend, check_target, new_database
from ..datum import Datum, serialize_datum
from ..notes import NoteKind, Notes, to_logger
from .progress import Progress, silent

_SIDE = 32
_IMAGE_BYTES = 3 * _SIDE * _SIDE
_ORIGIN = "convert_cifar_data.cpp"
_WRITING = NoteKind(_ORIGIN, "Writing {what} data")
_BATCH = NoteKind(_ORIGIN, "Training Batch {number}")


def convert_cifar(
    input_folder: str | os.PathLike[str],
    output_folder: str | os.PathLike[str],
    db_type: str = "lmdb",
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> tuple[int, int]:
    """Write cifar10_train_TYPE and cifar10_test_TYPE; how many records each has.

    Reads data_batch_1.bin to data_batch_5.bin and test_batch.bin; keys are "%05d".
    Raises RoasteryError for files that are missing or no CIFAR-10 batches.
    """
    kind = check_backend(db_type)
    source, folder = Path(input_folder), Path(output_folder)
    targets = [folder / f"cifar10_{part}_{kind}" for part in ("train", "test")]
    for target in targets:
        check_target(target)
    train = [source / f"data_batch_{number}.bin" for number in range(1, 6)]
    files = [train, [source / "test_batch.bin"]]
    counts = [[_count(path) for path in group] for group in files]
    total = sum(map(sum, counts))
    done = 0
    for what, target, group in zip(("Training", "Testing"), targets, files, strict=True):
        notes(_WRITING(what=what))
        with new_database(target, kind, notes) as writer:
            index = 0
            for number, path in enumerate(group, 1):
                if what == "Training":
                    notes(_BATCH(number=number))
                records = np.frombuffer(read_regular(path), np.uint8)
                for record in records.reshape(-1, 1 + _IMAGE_BYTES):
                    datum = Datum(3, _SIDE, _SIDE, record[1:].tobytes(), int(record[0]))
                    writer.put(b"%05d" % index, serialize_datum(datum))
                    index += 1
                    done += 1
                    progress(done, total)
    return sum(counts[0]), sum(counts[1])


def _count(path: Path) -> int:
    """How many records a batch file holds."""
    try:
        check_regular(path)
        size = path.stat().st_size
    except OSError as error:
        hint = "input_folder is the unpacked binary version of CIFAR-10, cifar-10-batches-bin"
        raise cannot_read("file", path, error, hint=hint) from error
    if not size or size % (1 + _IMAGE_BYTES):
        raise RoasteryError(
            f"'{path}' has {size} bytes; a multiple of {1 + _IMAGE_BYTES} "
            "(a label and 3 x 32 x 32 pixels) was expected",
            hint="the file is cut off, or not of the binary version",
        )
    return size // (1 + _IMAGE_BYTES)
