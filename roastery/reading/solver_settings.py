"""A solver file's settings: SolverParameter -> :class:`runtime.solver.config.SolverConfig`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from frontends.prototxt import Message
from frontends.upgrade import fill_snapshot_prefix, upgrade_solver
from ir.errors import RoasteryError
from ir.location import Location
from runtime.solver.config import SolverConfig
from runtime.solver.learning_rate import LearningRate, LearningRateConfig

from ..files.regular_file import check_name
from .nets import NetSource
from .prototxt_files import read_prototxt

_FIELDS = (
    "type",
    "max_iter",
    "display",
    "average_loss",
    "iter_size",
    "momentum",
    "momentum2",
    "rms_decay",
    "delta",
    "weight_decay",
    "regularization_type",
    "clip_gradients",
    "test_interval",
    "test_initialization",
    "test_compute_loss",
    "eval_type",
    "ap_version",
    "show_per_class_result",
    "snapshot",
    "snapshot_prefix",
    "snapshot_format",
    "snapshot_diff",
    "snapshot_after_train",
    "debug_info",
    "random_seed",
)
"""Fields that have the same name and meaning in both."""

HONOURED = ("eval_type", "ap_version", "show_per_class_result", "plateau_winsize")
"""Fields of SSD's solvers that are honoured here."""

_NOT_NEGATIVE = ("max_iter", "display", "snapshot", "test_interval", "stepsize")


@dataclass(frozen=True)
class SolverFile:
    """A solver file.

    Attributes:
        message: in the current form, with its snapshot_prefix filled in.
        prefix: how the file gives the prefix: "given", "unset" or as a "directory".
    """

    message: Message
    prefix: Literal["given", "unset", "directory"]


def read_solver_file(path: str | os.PathLike[str]) -> SolverFile:
    """Read a solver file.

    Raises RoasteryError for a missing file and for every mistake in it.
    """
    message = _upgraded(read_prototxt(Path(path), "SolverParameter"))
    before = message.get("snapshot_prefix")
    fill_snapshot_prefix(message, os.fspath(path))
    if before is None:
        return SolverFile(message, "unset")
    return SolverFile(message, "given" if message.snapshot_prefix == before else "directory")


def read_solver(source: NetSource) -> Message:
    """A SolverParameter in the current form, from a file or a message."""
    if isinstance(source, Message):
        return _upgraded(source)
    return read_solver_file(source).message


def _upgraded(solver: Message) -> Message:
    """In the current form; its ``notes`` say what was changed or ignored."""
    message, notes = upgrade_solver(solver)
    message.notes += notes
    return message


def solver_config(solver: Message) -> SolverConfig:
    """The settings of an upgraded SolverParameter.

    Raises RoasteryError for settings that Caffe refuses, and for those that it lets pass and
    that cannot be meant: a negative interval, a test without test_iter.
    """
    _refuse_foreign(solver)
    _check_counts(solver)
    places = {name: solver.location_of(name) for name in solver.fields_set()}
    config = SolverConfig(
        learning_rate=LearningRateConfig(
            policy=solver.lr_policy,
            base_lr=solver.base_lr,
            gamma=solver.gamma,
            power=solver.power,
            stepsize=solver.stepsize,
            stepvalue=tuple(solver.stepvalue),
            max_iter=solver.max_iter,
            plateau_winsize=tuple(solver.plateau_winsize),
            display=solver.display,
            location=solver.location_of("lr_policy"),
        ),
        test_iter=tuple(solver.test_iter),
        places={"": solver.location, **places},
        **{name: solver[name] for name in _FIELDS},
    )
    config.check()
    check_name(config.snapshot_prefix, config.place("snapshot_prefix"))
    LearningRate(config.learning_rate)  # which checks its part
    if (config.snapshot or config.snapshot_after_train) and not config.snapshot_prefix:
        raise RoasteryError(
            "the solver writes snapshots but has no snapshot_prefix",
            location=config.place("snapshot"),
            hint='add snapshot_prefix: "FOLDER/NAME", or set snapshot_after_train: false',
        )
    return config


def _refuse_foreign(solver: Message) -> None:
    """Settings of other forks that would change the training."""
    for name in solver.foreign_fields():
        if name in HONOURED:
            continue
        default = solver.message_type.fields[name].default
        if default is None or solver[name] != default:
            raise RoasteryError(
                f"`{name}` is a setting of another fork's solver, which trains differently",
                location=solver.location_of(name),
                hint="remove it; Roastery's solvers do not have it",
            )


def _check_counts(solver: Message) -> None:
    for name in _NOT_NEGATIVE:
        if solver[name] < 0:
            raise RoasteryError(
                f"{name} is {solver[name]}; it counts iterations, from 0",
                location=solver.location_of(name),
            )
    for i, count in enumerate(solver.test_iter):
        if count < 1:
            raise RoasteryError(
                f"test_iter is {count}; a test takes at least one batch",
                location=solver.location_of("test_iter", i),
            )


def check_tests(solver: Message, named: int, generic: int) -> None:
    """Do test_iter, test_state and test_interval fit the test nets?

    Args:
        named: how many nets test_net and test_net_param name.
        generic: 1 if the train net's file gives test nets too (net or net_param).

    Caffe: Solver::InitTestNets.
    """
    iters = len(solver.test_iter)
    if generic and iters < named:
        raise _mismatch(solver, "test_iter", iters, f"at least {named}")
    if not generic and iters != named:
        raise _mismatch(solver, "test_iter", iters, str(named))
    if solver.test_state and len(solver.test_state) != iters:
        raise _mismatch(solver, "test_state", len(solver.test_state), str(iters))
    if iters and solver.test_interval <= 0:
        raise RoasteryError(
            "test_iter is given, but no test_interval",
            location=solver.location_of("test_iter"),
            hint="say how many iterations lie between two tests, such as `test_interval: 500`",
        )
    if solver.test_interval > 0 and not iters:
        raise RoasteryError(
            f"test_interval is {solver.test_interval}, but there is no test_iter: nothing would "
            "be tested",
            location=solver.location_of("test_interval"),
            hint="say how many batches one test takes, such as `test_iter: 100`; "
            "or remove test_interval",
        )


def _mismatch(solver: Message, name: str, given: int, wanted: str) -> RoasteryError:
    return RoasteryError(
        f"{given} {name} given, {wanted} expected: one for each test net",
        location=solver.location_of(name),
    )


def prepare_snapshot_folder(prefix: str, place: Location | None) -> str | None:
    """Make the directory that snapshots go to, before hours of training.

    Returns the directory if it was made. Raises RoasteryError if it cannot be, or if nothing
    can be written there.
    """
    folder = Path(os.path.dirname(prefix))
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RoasteryError(
            f"snapshots cannot go to '{prefix}': {error.strerror}: {error.filename}",
            location=place,
            hint="give a snapshot_prefix in a directory that exists or can be made",
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RoasteryError(
            f"snapshots cannot go to '{prefix}': no permission to write in '{folder}'",
            location=place,
        )
    return str(folder) if made else None
