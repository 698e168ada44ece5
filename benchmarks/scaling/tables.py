"""The tables of docs/scaling.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from benchmarks.predicted.nets import TITLES
from compiler.precision import BFLOAT16, TF32

from .collectives import AllReduce, Cluster, all_reduce, hierarchical
from .links import EFA, ETHERNET_25, ETHERNET_100, HDR, NDR, NVLINK, Network
from .overlap import RankWork, efficiency, iteration, straggling
from .predicted import predicted_work

Rows = Iterator[tuple[str, ...]]

BATCHES = {"resnet50": 64, "googlenet": 64, "mobilenet": 64, "vgg16": 32, "caffenet": 128}
"""Of a rank."""
H100, A100 = 90, 80
PRECISIONS = {H100: BFLOAT16, A100: TF32}
NAMES = {H100: "H100 SXM, bfloat16", A100: "A100, tf32"}
WEAK = {H100: (NDR, EFA, ETHERNET_100, ETHERNET_25), A100: (HDR, ETHERNET_100, ETHERNET_25)}
COUNTS = (8, 16, 32, 64, 128, 256, 512, 1024)
STRONG = {"resnet50": 2048, "caffenet": 2048}
"""Batches of all ranks."""


def work_of(
    net: str, capability: int, batch: int | None = None, limit: int | None = None
) -> RankWork:
    return predicted_work(
        net, batch or BATCHES[net], capability, PRECISIONS[capability], limit=limit
    )


def takes(count: int, capability: int, network: Network) -> AllReduce:
    return all_reduce(Cluster(count, NVLINK[capability], network))


def works() -> Rows:
    """What each rank computes, and sends."""
    yield (
        "net",
        "batch of a rank",
        "gradients, MB",
        "buckets",
        *(f"ms on {NAMES[capability]}" for capability in NAMES),
        "last bucket, MB",
        "complete after",
    )
    for net, batch in BATCHES.items():
        found = {capability: work_of(net, capability) for capability in NAMES}
        one = found[H100]
        ready, nbytes = one.buckets[-1]
        yield (
            TITLES[net],
            str(batch),
            f"{one.nbytes / 1e6:.1f}",
            str(len(one.buckets)),
            *(f"{work.alone * 1e3:.2g}" for work in found.values()),
            f"{nbytes / 1e6:.2f}",
            f"{ready / one.passes:.0%}",
        )


def weak(capability: int) -> Rows:
    """Efficiency, where each rank keeps its batch."""
    yield ("net", "between nodes", *(f"{count:,}" for count in COUNTS))
    for net in BATCHES:
        work = work_of(net, capability)
        for network in WEAK[capability]:
            shares = (efficiency(work, takes(count, capability, network)) for count in COUNTS)
            yield (TITLES[net], network.name, *(f"{share:.0%}" for share in shares))


def strong() -> Rows:
    """Where all ranks keep one batch: milliseconds, and efficiency beside 8 GPUs."""
    yield ("net", "batch of all", "between nodes", *(f"{count:,}" for count in COUNTS))
    for net, batch in STRONG.items():
        for network in (NDR, ETHERNET_100):
            cells = []
            first = 0.0
            for count in COUNTS:
                work = work_of(net, H100, batch // count)
                seconds = iteration(work, takes(count, H100, network)).seconds
                first = first or seconds * COUNTS[0]
                cells.append(f"{seconds * 1e3:.2g} ms ({first / seconds / count:.0%})")
            yield (TITLES[net], f"{batch:,}", network.name, *cells)


def mended() -> Rows:
    """What would help on 128 H100s over Ethernet of 100 Gb/s: efficiencies."""
    count, network = 128, ETHERNET_100
    cluster = Cluster(count, NVLINK[H100], network)
    plain = all_reduce(cluster)
    ways: dict[str, Callable[[RankWork], float]] = {
        "as it is": lambda work: efficiency(work, plain),
        "gradients in 16 bits": lambda work: efficiency(_smaller(work, 2), plain),
        "of 1 in 100 (top-k, deep gradient compression)": lambda work: efficiency(
            _smaller(work, 50), plain
        ),
        "hierarchical": lambda work: efficiency(work, partial(hierarchical, cluster=cluster)),
        "means of parameters each 8 iterations (local SGD)": lambda work: _local(work, plain, 8),
        "4 passes an iteration (iter_size)": lambda work: _passes(work, plain, 4),
    }
    yield ("", *(TITLES[net] for net in BATCHES))
    for name, share in ways.items():
        yield (name, *(f"{share(work_of(net, H100)):.0%}" for net in BATCHES))


def bucket_sizes() -> Rows:
    """Efficiencies of ResNet-50 by the size of buckets."""
    sizes = (1, 2, 4, 8, 16, 32, 128)
    yield ("between nodes", "GPUs", *(f"{size} MiB" for size in sizes))
    for network in (NDR, ETHERNET_100):
        for count in (8, 64, 1024):
            shares = [
                efficiency(work_of("resnet50", H100, limit=size << 20), takes(count, H100, network))
                for size in sizes
            ]
            yield (network.name, f"{count:,}", *(f"{share:.1%}" for share in shares))


def stragglers() -> Rows:
    """How much longer than the mean the slowest rank takes."""
    yield ("deviation of a rank's step", *(f"{count:,}" for count in COUNTS))
    for deviation in (0.01, 0.03, 0.1):
        shares = (straggling(deviation, count) - 1 for count in COUNTS)
        yield (f"{deviation:.0%}", *(f"+{share:.1%}" for share in shares))


def _smaller(work: RankWork, factor: float) -> RankWork:
    buckets = tuple((ready, int(nbytes / factor)) for ready, nbytes in work.buckets)
    return replace(work, buckets=buckets)


def _local(work: RankWork, each: AllReduce, iterations: int) -> float:
    """Nothing travels but parameters, after so many iterations, and nothing hides it."""
    travels = sum(each(nbytes) for _, nbytes in work.buckets)
    return iterations * work.alone / (iterations * work.alone + travels)


def _passes(work: RankWork, each: AllReduce, passes: int) -> float:
    """Gradients of several passes travel together, during the last."""
    before = (passes - 1) * work.passes
    alone = before + work.alone
    return alone / (before + iteration(work, each).seconds)


TABLES: dict[str, Callable[[], Rows]] = {
    "works": works,
    "weak-h100": partial(weak, H100),
    "weak-a100": partial(weak, A100),
    "strong": strong,
    "bucket-sizes": bucket_sizes,
    "mended": mended,
    "stragglers": stragglers,
}


def markdown(rows: Rows) -> str:
    head, *others = rows
    lines: Sequence[tuple[str, ...]] = [head, ("---",) * len(head), *others]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
