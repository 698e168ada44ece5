"""A solver's snapshots in Caffe's files, and what Caffe forgets beside it.

Caffe: Solver::Snapshot in src/caffe/solver.cpp, SGDSolver in src/caffe/solvers/sgd_solver.cpp.
"""

from __future__ import annotations

import json
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from frontends.caffemodel import (
    SolverState,
    read_state,
    read_weights,
    write_state,
    write_state_h5,
)
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import Variable
from runtime.logging.solver_lines import SnapshotFormat
from runtime.memory.buffers import Buffer
from runtime.solver.solver import Solver

from ..files import leftovers
from ..files.leftovers import cut_name
from ..weights.digest import DIGEST_FIELD, has_digest, weights_digest, weights_of_state
from ..weights.parameters import load_weights, save_weights
from .prefix_lock import PrefixLock

POSITION_FIELD = 13001
"""Number of the field of a .solverstate that holds :meth:`Solver.position` as JSON; Caffe keeps
unknown fields unread. In HDF5 it is the dataset /extra/13001."""

_writers: weakref.WeakValueDictionary[str, SolverSnapshots] = weakref.WeakValueDictionary()
"""Who wrote a state in this process."""

_LONGEST_POSITION = 32 << 20
"""Bytes of JSON. The state of recurrent layers is the most of it."""

_STATE_NAME = re.compile(r"_iter_(\d+)\.solverstate(\.h5)?$")


class SolverSnapshots:
    """Writes and reads the files of one solver.

    Args:
        net: the train net as its snapshots describe it: filtered, with splits.
    """

    def __init__(self, net: Message) -> None:
        self._net = net
        self._lock: PrefixLock | None = None

    def claim(self, solver: Solver) -> None:
        """Hold the lock of the prefix, until :meth:`release` or the end of the solver.

        Raises RoasteryError if another process writes its snapshots.
        """
        if self._lock is None:
            config = solver.config
            self._lock = PrefixLock(config.snapshot_prefix, config.place("snapshot_prefix"))
            weakref.finalize(self, self._lock.release)
            if self._lock.remark:
                solver.log.note(self._lock.remark)

    def release(self) -> None:
        """Let other processes write snapshots of the prefix."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def save(self, solver: Solver) -> str:
        """Write ``<prefix>_iter_<N>.caffemodel`` and ``.solverstate``; returns the latter's path.

        Each file appears whole or not at all, weights first: a state that exists names weights
        that do.
        """
        self.claim(solver)
        config = solver.config
        format = cast(SnapshotFormat, config.snapshot_format)
        ending = ".h5" if format == "HDF5" else ""
        name = f"{config.snapshot_prefix}_iter_{solver.iteration}"
        weights, state = f"{name}.caffemodel{ending}", f"{name}.solverstate{ending}"
        train = solver.train
        solver.log.snapshotting(weights, format)
        save_weights(
            weights, self._net, train.program, train.store, format, diff=config.snapshot_diff
        )
        solver.log.snapshotting_state(state, format)
        plateau = solver.rate.plateau
        content = SolverState(
            iter=solver.iteration,
            learned_net=weights,
            history=[buffer.peek() for _, buffer in _history(solver)],
            current_step=solver.rate.current_step,
            minimum_loss=plateau.minimum_loss if plateau else None,
            iter_last_event=plateau.last_event if plateau else 0,
            extra={
                POSITION_FIELD: _position_of(solver),
                DIGEST_FIELD: weights_digest(weights),
            },
        )
        (write_state_h5 if format == "HDF5" else write_state)(state, content)
        self._tell_overwritten(solver, state)
        return state

    def _tell_overwritten(self, solver: Solver, state: str) -> None:
        """Scripts train several solvers at once; of one prefix only the last snapshot stays."""
        path = os.path.realpath(state)
        writer = _writers.get(path)
        if writer is not None and writer is not self:
            solver.log.warning(
                f"'{state}' was written by another solver of this process, and now by this one: "
                "give each a snapshot_prefix of its own"
            )
        _writers[path] = self

    def load(self, solver: Solver, path: str) -> None:
        """Restore from a state file: its weights, history, iteration, and data position.

        Files of Caffe hold no data position; the data then starts over, as in Caffe.

        Raises:
            RoasteryError: the state is of another solver or net, or its weights are missing or
                others than those it was written with.
        """
        state = read_state(path)
        history = list(_history(solver))
        self._check(solver, path, state, history)
        if state.learned_net:
            weights = weights_of_state(path, state)
            load_weights(weights, solver.train.program, solver.train.store, solver.log)
        if not path.endswith(".h5"):
            solver.log.restoring_history()
        for (_, buffer), values in zip(history, state.history, strict=True):
            buffer.array[...] = values.reshape(buffer.type.shape)
        solver.iteration = state.iter
        solver.rate.current_step = state.current_step
        if solver.rate.plateau is not None and state.minimum_loss is not None:
            solver.rate.plateau.minimum_loss = state.minimum_loss
            solver.rate.plateau.last_event = state.iter_last_event
        position = _position(path, state)
        if position is not None:
            solver.restore_position(position)

    def _check(
        self, solver: Solver, path: str, state: SolverState, history: list[tuple[Variable, Buffer]]
    ) -> None:
        kind = solver.config.type
        if len(state.history) != len(history):
            raise RoasteryError(
                f"'{path}' holds {len(state.history)} history blobs; for this net a solver of "
                f"type {kind} has {len(history)}",
                location=solver.config.place("type"),
                hint="resume with the solver type and the net that wrote the state, or start from "
                "its .caffemodel with --weights",
            )
        for (variable, buffer), values in zip(history, state.history, strict=True):
            if values.size != buffer.type.size:
                raise RoasteryError(
                    f"'{path}' holds {values.size} history values for param {variable.index} of "
                    f"layer '{variable.layer}', which has {buffer.type.size}",
                    location=variable.location,
                    hint="the net has changed since; start from the .caffemodel with --weights",
                )


def _history(solver: Solver) -> Iterator[tuple[Variable, Buffer]]:
    """History blobs in Caffe's order: of all parameters, then second ones of all parameters."""
    for part in solver.updater.history:
        for variable in solver.train.program.parameters:
            yield variable, part[variable.name]


