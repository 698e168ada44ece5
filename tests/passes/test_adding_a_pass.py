"""The page on adding a pass: its pass does what it shows, and what is asked of all passes."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given

from compiler.options import CompileOptions
from compiler.passes import registry
from compiler.pipeline import run_passes, verify_each
from ir.graph import Graph
from ir.graph_sizes import graph_at_hand
from ir.text import format_graph, parse_graph
from ir.verify import verify
from roastery.cli.main import main
from tests.cli.test_debugging_page import examples_of, pattern
from tests.passes import test_golden_passes, test_random_graphs
from tests.project.test_no_op_lists import NOTIONS, mistakes
from tests.support.graphs import Drawn, examples, graphs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-pass.md").read_text(encoding="utf-8")
(CODE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(GRAPH,) = re.findall(r"```ir\n(.*?)```", PAGE, re.DOTALL)
SIZED = GRAPH.replace("[2,64,8,8]", "[N,64,H,H]").replace("[2,64,1,1]", "[N,64,1,1]")
SIZED = SIZED.replace("{\n", "{\n  size N = 2\n  size H = 8\n", 1)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The registry, to be as it was afterwards."""
    monkeypatch.setattr(registry, "PASSES", dict(registry.PASSES))
    yield


@pytest.fixture
def max_first(tmp_path: Path, known: None) -> Callable[..., Graph]:
    """The page's pass, registered."""
    path = tmp_path / "max_first.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("max_first", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., Graph] = module.max_first
    return found


def test_it_shows_what_happens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    known: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("max_first.py").write_text(CODE)
    Path("net.ir").write_text(GRAPH)
    found = examples_of(PAGE)
    assert len(found) == 3
    for command, shown in found:
        registry.PASSES.pop("max_first", None)
        program, *words = shlex.split(command)
        assert (program, main(words)) == ("roastery", 0)
        printed = "".join(capsys.readouterr())
        assert re.fullmatch(pattern(shown), printed), f"{command}\n{printed}"


def test_its_golden_file_is_a_case(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    max_first: Callable[..., Graph],
) -> None:
    monkeypatch.setitem(test_golden_passes.PASSES, "max_first", max_first)
    path = tmp_path / "max_first-relu.txt"
    path.write_text(GRAPH + "=" * 72 + "\n" + format_graph(max_first(parse_graph(GRAPH))))
    test_golden_passes.test_pass(path, request)
    assert "`tests/passes/golden/max_first-relu.txt`" in PAGE


def test_it_makes_the_same_of_sizes(max_first: Callable[..., Graph]) -> None:
    after = max_first(parse_graph(SIZED))
    verify(after)
    assert "%m: f32[N,64,1,1] = map(%m.1)" in format_graph(after)
    assert format_graph(graph_at_hand(after)) == format_graph(max_first(parse_graph(GRAPH)))


def test_a_relu_that_is_read_stays(max_first: Callable[..., Graph]) -> None:
    graph = parse_graph(GRAPH.replace("  output", "  output %y: f32[2,64,8,8] result\n  output"))
    assert max_first(graph) is graph


def test_it_asks_no_op_what_it_is() -> None:
    assert list(mistakes(ast.parse(CODE), NOTIONS["compiler"])) == []


def test_it_keeps_the_meaning(max_first: Callable[..., Graph]) -> None:
    @examples(5)
    @given(graphs("reduce"))
    def of_random_graphs(drawn: Drawn) -> None:
        wanted = test_random_graphs.truth(drawn)
        after = run_passes(drawn.graph, CompileOptions(passes=("max_first",)), [verify_each])
        test_random_graphs.check(drawn, after, wanted)

    of_random_graphs()


def test_what_it_names_is_there() -> None:
    names = set(re.findall(r"`((?:compiler|ir|tests)/[\w/.-]+)`", PAGE))
    missing = {name for name in names if not (ROOT / name).exists()}
    assert missing == {
        "compiler/passes/max_first.py",
        "tests/passes/golden/max_first-relu.txt",
    }
