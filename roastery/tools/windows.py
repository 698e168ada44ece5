"""Lists of windows, and what a detector says of them, in files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from ..files.atomic_file import atomic_path, atomic_write
from ..files.regular_file import read_regular_text

_CHUNK = 256  # windows that HDF5 stores together

CORNERS = ("ymin", "xmin", "ymax", "xmax")


def windows_by_picture(path: str | os.PathLike[str]) -> list[tuple[str, list[np.ndarray]]]:
    """Pictures and their windows (ymin, xmin, ymax, xmax), from a CSV file with a header.

    Raises RoasteryError for a missing column and for what is no number, with its line.
    """
    name = os.fspath(path)
    found: dict[str, list[np.ndarray]] = {}
    with io.StringIO(read_regular_text(path), newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        try:
            missing = [c for c in ("filename", *CORNERS) if c not in (reader.fieldnames or ())]
            if missing:
                raise RoasteryError(
                    f"column '{missing[0]}' is missing",
                    location=Location(name, 1, 1),
                    hint="the first line names the columns: filename,ymin,xmin,ymax,xmax",
                )
            for row in reader:
                found.setdefault(row["filename"], []).append(_window(row))
        except csv.Error as error:
            place = Location(name, reader.line_num, 1)
            raise RoasteryError(f"this is no CSV file: {error}", location=place) from error
        except (TypeError, ValueError, OverflowError):
            raise RoasteryError(
                "a window takes four numbers: " + ", ".join(CORNERS),
                location=Location(name, reader.line_num, 1),
            ) from None
    if not found:
        raise RoasteryError(f"'{name}' lists no windows")
    return list(found.items())


def _window(row: Mapping[str, str]) -> np.ndarray:
    corners = np.array([float(row[corner]) for corner in CORNERS])
    if None in row or not (np.abs(corners) < 1 << 31).all():
        raise ValueError
    return corners.astype(np.int64)


def write_detections(path: str | os.PathLike[str], detections: Sequence[Mapping[str, Any]]) -> None:
    """Write windows and predictions: CSV or HDF5, by the file's ending."""
    if os.fspath(path).lower().endswith(".csv"):
        _write_csv(path, detections)
    else:
        _write_hdf5(path, detections)


def _write_csv(path: str | os.PathLike[str], detections: Sequence[Mapping[str, Any]]) -> None:
    classes = np.size(detections[0]["prediction"]) if detections else 0
    with atomic_write(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", *CORNERS, *(f"class{i}" for i in range(classes))])
        for found in detections:
            values = [float(v) for v in np.ravel(found["prediction"])]
            writer.writerow([found["filename"], *(int(v) for v in found["window"]), *values])


def _write_hdf5(path: str | os.PathLike[str], detections: Sequence[Mapping[str, Any]]) -> None:
    import h5py

    from ..files.hdf5_writing import new_hdf5

    with atomic_path(path) as temporary, new_hdf5(temporary) as file:
        names = [os.fspath(found["filename"]) for found in detections]
        file.create_dataset("filename", data=names, dtype=h5py.string_dtype())
        file["window"] = np.array([found["window"] for found in detections], np.int64)
        predictions = np.array([np.ravel(f["prediction"]) for f in detections], np.float32)
        file["prediction"] = predictions
        table = _table(names, detections, predictions)
        # In chunks, or PyTables takes it for no table.
        file.create_dataset("df", data=table, chunks=(max(1, min(len(table), _CHUNK)),))


def _table(
    names: Sequence[str], detections: Sequence[Mapping[str, Any]], predictions: np.ndarray
) -> np.ndarray:
    """A row for each window, as ``pandas.read_hdf(path, "df")`` reads it."""
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    classes = predictions.shape[1] if predictions.ndim == 2 else 0
    longest = max(map(len, encoded), default=1) or 1
    kinds = [("filename", f"S{longest}"), *((corner, np.int64) for corner in CORNERS)]
    kinds += [(f"class{number}", np.float32) for number in range(classes)]
    table = np.zeros(len(encoded), kinds)
    if not encoded:
        return table
    table["filename"] = encoded
    windows = np.array([found["window"] for found in detections], np.int64)
    for number, corner in enumerate(CORNERS):
        table[corner] = windows[:, number]
    for number in range(classes):
        table[f"class{number}"] = predictions[:, number]
    return table
