"""What layers remember from batch to batch besides parameters: the state of recurrent layers.

No snapshot of Caffe's holds it; ours do, so that a resumed run is the unbroken one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from ir.program import RANDOM_CELL, Cell

from ..store import Store


def saved_state(store: Store) -> dict[str, Any]:
    """Hidden cells by name, for JSON: shape, and the values as base64 (little endian)."""
    return {
        cell.name: {
            "shape": list(cell.type.shape),
            "values": base64.b64encode(_bytes(store.data[cell.name].peek())).decode("ascii"),
        }
        for cell in _hidden(store)
    }


def restore_state(store: Store, saved: Mapping[str, Any]) -> None:
    """Inverse of :func:`saved_state`. Cells that have another shape by now start anew.

    Raises RoasteryError for values that were not written by it.
    """
    for cell in _hidden(store):
        known = saved.get(cell.name)
        if not isinstance(known, Mapping) or known.get("shape") != list(cell.type.shape):
            continue
        dtype = cell.type.dtype.numpy.newbyteorder("<")
        try:
            values = np.frombuffer(base64.b64decode(known.get("values", ""), validate=True), dtype)
            store.data[cell.name].array[...] = values.reshape(cell.type.shape)
        except (binascii.Error, TypeError, ValueError) as error:
            raise RoasteryError(
                f"the saved state of layer '{cell.layer}' is damaged: {error}"
            ) from error


def _hidden(store: Store) -> Iterator[Cell]:
    for cell in store.cells.values():
        if cell.index < 0 and cell.name != RANDOM_CELL and cell.name not in store.shared:
            yield cell


def _bytes(values: np.ndarray) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
