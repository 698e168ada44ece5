"""``roastery train``: train or finetune a net. Caffe: tools/caffe.cpp, train."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from ..caffe_flags import CAFFE_FLAGS
from ..command import Arguments, Command, Example, Flag, UsageError, needed
from ..compilation import COMPILATION_FLAGS, requested_compilation
from ..devices import DEVICE_FLAG
from ..log_flags import LOG_FLAGS, log_device
from ..nets import PYTHON_FLAG, STATE_FLAGS, WEIGHTS_HELP, python_layers, stages
from ..rank_devices import RANKS_FLAG, SEVERAL_GPUS_FLAG, device_of, rank_devices
from ..say import say_note
from ..signals import held_signals
from ..streams import surviving_streams
from ..training_bar import training_bar

if TYPE_CHECKING:
    from frontends.prototxt import Message
    from runtime.logging import CaffeLog
    from runtime.solver.actions import Action, ActionRequests
    from runtime.solver.solver import Solver

    from ...ranks.place import RankPlace
    from ...training.timelines import TimelineFile

_EFFECTS = ("stop", "snapshot", "none")
_SIGNALS = {"sigint": signal.SIGINT, "sigterm": signal.SIGTERM, "sighup": signal.SIGHUP}


def _run(arguments: Arguments) -> int:
    from runtime.solver.actions import ActionRequests

    from ...ranks.joining import one_voice
    from ...ranks.place import rank_place
    from ...ranks.with_parent import end_with_parent

    place = rank_place()
    alone = place is None or place.count == 1
    if alone and len(devices := rank_devices(arguments)) > 1:
        from ...ranks.local import run_local_ranks

        needed(arguments, "solver", "the solver file to train with")
        return run_local_ranks(len(devices), ["train", *arguments.words], held_signals())
    requests = ActionRequests()
    end_with_parent()
    with one_voice(place, lambda: requests.stopping or bool(held_signals())):
        devices = rank_devices(arguments)
        requested = devices[0] if place is None else device_of(place, devices)
        _train(arguments, place, requested, requests)
    return 0


def _train(
    arguments: Arguments, place: RankPlace | None, requested: str | None, requests: ActionRequests
) -> None:
    """Train as one process, which may be one of several ranks. Rank 0 speaks, and has the files."""
    from runtime.data.notes import to_log
    from runtime.logging import CaffeLog

    from ...devices.compile_options import precision_hint
    from ...ranks.joining import joined_ranks, shared_seed
    from ...reading.solver_settings import read_solver_file
    from ...training.events.event_file import check_writer
    from ...training.prefix_lock import claimed_prefix
    from ...training.snapshots import remove_half_written
    from ...training.solvers import assemble, gpu_note, solver_device

    path = needed(arguments, "solver", "the solver file to train with")
    if arguments.snapshot and arguments.weights and arguments.snapshot != "auto":
        raise UsageError(
            "give --snapshot to resume training or --weights to finetune, but not both"
        )
    if arguments.tensorboard:
        check_writer()
    first = place is None or place.rank == 0
    file = read_solver_file(path)
    message = file.message
    state = message.mutable("train_state")
    state.set("level", arguments.level)
    for stage in stages(arguments):
        state.add("stage", stage)
    effects = _effects(arguments)
    with (
        surviving_streams(),
        _log(arguments) if first else CaffeLog() as log,
        requests.handling(effects),
        contextlib.ExitStack() as claims,
    ):
        for number in held_signals():
            requests.request(effects[number], number)
        if file.prefix != "given":
            was_directory = file.prefix == "directory"
            log.snapshot_prefix_set(message.snapshot_prefix, was_directory=was_directory)
        if remark := gpu_note(message, requested):
            log.warning(remark)
        device = solver_device(message, requested)
        if place is not None and device == "cuda":
            device = f"cuda:{place.local_rank}"
        tell = log.warning if first else say_note
        ranks = claims.enter_context(joined_ranks(place, device, tell))
        log_device(log, device, "train")
        if ranks.count > 1:
            log.note(
                f"{ranks.count} ranks train together, each by batches of batch_size records: a "
                f"batch of all has {ranks.count} times as many"
            )
        if first:
            with requests.held():
                claims.enter_context(claimed_prefix(message, log.note))
            remove_half_written(message.snapshot_prefix)
        noted = _timeline(arguments, ranks.rank)
        # torchrun counts on each machine for itself how often its ranks were started again.
        again = place is not None and ranks.highest_later(place.restarts)() > 0
        run = "" if place is None else place.run
        found = _snapshot(arguments, message, log, run, again=again) if first else None
        snapshot = ranks.from_first(found)
        if snapshot:
            message.clear("weights")
        elif arguments.weights:
            message.set("weights", [arguments.weights])
        seed = ranks.from_first(_saved_seed(message, snapshot) if first else None)
        allowed, asked = python_layers(arguments), requested_compilation(arguments)
        solver = assemble(
            message,
            device,
            log,
            seed=shared_seed(ranks, message, seed),
            asked=asked,
            allow_python=allowed,
            notes=to_log(log),
            ranks=ranks,
            sync_batch_norm=arguments.sync_batch_norm,
            bucket_bytes=None
            if arguments.bucket_mib is None
            else int(arguments.bucket_mib * 2**20),
            timeline=None if noted is None else noted.timeline,
        ).solver
        if hint := precision_hint(solver.train.options, asked):
            log.note(hint)
        solver.requests, solver.run = requests, run
        if snapshot:
            log.resuming_from(snapshot)
            solver.restore(snapshot)
        if arguments.tensorboard and first:
            _write_events(arguments, solver, log)
        if noted is not None:
            noted.follow(solver)
        requests.begin()
        log.starting_optimization()
        with training_bar(solver, log, wanted=arguments.progress and first):
            solver.solve()
        if noted is not None:
            noted.write(solver)
        log.train_done()


def _log(arguments: Arguments) -> CaffeLog:
    from runtime.logging import CaffeLog

    return CaffeLog.open(json_path=arguments.log_json, log_path=arguments.log_file)


def _timeline(arguments: Arguments, rank: int) -> TimelineFile | None:
    if not arguments.timeline:
        return None
    from ...training.timelines import TimelineFile

    return TimelineFile(arguments.timeline, rank, arguments.timeline_iterations)


def _write_events(arguments: Arguments, solver: Solver, log: CaffeLog) -> None:
    from ...training.events import EventFile, LogEvents, show_parameters

    file = EventFile(arguments.tensorboard, solver.iteration)
    log.handlers.append(LogEvents(file, solver))
    show_parameters(solver, file, arguments.tensorboard_every or 0)


def _effects(arguments: Arguments) -> dict[int, Action]:
    from runtime.solver.actions import Action

    return {
        number: Action(getattr(arguments, f"{name}_effect")) for name, number in _SIGNALS.items()
    }


def _snapshot(
    arguments: Arguments, message: Message, log: CaffeLog, run: str, *, again: bool
) -> str | None:
    """The state to go on from. Ranks that are started again go on from the newest that they wrote
    before, if there is one, whatever they began with."""
    from ...training.snapshots import newest_snapshot

    auto = arguments.snapshot == "auto"
    if not auto and not again:
        return arguments.snapshot or None
    newest = newest_snapshot(message.snapshot_prefix, log.warning, "" if auto else run)
    if newest is None:
        if not auto and arguments.snapshot:
            return str(arguments.snapshot)
        log.note(f"no snapshot of '{message.snapshot_prefix}' yet: starting from the beginning")
    return newest


def _saved_seed(message: Message, snapshot: str | None) -> int | None:
    """A run without random_seed goes on with the seed that it drew when it began."""
    from ...training.snapshots import saved_seed

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

        Ctrl-C and SIGTERM stop after the iteration, write a snapshot and exit with 0; a second one
        stops at once. Before the first iteration there is nothing to save: they end the command
        with 130 or 143. SIGHUP writes a snapshot and goes on. Nothing that happens to the log (a
        pipe that nobody reads, a full disk) ends the training; --log_file keeps a log that no
        signal of the terminal reaches, as it reaches `tee`.

        A snapshot that cannot be written is told, and tried again when the next is due; at the
        end that is an error (exit code 1). One training at a time writes the snapshots of a
        prefix.

        On a terminal a bar below the log tells how far it is, images a second, and when it will be
        done; files and pipes get the log alone. --tensorboard adds a file of events to a folder:
        a training that goes on from a snapshot goes on there, too, and what an earlier one wrote
        of later iterations is no longer shown.

        Several ranks train one net: -gpu=0,1 or --ranks=N starts them here, `torchrun
        --nproc-per-node=N -m roastery train ...` here and on other machines. Each reads records of
        its own, batch_size of them, so that the batch is N times as large; gradients are averaged.
        Rank 0 writes the log and the snapshots. Ranks that torchrun starts again go on from the
        newest snapshot. `roastery help distributed` says more.
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
        Flag(
            "tensorboard",
            "also write what TensorBoard shows into a folder: losses, rates, what tests say, "
            "histograms of weights and gradients, and the filters of the first layer",
            default="",
            metavar="DIR",
        ),
        Flag(
            "tensorboard_every",
            "iterations between histograms; without it as often as the solver tests",
            "int",
            None,
            minimum=1,
            metavar="N",
        ),
        Flag(
            "progress",
            "draw no bar with images a second and the time that is left, as is done on a terminal",
            "bool",
            True,
        ),
        Flag("sigint_effect", "what Ctrl-C (SIGINT) does", default="stop", choices=_EFFECTS),
        Flag(
            "sigterm_effect",
            "what SIGTERM (docker stop, Slurm, Kubernetes) does",
            default="stop",
            choices=_EFFECTS,
        ),
        Flag("sighup_effect", "what SIGHUP does", default="snapshot", choices=_EFFECTS),
        *LOG_FLAGS,
        *STATE_FLAGS,
        PYTHON_FLAG,
        RANKS_FLAG,
        Flag(
            "sync_batch_norm",
            "normalise by the mean and variance of all ranks' records, in BatchNorm and BN layers: "
            "else each rank normalises its own batch",
            "bool",
            False,
        ),
        Flag(
            "bucket_mib",
            "MiB of gradients that ranks average at once, while backward still runs: less begins "
            "earlier, more costs less for each; without it a 16th of all, up to 8",
            "float",
            None,
            minimum=0.001,
            metavar="MIB",
        ),
        Flag(
            "timeline",
            "also write what each rank did when: forward, backward, gradients that travel, waiting "
            "(Chrome's trace events: open it at ui.perfetto.dev). On GPUs it shows when the host "
            "queued them",
            default="",
            metavar="FILE",
        ),
        Flag(
            "timeline_iterations",
            "iterations that --timeline shows, from the first",
            "int",
            10,
            minimum=1,
            metavar="N",
        ),
        DEVICE_FLAG,
        SEVERAL_GPUS_FLAG,
        *COMPILATION_FLAGS,
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
        Example(
            "roastery train --solver=solver.prototxt -gpu=0,1",
            "on two GPUs, with twice the batch",
        ),
        Example(
            "roastery train --solver=solver.prototxt --device=cpu --ranks=2",
            "on the processors of this machine, likewise",
        ),
        Example(
            "roastery train --solver=solver.prototxt --tensorboard=runs/first",
            "and watch it by `tensorboard --logdir=runs`",
        ),
    ),
    signals="own",
    accepts=CAFFE_FLAGS,
    run=_run,
)
