"""Several arrays by name in one file, as numpy reads them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO

import numpy as np

from ir.printable import printable


def write_npz(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """An .npz. numpy.savez loses an array that is called as one of its parameters. A name that no
    zip can hold stands in it as it is printed. The same arrays give the same bytes."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = f"{name if _holdable(name) else printable(name)}.npy"
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _holdable(name: str) -> bool:
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:
        return False
