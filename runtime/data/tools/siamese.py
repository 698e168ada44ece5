"""Pairs of MNIST's pictures for a siamese net.

Caffe: examples/siamese/convert_mnist_siamese_data.cpp.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..database_writer import check_backend, check_target, new_database
from ..datum import Datum, serialize_datum
from ..notes import NoteKind, Notes, to_logger
from .idx_file import labelled_images
from .progress import Progress, silent

_ORIGIN = "convert_mnist_siamese_data.cpp"
_TOTAL = NoteKind(_ORIGIN, "A total of {count} items.")
_SIZES = NoteKind(_ORIGIN, "Rows: {rows} Cols: {columns}")


def convert_mnist_siamese(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    database: str | os.PathLike[str],
    backend: str = "leveldb",
    seed: int = 0,
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> int:
    """Write as many random pairs as there are images, keyed "%08d"; how many there are.

    A record has two channels, a picture each, and label 1 where both show the same digit, else 0.
    Both pictures of a pair are drawn from all, with ``seed``.

    Raises RoasteryError for files that are missing, are not IDX files, are cut off, or do not
    belong together.
    """
    check_backend(backend)
    check_target(Path(database))
    with labelled_images(images, labels) as (pixels, numbers):
        count, rows, columns = pixels.shape
        notes(_TOTAL(count=count))
        notes(_SIZES(rows=rows, columns=columns))
        pictures, digits = list(pixels.items()), list(numbers.items())
    pairs = np.random.default_rng(seed).integers(0, count, (count, 2))
    with new_database(Path(database), backend, notes) as writer:
        for index, (i, j) in enumerate(pairs.tolist()):
            same = int(digits[i] == digits[j])
            datum = Datum(2, rows, columns, pictures[i] + pictures[j], same)
            writer.put(b"%08d" % index, serialize_datum(datum))
            progress(index + 1, count)
    return count
