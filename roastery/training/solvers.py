"""Solvers from files: settings, train and test nets, snapshots. Caffe: src/caffe/solver.cpp."""

from __future__ import annotations

import functools
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontends.prototxt import Message, to_protobuf, to_text
from ir.errors import RoasteryError
from ir.program import NetProgram
from runtime.backends.backend import is_remote
from runtime.data.config import SolverSpan
from runtime.data.notes import Notes, to_logger
from runtime.data.share import ALL, Share
from runtime.distributed.ranks import ALONE, Ranks
from runtime.distributed.timeline import Timeline
from runtime.distributed.turns import takes_turns
from runtime.exclusive import Exclusive, exclusive
from runtime.logging import CaffeLog
from runtime.logging.solver_lines import NetOutput
from runtime.memory.buffers import Memory
from runtime.memory.shared import shareable
from runtime.python.own_exceptions import own_exceptions
from runtime.python.permission import python_allowed
from runtime.solver.config import SolverConfig
from runtime.solver.debug_info import show_debug_info
from runtime.solver.rules import RULES
from runtime.solver.solver import Solver

from ..building import BuiltNet, ExecutionMode, LogReport, NetBuilder, NetRequest
from ..building.builder import Records, all_records
from ..devices.backends import choose_device, cuda_missing, open_backend
from ..devices.compile_options import NOTHING_ASKED, CompileRequest, Passes, compile_options
from ..files.missing import missing
from ..reading import nets
from ..reading.nets import NetSource
from ..reading.solver_settings import (
    check_tests,
    prepare_snapshot_folder,
    read_solver,
    solver_config,
)
from ..weights.parameters import load_weights
from .memory_note import tell_peak
from .snapshots import SolverSnapshots

_LOGGER = logging.getLogger("roastery")
_TRAIN_FIELDS = ("train_net_param", "train_net", "net_param", "net")


@dataclass
class BuiltSolver:
    """A solver and the nets it was built with."""

    solver: Solver
    train: BuiltNet
    tests: list[BuiltNet]


@functools.cache
def _warn_once(remark: str) -> None:
    _LOGGER.warning("%s", remark)


