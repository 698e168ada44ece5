"""HDF5 files that are well-formed, and hold something else than a reader expects."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from ..inputs import Sample, one_file


def odd_file(name: str, members: tuple[str, ...], rng: Random, room: Path, rows: int = 4) -> Sample:
    """A file with the names that a reader looks for, and odd things below them."""
    path = room / "odd.h5"
    path.unlink(missing_ok=True)
    with h5py.File(path, "w") as file:
        for member in members:
            if rng.random() < 0.8:
                try:
                    _put(file, member, rng, rows)
                except (ValueError, OSError, TypeError, RuntimeError, KeyError):
                    continue  # a name below something that is no group
    return one_file(name, path.read_bytes())


def _put(file: h5py.File, name: str, rng: Random, rows: int) -> None:
    what = rng.randrange(16)
    shape = rng.choice(((), (0,), (rows,), (rows, 2), (rows, 1, 3, 3), (1,) * 32, (3, 18)))
    if what < 5:
        kind = rng.choice(("f4", "f8", "i4", "i8", "u1", "f2", "?", "c8", ">f4"))
        file.create_dataset(name, data=np.ones(shape, kind))
    elif what == 5:
        file.create_group(name)
    elif what == 6:
        file.create_dataset(name, data=rng.choice((b"text", "text", "x" * 100_000)))
    elif what == 7:
        huge = rng.choice(((2**40,), (2**31, 4), (10**5, 10**5)))
        file.create_dataset(name, huge, "f4", chunks=tuple(min(64, side) for side in huge))
    elif what == 8:
        file.create_dataset(name, (rng.choice((1, 2**20, 2**28)),), "f4", chunks=(2**16,),
                            compression="gzip", fillvalue=1)  # fmt: skip
    elif what == 9:
        file[name] = h5py.ExternalLink(rng.choice(("/etc/passwd", "other.h5", "/dev/zero")), "/x")
    elif what == 10:
        file[name] = h5py.SoftLink(rng.choice(("/nowhere", "/", name)))
    elif what == 11:
        file[name] = file["/"]
    elif what == 12:
        layout = h5py.VirtualLayout((rows, 2), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (rows, 2))
        file.create_virtual_dataset(name, layout)
    elif what == 13:
        external: Any = [("other.bin", 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(name, (rows,), "f4", external=external)
    elif what == 14:
        compound = np.dtype([("a", "f4"), ("b", "i4")])
        file.create_dataset(name, data=np.zeros(rows, compound))
    else:
        value = rng.choice((np.nan, np.inf, 3e38, -1.0, 1e300))
        file.create_dataset(name, data=np.full(shape, value))
