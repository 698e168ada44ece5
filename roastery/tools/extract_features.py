"""Blobs of a net into databases of float records, or arrays. Caffe: tools/extract_features.cpp."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from runtime.data.database_writer import check_target
from runtime.data.notes import NoteKind, Notes, to_logger
from runtime.python.permission import python_allowed

from ..caffe import TEST, Net
from ..devices.compile_options import Passes
from .feature_files import ARRAYS, DATABASES, check_feature_target, new_feature_sink

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
    """Run ``batches`` batches; write each row of the blobs as a Datum, or all as an array.

    ``backend`` is lmdb, leveldb, npy or h5. Keys of databases are row numbers of ten digits. What
    is written appears whole or not at all. ``precision``
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
        if backend in ARRAYS:
            check_feature_target(database)
        else:
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
        _check_blob(net, blob, net_file, backend)
    if net.inputs:
        raise RoasteryError(
            f"nothing feeds the net's input '{net.inputs[0]}'",
            hint="the net needs a data layer in phase TEST",
        )
    with contextlib.ExitStack() as open_ones:
        sinks = [
            open_ones.enter_context(new_feature_sink(Path(path), backend, blob, notes))
            for path, blob in zip(databases, blobs, strict=True)
        ]
        rows = [0] * len(blobs)
        for number in range(batches):
            net.forward()
            for i, (blob, sink) in enumerate(zip(blobs, sinks, strict=True)):
                data = net.blobs[blob].data
                sink.write(data)
                before, rows[i] = rows[i], rows[i] + len(data)
                if before // _SAID_EVERY != rows[i] // _SAID_EVERY:
                    notes(_EXTRACTED(rows=rows[i], blob=blob))
            progress(number + 1, batches)
    for blob, count in zip(blobs, rows, strict=True):
        if count % _SAID_EVERY:
            notes(_EXTRACTED(rows=count, blob=blob))
    notes(_DONE())


def _check_blob(net: Net, blob: str, net_file: str | os.PathLike[str], backend: str) -> None:
    if blob not in net.blobs:
        near = did_you_mean(blob, net.blobs)
        raise RoasteryError(
            f"the net in '{os.fspath(net_file)}' has no blob '{blob}'",
            hint=f"did you mean '{near}'?" if near else f"blobs: {', '.join(net.blobs)}",
        )
    axes = len(net.blobs[blob].shape)
    if axes < 1:
        raise RoasteryError(f"blob '{blob}' is a single number and has no rows")
    if axes > 4 and backend in DATABASES:
        raise RoasteryError(
            f"blob '{blob}' has {axes} axes; a record holds channels, height and width of a row",
            hint="npy and h5 take any number of axes",
        )
