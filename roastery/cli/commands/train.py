"""``roastery train``: train or finetune a net. Caffe: tools/caffe.cpp, train."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, UsageError
from ..devices import DEVICE_FLAGS, requested_device
from ..nets import (
    LOG_FLAG,
    PYTHON_FLAG,
    STATE_FLAGS,
    WEIGHTS_HELP,
    log_device,
    needed,
    python_layers,
    stages,
)

if TYPE_CHECKING:
    from frontends.prototxt import Message
    from runtime.logging import CaffeLog

_EFFECTS = ("stop", "snapshot", "none")


def _run(arguments: Arguments) -> None:
    from runtime.logging import CaffeLog
    from runtime.solver.actions import Action

    from ...data_notes import data_notes
    from ...solver_settings import read_solver_file
    from ...solvers import assemble, gpu_note, solver_device

    path = needed(arguments, "solver", "the solver file to train with")
    if arguments.snapshot and arguments.weights and arguments.snapshot != "auto":
        raise UsageError(
            "give --snapshot to resume training or --weights to finetune, but not both"
        )
    requested = requested_device(arguments)
    file = read_solver_file(path)
    message = file.message
    state = message.mutable("train_state")
    state.set("level", arguments.level)
    for stage in stages(arguments):
        state.add("stage", stage)
    with CaffeLog.open(json_path=arguments.log_json) as log, data_notes(log):
        if file.prefix != "given":
            was_directory = file.prefix == "directory"
            log.snapshot_prefix_set(message.snapshot_prefix, was_directory=was_directory)
        if remark := gpu_note(message, requested):
            log.warning(remark)
        device = solver_device(message, requested)
        log_device(log, device, "train")
        snapshot = _snapshot(arguments, message, log)
        if snapshot:
            message.clear("weights")
        elif arguments.weights:
            message.set("weights", [arguments.weights])
        seed = _saved_seed(message, snapshot)
        allowed = python_layers(arguments)
        built = assemble(message, device, log, seed=seed, allow_python=allowed)
        solver = built.solver
        effects = Action(arguments.sigint_effect), Action(arguments.sighup_effect)
        with solver.requests.handling(*effects):
            if snapshot:
                log.resuming_from(snapshot)
                solver.restore(snapshot)
            log.starting_optimization()
            solver.solve()
        log.train_done()


def _snapshot(arguments: Arguments, message: Message, log: CaffeLog) -> str | None:
    from ...snapshots import newest_snapshot, remove_leftovers

    if arguments.snapshot != "auto":
        return arguments.snapshot or None
    remove_leftovers(message.snapshot_prefix)
    newest = newest_snapshot(message.snapshot_prefix, log.warning)
    if newest is None:
        log.note(f"no snapshot of '{message.snapshot_prefix}' yet: starting from the beginning")
    return newest


def _saved_seed(message: Message, snapshot: str | None) -> int | None:
    """A run without random_seed goes on with the seed that it drew when it began."""
    from ...snapshots import saved_seed

    if snapshot is None or message.random_seed >= 0 or not os.path.exists(snapshot):
        return None
    return saved_seed(snapshot)


COMMAND = Command(
    name="train",
    summary="Train a net with a solver file",
    group="Nets",
    description="""
        Builds the nets that the solver file names, trains, tests and snapshots as it says. The log
        goes to standard error in the form of Caffe's, so that every reader of Caffe's logs works.

        Ctrl-C stops after the iteration and writes a snapshot; a second Ctrl-C stops at once.
    """,
    flags=(
        Flag("solver", "the solver file", metavar="FILE"),
        Flag(
            "snapshot",
            "a .solverstate to resume from; auto: the newest of the solver's prefix, if there is "
            "one",
            default="",
            metavar="FILE|auto",
        ),
        Flag("weights", f"weights to finetune: {WEIGHTS_HELP}", default="", metavar="FILE"),
        Flag("sigint_effect", "what Ctrl-C (SIGINT) does", default="stop", choices=_EFFECTS),
        Flag("sighup_effect", "what SIGHUP does", default="snapshot", choices=_EFFECTS),
        LOG_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
        *DEVICE_FLAGS,
    ),
    examples=(
        Example("roastery train --solver=solver.prototxt", "train from scratch"),
        Example(
            "roastery train --solver=solver.prototxt --weights=bvlc_alexnet.caffemodel",
            "finetune: layers of equal names start with these weights",
        ),
        Example(
            "roastery train --solver=solver.prototxt --snapshot=auto",
            "go on where the newest snapshot is",
        ),
    ),
    run=_run,
)