def _position_of(solver: Solver) -> bytes:
    """Where a solver stands; without what ranks have for themselves, if that is too much."""
    position = solver.position()
    content = json.dumps(position).encode()
    if len(content) > _LONGEST_POSITION and position.pop("ranks", None):
        solver.log.warning(
            f"the state of recurrent layers of all ranks is larger than {_LONGEST_POSITION >> 20} "
            "MiB: the snapshot holds rank 0's alone, from which all go on where it is resumed"
        )
        content = json.dumps(position).encode()
    return content


def _position(path: str, state: SolverState) -> dict[str, Any] | None:
    content = state.extra.get(POSITION_FIELD)
    if content is None:
        return None
    found: Any = None
    if len(content) <= _LONGEST_POSITION:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict):
        raise RoasteryError(f"'{path}' is damaged: its data position cannot be read")
    return found


def _run(path: str) -> Any:
    """The name of the run that wrote a state."""
    return (_position(path, read_state(path)) or {}).get("run")


def saved_seed(path: str) -> int | None:
    """The seed of the run that wrote a state, if it says one."""
    position = _position(path, read_state(path)) or {}
    seed = position.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 63):
        raise RoasteryError(f"'{path}' is damaged: its seed is {seed!r:.80}")
    return seed


def newest_snapshot(
    prefix: str, tell: Callable[[str], None] | None = None, run: str = ""
) -> str | None:
    """The state with the highest iteration of a prefix that reads well, its weights too.

    Args:
        tell: is told of those that are passed over because they do not.
        run: only states that a run of this name wrote; empty: of any run.
    """
    folder, stem = _split(prefix)
    found: list[tuple[int, Path]] = []
    if folder.is_dir():
        for path in folder.iterdir():
            match = _STATE_NAME.search(path.name)
            if match and path.name[: match.start()] == stem:
                found.append((int(match.group(1)), path))
    for _, path in sorted(found, key=lambda item: (item[0], item[1].name), reverse=True):
        shown = os.path.join(os.path.dirname(prefix), path.name)
        try:
            if run and _run(shown) != run:
                continue
            _check_whole(shown)
        except RoasteryError as error:
            if tell is not None:
                tell(f"passing over '{shown}': {error.message}")
            continue
        return shown
    return None


def _split(prefix: str) -> tuple[Path, str]:
    """The folder of a prefix and how names in it begin; ``runs/`` names a folder."""
    folder, stem = os.path.split(prefix)
    return Path(folder), stem


def _check_whole(path: str) -> None:
    """Raises RoasteryError unless a state and its weights read well to their ends."""
    state = read_state(path)
    if state.learned_net:
        weights = weights_of_state(path, state)
        if not has_digest(state):  # an equal digest says that they are whole
            read_weights(weights)


def remove_half_written(prefix: str) -> None:
    """Remove half-written snapshots of runs that were killed while they wrote."""
    folder, stem = _split(prefix)
    start = cut_name(f"{stem}_iter_")
    leftovers.remove_leftovers(folder, lambda name: name.startswith(start))
