"""MNIST's IDX files into a database. Caffe: examples/mnist/convert_mnist_data.cpp."""

from __future__ import annotations

import os
from pathlib import Path

from ..database_writer import check_backend, check_target, new_database
from ..datum import Datum, serialize_datum
from ..notes import NoteKind, Notes, to_logger
from .idx_file import labelled_images
from .progress import Progress, silent

_ORIGIN = "convert_mnist_data.cpp"
_TOTAL = NoteKind(_ORIGIN, "A total of {count} items.")
_SIZES = NoteKind(_ORIGIN, "Rows: {rows} Cols: {columns}")
_PROCESSED = NoteKind(_ORIGIN, "Processed {count} files.")


def convert_mnist(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    database: str | os.PathLike[str],
    backend: str = "lmdb",
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> int:
    """Write an image file and its label file as records keyed "%08d"; how many there are.

    Files may be compressed with gzip. Raises RoasteryError for files that are missing,
    are not IDX files, are cut off, or do not belong together.
    """
    check_backend(backend)
    check_target(Path(database))
    with labelled_images(images, labels) as (pixels, numbers):
        count, rows, columns = pixels.shape
        notes(_TOTAL(count=count))
        notes(_SIZES(rows=rows, columns=columns))
        with new_database(Path(database), backend, notes) as writer:
            pairs = zip(pixels.items(), numbers.items(), strict=True)
            for index, (picture, label) in enumerate(pairs):
                datum = Datum(1, rows, columns, picture, label[0])
                writer.put(b"%08d" % index, serialize_datum(datum))
                progress(index + 1, count)
    notes(_PROCESSED(count=count))
    return count
