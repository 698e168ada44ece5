"""What the benchmark nets launch and move on a GPU: a table, so that a lost fusion is seen.

`pytest --update-golden -n 0 tests/plan/test_traffic.py` writes the table anew. Counted
for sm_90 at batch 64, in float32. Megabytes are those of the tensors that each launch reads or
writes, each once; gigaflops those of matrix products.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import captioner
from benchmarks.zoo.vgg16 import vgg16
from compiler.architecture import Architecture
from compiler.compiled import CompiledGraph
from compiler.kernel import Scratch
from compiler.options import CompileOptions
from compiler.target import typical
from compiler.traffic import traffic
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import dense, inputs, layer, recurrent

GOLDEN = Path(__file__).parent / "golden_traffic.txt"
BATCH = 64
ZOO_NETS = ("lenet", "caffenet", "squeezenet", "mobilenet", "googlenet", "resnet50")
NETS = {**{name: ZOO[name].text for name in ZOO_NETS}, "vgg16": vgg16, "captioner": captioner}
HEAD = f"{'net':11} {'pass':9} {'launches':>8} {'products':>8} {'megabytes':>10} {'gigaflops':>10}"


def compiled(text: str, phase: str) -> CompiledGraph:
    """What `train` runs; in phase TEST what `export` writes: BatchNorm is part of the weights."""
    program = program_of(nets.net_from_text(text, "net.prototxt"), phase)
    options = CompileOptions(typical(Architecture(90)))
    return compile_program(program, options, backward=phase == "TRAIN").compiled


PASSES = {"inference": "TEST", "training": "TRAIN"}


def counted(name: str, kind: str) -> str:
    """A row of the table."""
    phase = PASSES[kind]
    graph = compiled(NETS[name](BATCH, deploy=phase == "TEST"), phase)
    rows = list(traffic(graph))
    launches = sum(row.times for row in rows)
    assert launches == graph.plan.launch_count
    products = sum(row.times for row in rows if row.flops)
    megabytes = sum(row.times * row.nbytes for row in rows) / 1e6
    gigaflops = sum(row.times * row.flops for row in rows) / 1e9
    return f"{name:11} {kind:9} {launches:8} {products:8} {megabytes:10.1f} {gigaflops:10.2f}"


def key(row: str) -> tuple[str, ...]:
    return tuple(row.split()[:2])


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
@pytest.mark.parametrize("kind", PASSES)
@pytest.mark.parametrize("name", NETS)
def test_launches_and_bytes(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    row = counted(name, kind)
    _, *rows = GOLDEN.read_text().splitlines() if GOLDEN.exists() else [HEAD]
    if request.config.getoption("--update-golden"):
        found = {key(line): line for line in rows} | {key(row): row}
        ordered = [found[n, k] for n in NETS for k in PASSES if (n, k) in found]
        GOLDEN.write_text("\n".join([HEAD, *ordered]) + "\n")
        return
    assert row in rows, "more or fewer than before; --update-golden writes what is right now"
