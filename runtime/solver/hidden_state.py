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
from ir.program import NET_STATE, Variable

from ..memory.store import Store


def saved_state(store: Store) -> dict[str, Any]:
    """Hidden variables by name, for JSON: shape, and the values as base64 (little endian)."""
    return {
        variable.name: {
            "shape": list(variable.type.shape),
            "values": base64.b64encode(_bytes(store.data[variable.name].peek())).decode("ascii"),
        }
        for variable in _hidden(store)
    }


def restore_state(store: Store, saved: Mapping[str, Any]) -> None:
    """Inverse of :func:`saved_state`. Variables that have another shape by now start anew.

    Raises RoasteryError for values that were not written by it.
    """
    for variable in _hidden(store):
        known = saved.get(variable.name)
        if not isinstance(known, Mapping) or known.get("shape") != list(variable.type.shape):
            continue
        dtype = variable.type.dtype.numpy.newbyteorder("<")
        try:
            values = np.frombuffer(base64.b64decode(known.get("values", ""), validate=True), dtype)
            store.data[variable.name].array[...] = values.reshape(variable.type.shape)
        except (binascii.Error, TypeError, ValueError) as error:
            raise RoasteryError(
                f"the saved state of layer '{variable.layer}' is damaged: {error}"
            ) from error


def _hidden(store: Store) -> Iterator[Variable]:
    for variable in store.variables.values():
        if (
            variable.index < 0
            and variable.name not in NET_STATE
            and variable.name not in store.shared
        ):
            yield variable


def _bytes(values: np.ndarray) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
