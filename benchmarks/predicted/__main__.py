"""Write docs/performance.md: what is predicted of the benchmark nets, and how exact that is.

    python -m benchmarks.predicted [--output FILE]

The rows are those of tests/plan/golden_traffic.txt, which tests/plan/test_traffic.py counts anew
when it is asked to.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from compiler.kernels.expressions import DotKind
from compiler.precision import HALF, IEEE, TF32, TF32X3

from .measured import Errors, launch_errors, lost_by_choice, product_errors
from .nets import BATCHES, DEVICE, NETS, PASSES, PRECISIONS, TITLES, Row, read_rows

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "plan" / "golden_traffic.txt"
PAGE = ROOT / "docs" / "performance.md"

HEAD = """# Predicted performance on GPUs

Written by `python -m benchmarks.predicted`; a test says when it is stale. **Nothing in the first
table was measured**: it is what the compiler's cost model (`compiler/triton/cost`) predicts,
which chooses tiles and splits, and which `roastery compile NET --target cuda:sm_90` shows kernel
by kernel. What was measured is in [benchmarks/results](../benchmarks/results), on GPUs in
[gpu-h200.md](../benchmarks/results/gpu-h200.md) (older kernels).
"""

NETS_TEXT = """
## The benchmark nets on {device}

Batch {batch}, {others}. Launches are kernels; GB is what they read and write of their tensors,
each once; GFLOP what matrix products and convolutions need, two for each multiply-add.
Milliseconds are predicted; behind them stands the roofline, which no kernels beat: bytes at the
memory's bandwidth ({bandwidth:.2f} TB/s), products at the highest rate of their precision.
Training is a forward and a backward pass; what a solver does with the diffs is not in it.
"""

MODEL_TEXT = """
## How a prediction is made

A launch is some rounds of programs, as many at a time as processors hold by registers, shared
memory and warps:

    round = start + max(programs on a processor x busy, busy of one + waits) + results written
    launch = overhead + what rounds and memory take beside each other

A program keeps its processor busy with whatever takes longest: matrix units (or multiply-adds),
issuing instructions, or the caches. Instructions, accesses (by their width and the lines that
they touch), loops and waits for memory are counted in the kernel's nodes at the sizes at hand;
nothing is compiled. Rates of devices are NVIDIA's specifications; rates of tiles and the few
constants (`compiler/triton/cost/time.py`) were fitted once, to what an H200 took. Other
generations have the same constants. In the loops of the hot layers whose machine code
[was read](../benchmarks/results/gpu-machine-code.md) 0.5 to 1.8 times as many instructions are
counted as there are, besides those that multiply (a test holds some to that).

## How exact it is

Beside what an H200 took (`tests/data/measured`; a test holds the model to it). The error of half
of the launches is below the median; "sum" is all predicted time over all measured time. Products
are convolutions and gradients of weights of ResNet-50 at batch 64, channels last, in several
tiles and splits.
"""

CHOICE_TEXT = """
Of the ways that were measured of {count} layers the model's first choice takes {mean:.1%} longer
than the best on average, and {worst:.0%} where it is worst ({layer}).

Kernels that multiply no matrices are those of training passes of LeNet, GoogLeNet and ResNet-50
at batch 64, row-major, as they were printed when they were measured:
"""

END_TEXT = """
Not predicted: what other work on the device does to clocks and caches, tensors that are still in
the second-level cache when the next kernel reads them, atomic operations, and what the host does.
Single programs that wait for one thing after the other (factors of many small tensors in one
launch) take longer than predicted.
"""

_KINDS = {
    DotKind(TF32X3): "`float32` (three products of tf32)",
    DotKind(TF32X3, held=True): "`float32`, gradients of weights",
    DotKind(TF32): "`tf32`",
    DotKind(TF32, held=True): "`tf32`, gradients of weights",
    DotKind(HALF): "`bfloat16`",
    DotKind(HALF, held=True): "`bfloat16`, gradients of weights",
    DotKind(IEEE): "`ieee`",
    DotKind(IEEE, held=True): "`ieee`, gradients of weights",
}
_KERNELS = {
    "flat": "pointwise, movement, pooling",
    "reduce_planes": "reductions of planes",
    "reduce_rows": "reductions of rows",
    "reduce_fold": "folds of partial reductions",
    "row": "softmax",
    "sum_partials": "sums of parts of products",
}


def page(rows: Sequence[Row]) -> str:
    other = [f"{TITLES[net]} {batch}" for net, batch in BATCHES.items() if batch != 64]
    nets = NETS_TEXT.format(
        device=DEVICE.name, batch=64, others=", ".join(other), bandwidth=DEVICE.bandwidth / 1e12
    )
    lost = lost_by_choice()
    worst = max(lost, key=lost.__getitem__)
    choice = CHOICE_TEXT.format(
        count=len(lost),
        mean=statistics.mean(lost.values()),
        worst=lost[worst],
        layer=f"{worst}, {_KINDS[worst.factors]}",
    )
    products, others = product_errors(), launch_errors()
    return "".join(
        (
            HEAD,
            nets,
            _table(_net_rows(rows)),
            MODEL_TEXT,
            _table(_error_rows("products", {_KINDS[kind]: products[kind] for kind in _KINDS})),
            choice,
            _table(_error_rows("kernels", {_KERNELS[name]: others[name] for name in _KERNELS})),
            END_TEXT,
        )
    )


def _net_rows(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    first = PRECISIONS[0]
    more = [f"{p}: ms (roofline)" for p in PRECISIONS]
    yield ("net", "pass", "launches", f"GB in {first}", "in bfloat16", "GFLOP", *more)
    by_key = {row.key: row for row in rows}
    for net in NETS:
        for kind in PASSES:
            found = [by_key[net, kind, precision] for precision in PRECISIONS]
            times = [f"{row.milliseconds:g} ({row.roofline:g})" for row in found]
            gigabytes = [f"{row.megabytes / 1e3:.3g}" for row in (found[0], found[-1])]
            counts = (str(found[0].launches), *gigabytes, f"{found[0].gigaflops:.4g}")
            yield (TITLES[net], kind, *counts, *times)


def _error_rows(what: str, errors: dict[str, Errors]) -> Iterator[tuple[str, ...]]:
    yield (what, "launches", "median error", "largest", "sum")
    for name, found in errors.items():
        cells = f"{found.median:.0%}", f"{found.worst:.0%}", f"{found.sums:.2f}"
        yield (name, str(found.count), *cells)


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    head, *others = rows
    lines = [head, ("---",) * len(head), *others]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="default: docs/performance.md")
    given = parser.parse_args(arguments)
    given.output.write_text(page(read_rows(GOLDEN)), encoding="utf-8")


if __name__ == "__main__":
    main()
