"""Blobs of a net into databases of float records. Caffe: tools/extract_features.cpp."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from runtime.data.database_writer import DatabaseWriter, check_target, new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.notes import NoteKind, Notes, to_logger
from runtime.python.permission import python_allowed

from ..caffe import TEST, Net
from ..devices.compile_options import Passes

_ORIGIN = "extract_features.cpp"
_EXTRACTED = NoteKind(_ORIGIN, "Extracted features of {rows} query images for feature blob {blob}")
_DONE = NoteKind(_ORIGIN, "Successfully extracted the features!")
_SAID_EVERY = 1000


def extract_features(
    weights: str | os.PathLike[str],
    net_file: str | os.PathLike[str],
    blobs: Sequence[str],
    databases: Sequence[str],
    batches: int,
    backend: str,
    device: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    threads: int | None = None,
    allow_python: bool | None = None,
    notes: Notes = to_logger,
) -> None:
    """Run ``batches`` batches; write each row of the blobs as a Datum.

    Keys are row numbers of ten digits. The databases appear whole or not at all. ``precision``
    and ``allow_python`` are as in :func:`roastery.compile`.

    Raises RoasteryError for blobs that the net lacks or that are no batches, and where a
    database exists already.
    """
    if len(blobs) != len(databases):
        raise RoasteryError(
            f"{len(blobs)} blob(s) and {len(databases)} database(s) are named",
            hint="one database for each blob",
        )
    if len(set(databases)) != len(databases):
        raise RoasteryError("the databases must have different names")
    if batches < 1:
        raise RoasteryError(f"{batches} batches would give no features")
    for database in databases:
        check_target(Path(database))
    allowed = python_allowed(allow_python)
    net = Net(
        net_file,
        TEST,
        weights=weights,
        device=device,
        precision=precision,
        passes=passes,
        layout=layout,
        threads=threads,
        allow_python=allowed,
        notes=notes,
    )
    for blob in blobs:
        _check_blob(net, blob, net_file)
    if net.inputs:
        raise RoasteryError(
            f"nothing feeds the net's input '{net.inputs[0]}'",
            hint="the net needs a data layer in phase TEST",
        )
    with contextlib.ExitStack() as open_ones:
        writers = [
            open_ones.enter_context(new_database(Path(d), backend, notes)) for d in databases
        ]
        rows = [0] * len(blobs)
        for number in range(batches):
            net.forward()
            for i, (blob, writer) in enumerate(zip(blobs, writers, strict=True)):
                before, rows[i] = rows[i], _write(writer, net.blobs[blob].data, rows[i])
                if before // _SAID_EVERY != rows[i] // _SAID_EVERY:
                    notes(_EXTRACTED(rows=rows[i], blob=blob))
            progress(number + 1, batches)
    for blob, count in zip(blobs, rows, strict=True):
        if count % _SAID_EVERY:
            notes(_EXTRACTED(rows=count, blob=blob))
    notes(_DONE())


def _check_blob(net: Net, blob: str, net_file: str | os.PathLike[str]) -> None:
    if blob not in net.blobs:
        near = did_you_mean(blob, net.blobs)
        raise RoasteryError(
            f"the net in '{os.fspath(net_file)}' has no blob '{blob}'",
            hint=f"did you mean '{near}'?" if near else f"blobs: {', '.join(net.blobs)}",
        )
    axes = len(net.blobs[blob].shape)
    if not 1 <= axes <= 4:
        raise RoasteryError(
            f"blob '{blob}' has {axes} axes; a record holds channels, height and width of a row"
        )


def _write(writer: DatabaseWriter, rows: np.ndarray, number: int) -> int:
    """Write rows under the numbers from ``number`` on; returns the next number."""
    channels, height, width = (*rows.shape[1:], 1, 1, 1)[:3]
    for row in rows:
        record = Datum(channels, height, width, float_data=np.ravel(row))
        writer.put(b"%010d" % number, serialize_datum(record))
        number += 1
    return number
