"""docs/ir-text.md: its grammar reads what is written, its tables name what there is."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import lark
import pytest
from hypothesis import given

import ir.ops  # noqa: F401  (registers the ops)
from ir.graph import Graph, Role
from ir.op import OPS, Op
from ir.primitives import PRIMITIVES
from ir.text import format_graph, parse_graph
from ir.types import DType
from ir.verify import verify
from tests.ir.test_ops import graph_of
from tests.ir.test_text import SIZED, graphs
from tests.support.graphs import examples
from tests.support.op_cases import OpCase, all_cases

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ir-text.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```ir\n(.*?)```", PAGE, re.DOTALL)
(GRAMMAR,) = re.findall(r"```lark\n(.*?)```", PAGE, re.DOTALL)
PARSER = lark.Lark(GRAMMAR, parser="lalr")


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[1])
def test_its_examples_are_graphs(text: str) -> None:
    PARSER.parse(text)
    graph = parse_graph(text)
    verify(graph)
    shorter = re.compile(" +#")
    assert shorter.sub("#", format_graph(graph)) == shorter.sub("#", text)


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_its_grammar_reads_every_op(case: OpCase) -> None:
    PARSER.parse(format_graph(graph_of(case)))


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/passes/golden/*.txt")), ids=str)
def test_its_grammar_reads_what_passes_make(path: Path) -> None:
    for text in path.read_text().split("=" * 72 + "\n"):
        PARSER.parse(text)


def test_its_grammar_reads_sizes() -> None:
    PARSER.parse(SIZED)


@examples(40)
@given(graphs())
def test_its_grammar_reads_odd_names_and_places(graph: Graph) -> None:
    PARSER.parse(format_graph(graph))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("graph net {", "graph net"),
        ("%ip/0)", "%ip 0)"),
        ("f32[N,10] result", "f33[N,10] result"),
        ("gradient", "gradients"),
        ("transpose_b=true", "transpose_b=yes"),
        ("max(a0, 0.0)", "max(a0, 0.0"),
        ("size N = 64", "size N 64"),
        ("where H", "where H H"),
        ("backward:", "backwards:"),
        ("# ip net.prototxt:12:1", "# ip net.prototxt net.prototxt"),
    ],
)
def test_neither_reads_what_is_no_graph(old: str, new: str) -> None:
    text = EXAMPLES[0].replace(old, new, 1)
    assert text != EXAMPLES[0]
    with pytest.raises(ValueError):
        parse_graph(text)
    with pytest.raises(lark.exceptions.UnexpectedInput):
        PARSER.parse(text)


def op_row(name: str, op: type[Op]) -> str:
    """What the table of ops says of one."""
    attributes = []
    for field in dataclasses.fields(op):  # type: ignore[arg-type]
        if not field.compare:
            continue
        text = f"{field.name}: {field.type}"
        if field.default is not dataclasses.MISSING:
            default = "none" if field.default is None else json.dumps(field.default)
            text += f" = {'()' if default == '[]' else default}"
        attributes.append(f"`{text}`".replace("|", "\\|"))
    return f"| `{name}` | {', '.join(attributes)} |"


def test_its_tables_name_all_there_is() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    for name, op in OPS.items():
        assert f"| `{name}` | {rows.get(name)} |" == op_row(name, op)
    assert set(rows) == set(OPS) | set(PRIMITIVES) | {"linear", "i0", "t0"}
    for rule in PRIMITIVES.values():
        assert rows[rule.name].split(" | ")[:2] == [str(rule.arity), rule.result], rule.name
    for words, terminal in ((Role, "role"), (DType, "DTYPE")):
        (line,) = re.findall(rf"^{terminal}: (.*)$", GRAMMAR, re.MULTILINE)
        assert re.findall(r'"(\w+)"', line) == [word.value for word in words]
