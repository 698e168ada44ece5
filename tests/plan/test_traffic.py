"""What the benchmark nets launch and move on a GPU, and what that is predicted to take: a table, so
that a lost fusion is seen.

`pytest --update-golden -n 0 -m "exhaustive or not exhaustive" tests/plan/test_traffic.py` writes
it anew, and docs/performance.md.
Counted for an H100 (sm_90). Megabytes are those that each launch reads or writes of its tensors,
each once; gigaflops those of matrix products. Milliseconds have two digits, so that they stay while
a kernel changes little.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.predicted.__main__ import PAGE, page
from benchmarks.predicted.nets import NETS, PASSES, PRECISIONS, Row, counted, read_rows
from compiler.architecture import Architecture
from compiler.compiled import CompiledGraph
from compiler.kernel import Scratch
from compiler.options import CompileOptions
from compiler.precision import FLOAT16, FLOAT32
from compiler.target import typical
from compiler.traffic import traffic
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import dense, inputs, layer, recurrent

GOLDEN = Path(__file__).parent / "golden_traffic.txt"

# Launches in any precision, and gigabytes and predicted milliseconds in float32, that a pass may
# have at most.
LIMITS = {
    ("lenet", "training"): (31, 0.05, 0.15),
    ("googlenet", "training"): (330, 14.6, 17.8),
    ("resnet50", "inference"): (65, 7.0, 6.5),
    ("resnet50", "training"): (423, 40.0, 33.5),
    ("squeezenet", "training"): (125, 6.2, 6.1),
    ("mobilenet", "training"): (251, 18.6, 10.0),
    ("vgg16", "training"): (110, 31.9, 92.0),
    ("captioner", "training"): (328, 3.7, 5.1),
}


# Training takes seconds to compile, in three precisions: these nets' by `make test-exhaustive`.
LONG = {"mobilenet", "squeezenet", "fcn8s"}


def table() -> list[object]:
    return [
        pytest.param(
            name,
            kind,
            id=f"{name}-{kind}",
            marks=[pytest.mark.exhaustive] if kind == "training" and name in LONG else [],
        )
        for name in NETS
        for kind in PASSES
    ]


def compiled(text: str, phase: str, precision: str = FLOAT32) -> CompiledGraph:
    program = program_of(nets.net_from_text(text, "net.prototxt"), phase)
    options = CompileOptions(typical(Architecture(90)), precision)
    return compile_program(program, options, backward=phase == "TRAIN").compiled


def test_tensors_count_once_and_products_by_their_multiplications() -> None:
    """x[64, 3] is read by two operands of a sum, and by a product with w[5, 3]."""
    text = inputs(x=(64, 3)) + layer("sum", "Eltwise", "x x") + dense("y", "x", 5)
    doubled, product = traffic(compiled(text, "TEST"))
    assert (doubled.times, doubled.nbytes, doubled.flops) == (1, 4 * 2 * 64 * 3, 0)
    assert (product.times, product.flops) == (1, 2 * 64 * 3 * 5)
    scratch = [a.nbytes for a in product.launch.arguments if isinstance(a, Scratch)]
    assert product.nbytes - sum(scratch) == 4 * (64 * 3 + 5 * 3 + 5 + 64 * 5)


def test_a_loop_counts_every_turn() -> None:
    def flops(steps: int) -> int:
        rows = traffic(compiled(recurrent(steps), "TRAIN"))
        return sum(row.times * row.flops for row in rows)

    assert flops(12) == 3 * flops(4)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), table())
def test_launches_bytes_and_times(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    rows = list(counted(name, kind))
    known = {row.key: row for row in read_rows(GOLDEN)}
    if request.config.getoption("--update-golden"):
        known.update((row.key, row) for row in rows)
        keys = [(n, k, p) for n in NETS for k in PASSES for p in PRECISIONS]
        found = [known[key] for key in keys if key in known]
        GOLDEN.write_text("\n".join([Row.head(), *map(str, found)]) + "\n")
        return
    for row in rows:
        assert str(row) == str(known.get(row.key)), "--update-golden writes what is right now"


@pytest.mark.parametrize("limits", LIMITS.items(), ids=lambda item: " ".join(item[0]))
def test_passes_stay_within_their_limits(
    limits: tuple[tuple[str, str], tuple[int, float, float]],
) -> None:
    (name, kind), (launches, gigabytes, milliseconds) = limits
    rows = {row.precision: row for row in read_rows(GOLDEN) if row.key[:2] == (name, kind)}
    assert list(rows) == list(PRECISIONS)
    for row in rows.values():
        assert row.launches <= launches, row.precision
        assert row.megabytes <= 1e3 * gigabytes
        assert row.milliseconds <= milliseconds


@pytest.mark.slow
def test_limits_in_float16() -> None:
    launches, gigabytes, _ = LIMITS["resnet50", "training"]
    rows = list(traffic(compiled(NETS["resnet50"](64, deploy=False), "TRAIN", FLOAT16)))
    assert sum(row.times for row in rows) <= launches
    assert sum(row.times * row.nbytes for row in rows) <= 1e9 * gigabytes


def test_the_page_of_predictions_shows_the_table(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(read_rows(GOLDEN)))
    assert PAGE.read_text() == page(read_rows(GOLDEN)), "python -m benchmarks.predicted writes it"
