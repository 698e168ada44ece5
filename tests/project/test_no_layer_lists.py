"""Layers are not known by their names outside of what lowers them.

What is true of a layer type stands in its registration, and what depends on the parameters in the
`LayerInfo` that lowering makes. A list of layer names elsewhere is one that a new layer is not in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from frontends.lowering.known_layers import layer_types
from tests.project.test_layering import ROOT, parse, sources

DRAWN = "roastery/caffe/drawing/graph.py"
"""How layers look in a picture is Caffe's choice (python/caffe/draw.py)."""

OTHER_THINGS = {"roastery/cli/help_text.py": {"Data"}}
"""Words that are not meant as layers: the title of a group of commands."""


def _named(tree: ast.AST) -> Iterator[str]:
    """Strings that something is compared with, looked up by, or that stand in a list."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Compare):
            found = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            found = list(node.keys)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = list(node.elts)
        elif isinstance(node, ast.MatchValue):
            found = [node.value]
        for item in found:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                yield item.value


def layers_named_in(tree: ast.AST) -> set[str]:
    own = {name for name, kind in layer_types().items() if kind.fork != "your own"}
    return own & set(_named(tree))


def test_no_list_of_layers_stands_elsewhere() -> None:
    found = {}
    for room in ("ir", "compiler", "runtime", "roastery"):
        for path in sources(room):
            name = str(path.relative_to(ROOT))
            named = layers_named_in(parse(path)[0]) - OTHER_THINGS.get(name, set())
            if named and name != DRAWN:
                found[name] = named
    assert not found


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ('_AXIS = {"SoftmaxWithLoss": 1}', {"SoftmaxWithLoss"}),
        ('if layer.type in ("Split", "x"): pass', {"Split"}),
        ('if layer.type == "Python": pass', {"Python"}),
        ('match layer.type:\n    case "Data":\n        pass', {"Data"}),
        ('"""Split"""\nlayer.set("type", "Input")', set()),
    ],
)
def test_a_list_would_be_found(text: str, layers: set[str]) -> None:
    assert layers_named_in(ast.parse(text)) == layers
