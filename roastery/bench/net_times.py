"""How long a net's passes take, layer by layer or as a whole, told in Caffe's lines.

Caffe: tools/caffe.cpp, time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from runtime.backends.backend import synchronize
from runtime.logging import CaffeLog
from runtime.logging.command_lines import LayerTime
from runtime.net import PartitionedNet

from .layer_costs import LayerCost
from .work import work_of_parts


@dataclass(frozen=True, slots=True)
class NetTimes:
    """What was measured.

    Attributes:
        layers: in the net's order; none where it was timed as a whole.
        whole: of an iteration. total: milliseconds of all of them.
    """

    layers: Sequence[LayerCost]
    whole: LayerCost
    total: float


def time_layers(net: PartitionedNet, iterations: int, log: CaffeLog, peak: float) -> NetTimes:

    log.performing_forward()
    log.initial_loss(net.forward_loss())
    log.performing_backward()
    net.backward()
    synchronize(net.backend)
    log.benchmark_begins(iterations)
    layers = net.program.layers
    seconds = {"forward": [0.0] * len(layers), "backward": [0.0] * len(layers)}
    passes = {"forward": 0.0, "backward": 0.0}
    started = perf_counter()
    for iteration in range(iterations):
        begin = perf_counter()
        for number in range(len(layers)):
            before = perf_counter()
            net.forward(number, number)
            synchronize(net.backend)
            seconds["forward"][number] += perf_counter() - before
        middle = perf_counter()
        for number in reversed(range(len(layers))):
            before = perf_counter()
            net.backward(number, number)
            synchronize(net.backend)
            seconds["backward"][number] += perf_counter() - before
        end = perf_counter()
        passes["forward"] += middle - begin
        passes["backward"] += end - middle
        log.iteration_time(iteration + 1, _milliseconds(end - begin))
    total = 1000.0 * (perf_counter() - started)
    each = 1000.0 / iterations
    found = zip(layers, seconds["forward"], seconds["backward"], work_of_parts(net), strict=True)
    costs = [
        LayerCost(layer.name, layer.type, ahead * each, behind * each, *work)
        for layer, ahead, behind, work in found
    ]
    log.layer_times(
        [
            time
            for cost in costs
            for time in (
                LayerTime(cost.layer, "forward", cost.forward, cost.forward_work),
                LayerTime(cost.layer, "backward", cost.backward, cost.backward_work),
            )
        ],
        peak,
    )
    whole = _whole(net, passes["forward"] * each, passes["backward"] * each)
    log.benchmark_ends(whole.forward, whole.backward, total / iterations, total)
    return NetTimes(costs, whole, total)


def time_whole(net: PartitionedNet, iterations: int, log: CaffeLog, peak: float) -> NetTimes:
    """Forward alone, then forward and backward in one; a fused backward is never alone.

    ``peak`` is of no use here: what takes it tells of layers.
    """

    log.performing_forward()
    log.initial_loss(net.forward_loss())
    log.performing_backward()
    net.forward_backward()
    synchronize(net.backend)
    log.benchmark_begins(iterations)
    started = perf_counter()
    forward = both = 0.0
    for iteration in range(iterations):
        begin = perf_counter()
        net.forward_loss()
        synchronize(net.backend)
        middle = perf_counter()
        net.forward_backward()
        synchronize(net.backend)
        end = perf_counter()
        forward += middle - begin
        both += end - middle
        log.iteration_time(iteration + 1, _milliseconds(end - middle))
    each = 1000.0 / iterations
    total = 1000.0 * (perf_counter() - started)
    whole = _whole(net, forward * each, max(both - forward, 0.0) * each)
    log.benchmark_ends(whole.forward, whole.backward, both * each, total)
    return NetTimes((), whole, total)


def _whole(net: PartitionedNet, forward: float, backward: float) -> LayerCost:
    work = work_of_parts(net)
    ahead, behind = (sum(part[i] for part in work) for i in (0, 1))
    return LayerCost("all", "", forward, backward, ahead, behind)


def _milliseconds(seconds: float) -> float:
    """Caffe shows whole milliseconds; tenths tell more of fast nets."""
    return round(seconds * 1000.0, 1)
