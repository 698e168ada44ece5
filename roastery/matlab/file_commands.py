"""Commands that read and write files.

Caffe: matlab/+caffe/io.m, matlab/hdf5creation/store2hdf5.m.
"""

from __future__ import annotations

from pathlib import Path

from ir.errors import RoasteryError
from runtime.data.mean_file import read_mean_axes, write_mean

from .arguments import MexArguments
from .hdf5_sets import GrowingSet, append_hdf5, create_hdf5
from .results import NOTHING, Result, mx_record, mx_row, mx_single


def _read_mean(given: MexArguments) -> Result:
    return mx_single(read_mean_axes(Path(given.path(0))))


def _write_mean(given: MexArguments) -> Result:
    mean = given.single(0)
    while mean.ndim > 3 and mean.shape[0] == 1:
        mean = mean[0]
    if mean.ndim == 2:
        mean = mean[None]
    if mean.ndim != 3 or not mean.size:
        raise RoasteryError(
            f"a mean of {mean.ndim} axes and {mean.size} values was given",
            hint="width x height x channels, or width x height",
        )
    write_mean(Path(given.path(1)), mean)
    return NOTHING


def _store_hdf5(given: MexArguments) -> Result:
    """Arguments: file, create, chunk, and of data and labels: values, sizes, start or nothing."""
    path, create, chunk = given.path(0), given.whole(1), given.whole(2)
    sets = [
        GrowingSet(
            name,
            given.single(at).reshape(given.wholes(at + 1)[::-1]),
            tuple(given.wholes(at + 2)[::-1]),
        )
        for name, at in (("data", 3), ("label", 6))
    ]
    shapes = create_hdf5(path, sets, chunk) if create else append_hdf5(path, sets)
    return mx_record({"data": mx_row(shapes[0][::-1]), "label": mx_row(shapes[1][::-1])})


COMMANDS = {"read_mean": _read_mean, "write_mean": _write_mean, "store_hdf5": _store_hdf5}
