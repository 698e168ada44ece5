"""The work of a rank on a GPU, predicted: its launches one after the other, and where in them each
bucket is complete."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from benchmarks.predicted.nets import NETS
from compiler.architecture import Architecture
from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.plan.plan import Copy, PlanLaunch, Repeat, Step
from compiler.target import Target, typical
from compiler.triton.cost.prediction import KnownTimes, Prediction, predictions
from compiler.triton.cost.time import ATTAINED, LAUNCH
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from runtime.distributed.buckets import buckets_of
from runtime.memory.store import Store

from .overlap import RankWork

_UPDATE_MOVES = 6
"""Numbers of 4 bytes that the update of one parameter reads or writes, with momentum: parameter,
history and diff, each read and written."""

_KNOWN: dict[int, KnownTimes] = {}


@functools.cache
def predicted_work(
    net: str, batch: int, capability: int, precision: str, limit: int | None = None
) -> RankWork:
    """Of a rank that trains a net with this batch on a typical GPU of a generation."""
    device = typical(Architecture(capability))
    message = nets.net_from_text(NETS[net](batch), f"{net}.prototxt")
    program = lower_net(NetRequest(message, nets.state_message("TRAIN")), logger_report()).program
    options = CompileOptions(device, precision)
    compiled = compile_program(program, options, backward=True).compiled
    ends = step_ends(compiled, device)
    complete = compiled.plan.complete_after
    store = Store(program.variables, seed=1, given=frozenset(program.variables))
    buckets = buckets_of(store, limit)
    last = len(ends) - 1
    ready = [
        (max(ends[complete.get(name, last)] for name in bucket.names), bucket.nbytes)
        for bucket in buckets
    ]
    learns = sum(bucket.nbytes for bucket in buckets)
    groups = len(store.groups)
    update = groups * LAUNCH + _UPDATE_MOVES * learns / (device.bandwidth * ATTAINED)
    return RankWork(net, batch, ends[-1], update, tuple(in_order(ready)))


def in_order(ready: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """A bucket leaves after those before it, whenever it is complete."""
    found: list[tuple[float, int]] = []
    last = 0.0
    for seconds, nbytes in ready:
        last = max(last, seconds)
        found.append((last, nbytes))
    return found


def step_ends(compiled: CompiledGraph, device: Target) -> list[float]:
    """When each step of the plan has ended, in seconds since the first began."""
    known = _KNOWN.setdefault(device.capability, {})
    found = predictions(compiled, device, known)
    ends: list[float] = []
    now = 0.0
    for step in compiled.plan.steps:
        now += _seconds(step, found, device)
        ends.append(now)
    assert next(found, None) is None, "every prediction belongs to a step"
    return ends


def _seconds(step: Step, found: Iterator[Prediction], device: Target) -> float:
    if isinstance(step, PlanLaunch):
        return _launch(step, found)
    if isinstance(step, Repeat):
        return step.turns * sum(_launch(launch, found) for launch in step.launches)
    if isinstance(step, Copy):
        return LAUNCH
    raise ValueError(f"nobody knows how long the host takes for {step}")


def _launch(launch: PlanLaunch, found: Iterator[Prediction]) -> float:
    return 0.0 if 0 in launch.grid else next(found).time.seconds
