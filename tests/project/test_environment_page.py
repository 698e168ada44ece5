"""docs/environment.md lists what the code reads of its environment, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.project.test_layering import MAY_IMPORT, ROOT, parse, sources

PAGE = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
INDIRECT = {"get_terminal_size": "COLUMNS", "expanduser": "HOME", "tempfile": "TMPDIR"}


def rows() -> dict[str, list[str]]:
    """The variables in the page's tables, each with its row's columns."""
    found: dict[str, list[str]] = {}
    for line in PAGE.splitlines():
        first, *rest = line.strip("| ").split(" | ")
        if line.startswith("| `"):
            found |= dict.fromkeys(re.findall(r"`(\w+)`", first), rest)
    return found


def meanings(name: str, tree: ast.AST) -> Iterator[str]:
    """The strings that a name of a file may stand for: a constant's, or a loop's over one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and name in [ast.unparse(t) for t in node.targets]:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
        if isinstance(node, ast.For | ast.comprehension) and ast.unparse(node.target) == name:
            yield from meanings(ast.unparse(node.iter), tree)


def names(key: ast.expr, tree: ast.AST) -> set[str]:
    if isinstance(key, ast.Constant):
        return {str(key.value)}
    return set(meanings(ast.unparse(key), tree))


def uses(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """How, and by which key, a file uses ``os.environ`` and ``os.getenv``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Attribute(attr="environ"), how), [key, *_]):
                yield how, key
            case ast.Call(ast.Attribute(attr="getenv"), [key, *_]):
                yield "get", key
            case ast.Subscript(ast.Attribute(attr="environ"), key, ast.Load()):
                yield "get", key
            case ast.Compare(key, [ast.In() | ast.NotIn()], [ast.Attribute(attr="environ")]):
                yield "get", key
            case ast.Subscript(ast.Attribute(attr="environ"), key, ast.Store()):
                yield "set", key


def read_by() -> dict[str, set[str]]:
    """The variables that packages read, and the files that do."""
    found: dict[str, set[str]] = {}
    for package in MAY_IMPORT:
        for path in sources(package):
            tree, file = parse(path)[0], str(path.relative_to(ROOT))
            for how, key in uses(tree):
                if how in ("get", "setdefault"):
                    for name in names(key, tree):
                        found.setdefault(name, set()).add(file)
    return found


def test_the_page_lists_what_is_read() -> None:
    read, listed = read_by(), rows()
    assert set(read) - set(listed) == set()
    tests = {name for name in listed if name not in read}
    assert tests == set(re.findall(r"^\| `(\w+)`", PAGE.partition("## Of the tests")[2], re.M))
    texts = "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("tests/**/*.py")])
    assert all(name in texts for name in tests)
    for name, files in read.items():
        assert set(re.findall(r"`([\w/]+\.py)`", listed[name][-1])) == files, name


def test_roasterys_own_are_found_in_every_text() -> None:
    texts = [ROOT / "Makefile", *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.py")]
    texts += [path for package in MAY_IMPORT for path in sources(package)]
    ours = re.compile(r"\bROASTERY_[A-Z0-9_]*[A-Z0-9]\b")
    found = {name for path in texts for name in ours.findall(path.read_text())}
    assert found == {name for name in rows() if name.startswith("ROASTERY_")}


def test_what_is_set_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    for package in MAY_IMPORT:
        for path in sources(package):
            tree = parse(path)[0]
            found = {n for how, key in uses(tree) if how == "set" for n in names(key, tree)}
            if path.name == "process.py":
                found |= {
                    keyword.arg
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Call) and ast.unparse(node.func) == "environment.update"
                    for keyword in node.keywords
                    if keyword.arg
                }
            assert found <= told, path
            text = path.read_text()
            assert all(name in told for word, name in INDIRECT.items() if word in text)


@pytest.mark.parametrize(
    "line",
    [
        "x = os.environ['NEW_ONE']",
        "x = os.environ.get('NEW_ONE', '')",
        "x = os.getenv('NEW_ONE')",
        "NAME = 'NEW_ONE'\nx = os.environ.get(NAME)",
        "NAMES = ('NEW_ONE',)\nx = any(os.environ.get(n) for n in NAMES)",
        "x = 'NEW_ONE' in os.environ",
    ],
)
def test_a_new_variable_is_seen(line: str) -> None:
    tree = ast.parse(line)
    assert {n for how, key in uses(tree) for n in names(key, tree)} == {"NEW_ONE"}