class UsersSolver(Solver):
    """A solver in a script's hands, in one thread at a time.

    What a Python layer raises arrives as it was raised.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._use = Exclusive("the solver")

    @exclusive
    @own_exceptions()
    def solve(self, resume: str | None = None) -> None:
        super().solve(resume)

    @exclusive
    @own_exceptions()
    def step(self, iterations: int) -> None:
        super().step(iterations)

    @exclusive
    @own_exceptions()
    def test(self, index: int = 0) -> list[NetOutput]:
        return super().test(index)

    @exclusive
    def apply_update(self) -> None:
        super().apply_update()

    @exclusive
    def snapshot(self) -> None:
        super().snapshot()

    @exclusive
    def restore(self, path: str) -> None:
        super().restore(path)


@dataclass(frozen=True)
class _NetOf:
    """A net that a solver names: its field, and the file if the field names one."""

    field: str
    net: Message
    file: str = ""

    @property
    def specified_by(self) -> str:
        return f"{self.field} file: {self.file}" if self.file else self.field


def build_solver(
    source: NetSource,
    device: str | None = None,
    log: CaffeLog | None = None,
    *,
    layerwise: bool = False,
    seed: int | None = None,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    threads: int | None = None,
    memory_budget: str | int | None = None,
    allow_python: bool | None = None,
) -> Solver:
    """A solver from a solver file or a SolverParameter message; see :func:`assemble`."""
    mode: ExecutionMode = "layerwise" if layerwise else "fused"
    message = read_solver(source)
    if remark := gpu_note(message, device):
        _warn_once(remark)
    with own_exceptions():
        built = assemble(
            message,
            device,
            log,
            mode=mode,
            seed=seed,
            kind=UsersSolver,
            asked=CompileRequest(
                precision, passes, layout, threads=threads, memory_budget=memory_budget
            ),
            allow_python=allow_python,
        )
    return built.solver


def assemble(
    solver: Message,
    device: str | None = None,
    log: CaffeLog | None = None,
    *,
    mode: ExecutionMode = "fused",
    seed: int | None = None,
    kind: type[Solver] = Solver,
    asked: CompileRequest = NOTHING_ASKED,
    allow_python: bool | None = None,
    notes: Notes = to_logger,
    ranks: Ranks = ALONE,
    share: Share = ALL,
    sync_batch_norm: bool = False,
    bucket_bytes: int | None = None,
    timeline: Timeline | None = None,
) -> BuiltSolver:
    """Build a solver and its nets, with the log lines of Caffe.

    Args:
        solver: from :func:`roastery.reading.solver_settings.read_solver`.
        device: as ``--device``; otherwise the environment, solver_mode and the machine decide.
        mode: debug_info makes it layerwise.
        seed: instead of the file's random_seed.
        kind: the class of the solver.
        asked: of the compiler.
        allow_python: as in :func:`roastery.compile`.
        notes: gets what data sources say.
        ranks: train with it from now on: its data is shared out between them. All have the same
            seed.
        share: the records to learn from, where other processes that it meets later learn from the
            others.
        sync_batch_norm: BatchNorm has the statistics of the records of all ranks.
        bucket_bytes: of gradients that travel at once; by default it follows the net.
        timeline: is told what happens when.

    Raises RoasteryError for every mistake in the solver or its nets, before anything is written.
    """
    log = log or CaffeLog()
    log.initializing_solver(to_text(solver))
    train_net, tests = _train_net(solver), list(_test_nets(solver))
    config = solver_config(solver)
    backend = open_backend(solver_device(solver, device))
    if seed is None:
        seed = config.random_seed if config.random_seed >= 0 else secrets.randbits(31)
    report = LogReport(log, notes)
    options = compile_options(backend, asked, report.note)
    builder = NetBuilder(
        backend,
        options,
        report,
        "layerwise" if config.debug_info else mode,
        histories=RULES[config.type][1],
    )
    report.say(solver.notes)
    allowed = python_allowed(allow_python)
    nets_of = _SolverNets(builder, log, solver, seed, allowed, ranks, share, sync_batch_norm)
    train = nets_of.train(train_net)
    built = [nets_of.test(i, wanted, train) for i, wanted in enumerate(tests)]
    if config.writes_snapshots and config.snapshot_format == "BINARYPROTO":
        to_protobuf(train.message)  # what no snapshot can hold is told now, not after training
    _prepare_snapshots(config, log)
    result = kind(
        config,
        train.net,
        [test.net for test in built],
        log,
        SolverSnapshots(train.message),
    )
    result.unshared = [list(test.unshared) for test in built]
    if config.debug_info:
        show_debug_info(result)
    # On CPUs nothing, unless it is asked for: a log has the lines of Caffe's.
    if not train.net.by_layer and (options.memory_budget is not None or is_remote(backend)):
        tell_peak(result, train.net, log)
    result.takes_turns = [takes_turns(test.program) for test in built]
    if ranks.count > 1 or timeline is not None:
        result.join(ranks, bucket_bytes, timeline)
    log.scaffolding_done()
    return BuiltSolver(result, train, built)


def solver_device(solver: Message, requested: str | None) -> str:
    """The device to train on: as asked for, or as the environment or the solver file say."""
    mode = solver.solver_mode if solver.has("solver_mode") else None
    if _file_decides(solver, requested) and cuda_missing() is None:
        return choose_device(f"cuda:{solver.device_id}")
    return choose_device(requested, solver_mode=mode)


def gpu_note(solver: Message, requested: str | None) -> str | None:
    """What to say when a solver file asks for a GPU and the machine has none."""
    if _file_decides(solver, requested) and (reason := cuda_missing()) is not None:
        return f"solver_mode is GPU, but there is none ({reason}): training on the CPU"
    return None


def _file_decides(solver: Message, requested: str | None) -> bool:
    """Whether it is the solver file that asks for a GPU."""
    if requested is not None or os.environ.get("ROASTERY_DEVICE"):
        return False
    return bool(solver.has("solver_mode") and solver.solver_mode == "GPU")


def _prepare_snapshots(config: SolverConfig, log: CaffeLog) -> None:
    if not config.snapshot and not config.snapshot_after_train:
        return
    made = prepare_snapshot_folder(config.snapshot_prefix, config.place("snapshot_prefix"))
    if made is not None:
        log.note(f"made the directory '{made}' for snapshots")


# --- which nets ---------------------------------------------------------------------------


def _train_net(solver: Message) -> _NetOf:
    given = [name for name in _TRAIN_FIELDS if solver.has(name)]
    if not given:
        raise RoasteryError(
            "the solver names no train net",
            location=solver.location,
            hint='add net: "FILE" (or net_param, train_net, train_net_param)',
        )
    if len(given) > 1:
        raise RoasteryError(
            f"the solver names its train net twice, in {given[0]} and {given[1]}",
            location=solver.location_of(given[0]),
            hint="keep one of net, net_param, train_net, train_net_param; "
            "net files for tests go to test_net",
        )
    return _named(solver, given[0])


def _test_nets(solver: Message) -> Iterator[_NetOf]:
    """Test nets in Caffe's order: messages, files, then the train net's own file."""
    named = len(solver.test_net_param) + len(solver.test_net)
    generic = [name for name in ("net_param", "net") if solver.has(name)]
    check_tests(solver, named, len(generic))
    for i in range(len(solver.test_net_param)):
        yield _named(solver, "test_net_param", i)
    for i in range(len(solver.test_net)):
        yield _named(solver, "test_net", i)
    for _ in range(len(solver.test_iter) - named):
        yield _named(solver, generic[0])


def _named(solver: Message, field: str, index: int = 0) -> _NetOf:
    value = solver[field]
    if isinstance(value, list):
        value = value[index]
    if isinstance(value, Message):
        return _NetOf(field, nets.read_net(value))
    if not Path(value).exists():
        raise missing(
            "file",
            value,
            solver.location_of(field, index),
            "relative paths start from the working directory",
            field=field,
        )
    return _NetOf(field, nets.read_net(value), value)


# --- building -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _SolverNets:
    """Builds the nets of a solver."""

    builder: NetBuilder
    log: CaffeLog
    solver: Message
    seed: int
    allow_python: bool
    ranks: Ranks
    learns_from: Share
    sync_batch_norm: bool

    def train(self, wanted: _NetOf) -> BuiltNet:
        self.log.creating_training_net(wanted.field, wanted.file)
        state = nets.state_message("TRAIN", wanted.net.state, self.solver.train_state)
        several = self._records().count > 1 and not is_remote(self.builder.backend)
        return self._build(
            wanted,
            state,
            self.seed,
            records=lambda _: self._records(),
            diff_memory=shareable if several else Memory,
        )

    def _records(self) -> Share:
        return self.learns_from if self.ranks.count == 1 else self._share()

    def test(self, index: int, wanted: _NetOf, train: BuiltNet) -> BuiltNet:
        self.log.creating_test_net(index, wanted.specified_by)
        parts = [wanted.net.state]
        if self.solver.test_state:
            parts.append(self.solver.test_state[index])
        state = nets.state_message("TEST", *parts)
        turns = self.solver.test_iter[index]

        def records(program: NetProgram) -> Share:
            return self._share(turns) if takes_turns(program) else ALL

        return self._build(wanted, state, _test_seed(self.seed, index), train, records)

    def _share(self, turns: int = 0) -> Share:
        return Share(self.ranks.rank, self.ranks.count, turns)

    def _build(
        self,
        wanted: _NetOf,
        state: Message,
        seed: int,
        share: BuiltNet | None = None,
        records: Records = all_records,
        diff_memory: Callable[[int], Memory] = Memory,
    ) -> BuiltNet:
        request = NetRequest(
            wanted.net,
            state,
            allow_python=self.allow_python,
            ranks=self.ranks if self.sync_batch_norm and self.ranks.count > 1 else None,
        )
        schedule = SolverSpan(self.solver.max_iter, max(1, self.solver.iter_size))
        built = self.builder.build(
            request,
            seed,
            share=share,
            schedule=schedule,
            records=records,
            diff_memory=diff_memory,
        )
        for listed in self.solver.weights if self.ranks.rank == 0 else ():
            for name in weight_files(listed):
                self.log.finetuning_from(name)
                load_weights(name, built.program, built.store, self.log)
        return built


def _test_seed(seed: int, index: int) -> int:
    """A test net draws other numbers than the train net and the other test nets."""
    return (seed + 1_000_003 * (index + 1)) & 0x7FFFFFFF


def weight_files(listed: str) -> Sequence[str]:
    """The files of ``--weights=a,b``."""
    return [name.strip() for name in listed.split(",")]
