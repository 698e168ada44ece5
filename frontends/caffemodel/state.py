"""Solver states: `.solverstate` files, protobuf or HDF5.

Caffe: SGDSolver::SnapshotSolverStateTo* and RestoreSolverStateFrom* in
src/caffe/solvers/sgd_solver.cpp.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

import numpy as np

from ir.errors import RoasteryError
from roastery.files.atomic_file import atomic_write
from roastery.files.h5py_later import h5py
from roastery.files.hdf5_file import Hdf5File, open_hdf5
from roastery.wire.blob_proto import decode_blob, encode_blob
from roastery.wire.encoding import (
    BYTES,
    FIXED32,
    bytes_field,
    float_field,
    packed_array,
    signed32,
    varint_field,
)
from roastery.wire.reader import DamagedMessage, WireReader, prefixed

from .content import is_hdf5, read_binary
from .hdf5 import write_state_hdf5

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP, _MINIMUM_LOSS, _LAST_EVENT = 1, 2, 3, 4, 5, 6
_NET_LAYER = 100


@dataclass
class SolverState:
    """Where a training run stands.

    Args:
        iter: iterations done.
        learned_net: path of the weights, as it was when the state was written.
        history: the solver's arrays, float32, in Caffe's order.
        current_step: how many steps of the learning rate are done (multistep, plateau).
        extra: what Caffe does not know and skips (the data position), by field number
            above 100; HDF5 files hold it under /extra.
        minimum_loss, iter_last_event: SSD's, of the policy plateau; None: the file holds none.
    """

    iter: int = 0
    learned_net: str = ""
    history: list[np.ndarray] = field(default_factory=list)
    current_step: int = 0
    extra: dict[int, bytes] = field(default_factory=dict)
    minimum_loss: float | None = None
    iter_last_event: int = 0


def read_state(path: str | os.PathLike[str]) -> SolverState:
    """Read a solver state, binary or HDF5.

    Raises:
        RoasteryError: the file is missing, empty, truncated, damaged or of another kind.
    """
    name = os.fspath(path)
    state = _read_hdf5(path) if is_hdf5(path) else _read_binary(path)
    for what in ("iter", "current_step", "iter_last_event"):
        value = getattr(state, what)
        if not 0 <= value < 1 << 31:
            raise RoasteryError(
                f"{name} is damaged: its {what} is {value}; a count from 0 was expected"
            )
    return state


def _read_binary(path: str | os.PathLike[str]) -> SolverState:
    name = os.fspath(path)
    reader = WireReader(read_binary(path, "a solver state").data)
    result = SolverState()
    seen: set[int] = set()
    try:
        for item in reader.fields():
            value = item.value
            is_weights = item.number in (_ITER, _NET_LAYER)
            if is_weights and item.wire_type == BYTES:
                raise RoasteryError(
                    f"{name} holds weights, not a solver state",
                    hint="--snapshot takes the .solverstate file; weights go to --weights",
                )
            seen.add(item.number)
            if item.number == _ITER and isinstance(value, int):
                result.iter = signed32(value)
            elif item.number == _CURRENT_STEP and isinstance(value, int):
                result.current_step = signed32(value)
            elif item.number == _LAST_EVENT and isinstance(value, int):
                result.iter_last_event = signed32(value)
            elif item.number == _MINIMUM_LOSS and item.wire_type == FIXED32:
                assert not isinstance(value, int)
                result.minimum_loss = float(packed_array(value, "<f4")[-1])
            elif item.number == _LEARNED_NET and not isinstance(value, int):
                result.learned_net = bytes(value).decode("utf-8", "surrogateescape")
            elif item.number == _HISTORY and item.wire_type == BYTES:
                result.history.append(decode_blob(reader, item).data)
            elif item.number > _NET_LAYER and not isinstance(value, int):
                result.extra[item.number] = bytes(value)
    except DamagedMessage as error:
        if error.truncated and _ITER in seen:
            raise RoasteryError(
                f"{name} is truncated: near byte {error.position}, {error}",
                hint="resume from an older snapshot",
            ) from None
        raise RoasteryError(
            f"{name} is not a solver state: near byte {error.position}, {error}"
        ) from None
    if _ITER not in seen:
        raise RoasteryError(f"{name} is not a solver state: it says no iteration")
    return result


def _read_hdf5(path: str | os.PathLike[str]) -> SolverState:
    name = os.fspath(path)
    with open_hdf5(path) as file:
        history = file.find("history")
        if file.find("iter") is None or not isinstance(history, h5py.Group):
            if isinstance(file.find("data"), h5py.Group):
                raise RoasteryError(
                    f"{name} holds weights, not a solver state",
                    hint="--snapshot takes the .solverstate.h5 file; weights go to --weights",
                )
            raise RoasteryError(f"{name} is not a solver state: it has no iter and history")
        count = len(history)
        blobs = [file.find(str(index), history) for index in range(count)]
        missing = [index for index, blob in enumerate(blobs) if blob is None]
        if missing:
            raise RoasteryError(f"{name}: /history has {count} members but no {missing[0]}")
        return SolverState(
            iter=file.integer("iter"),
            learned_net=file.text("learned_net"),
            history=[file.floats(blob) for blob in blobs],
            current_step=file.integer("current_step"),
            minimum_loss=_single(file, "minimum_loss"),
            iter_last_event=file.integer("iter_last_event"),
            extra=_extra(file),
        )


def _single(file: Hdf5File, path: str) -> float | None:
    """The only number of a data set; None where there is none."""
    found = file.find(path)
    if found is None:
        return None
    if not isinstance(found, h5py.Dataset) or found.size != 1:
        raise RoasteryError(f"{file.name}: {path} is not a number")
    return float(file.floats(found).reshape(-1)[0])


def _extra(file: Hdf5File) -> dict[int, bytes]:
    group = file.find("extra")
    if group is None:
        return {}
    if not isinstance(group, h5py.Group):
        raise RoasteryError(f"{file.name}: /extra is a data set; a group was expected")
    return {
        int(key): file.floats(item, "u").astype(np.uint8).tobytes()
        for key, item in file.members(group)
        if re.fullmatch(r"[0-9]{1,9}", key)
    }


def write_state(path: str | os.PathLike[str], state: SolverState) -> None:
    """Write a binary solver state, in one step: a kill leaves the old file or the new."""
    with atomic_write(path) as file:
        file.write(varint_field(_ITER, state.iter))
        learned_net = state.learned_net.encode("utf-8", "surrogateescape")
        file.write(bytes_field(_LEARNED_NET, learned_net))
        for values in state.history:
            pieces = encode_blob(values)
            file.write(prefixed(_HISTORY, sum(map(len, pieces))))
            for piece in pieces:
                file.write(piece)
        file.write(varint_field(_CURRENT_STEP, state.current_step))
        if state.minimum_loss is not None:
            file.write(float_field(_MINIMUM_LOSS, state.minimum_loss))
            file.write(varint_field(_LAST_EVENT, state.iter_last_event))
        for number, value in sorted(state.extra.items()):
            file.write(bytes_field(number, value))


def write_state_h5(path: str | os.PathLike[str], state: SolverState) -> None:
    """Write an HDF5 solver state, in one step."""
    learned_net = state.learned_net.encode("utf-8", "surrogateescape")
    scalars: dict[str, int | float | bytes] = {
        "iter": state.iter,
        "learned_net": learned_net,
        "current_step": state.current_step,
    }
    if state.minimum_loss is not None:
        scalars |= {
            "minimum_loss": state.minimum_loss,
            "iter_last_event": state.iter_last_event,
        }
    write_state_hdf5(path, scalars, state.history, state.extra)
