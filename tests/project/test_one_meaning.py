"""Names mean one thing: no two classes, functions or type aliases of the packages share one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("ir", "compiler", "runtime", "frontends", "roastery")

#: Names that Caffe and its formats gave to two things, or that stand for one idea in two places.
SHARED = {
    "Blob": "BlobProto's content; pycaffe's Blob",
    "Solver": "the solver; pycaffe's object for it",
    "Transformer": "the data layers' transform_param; caffe.io.Transformer",
    "Function": "NetSpec's layer function, called so by Caffe; a CUDA function",
    "Manifest": "of an artifact; LevelDB's file of that name",
    "Block": "of prototxt text; LevelDB's unit of storage",
    "Shape": "tuple[int, ...] wherever it is short for that",
    "PathLike": "str | os.PathLike[str], likewise",
    "Progress": "told how far work is",
    "main": "where a program begins",
    "register": "makes an op, or a pass, known by its name",
    "upgrade": "of V0 layers, V1 layers, and fields that moved: three steps of one way",
    "log": "the logarithm; caffe.log",
    "resize_image": "of data layers; caffe.io.resize_image",
}


def names(path: Path) -> list[str]:
    """Public classes, functions and type aliases that a module makes at its top."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            alias = isinstance(value, ast.Subscript | ast.BinOp | ast.Attribute)
            if isinstance(target, ast.Name) and alias and _is_type_name(target.id):
                found.append(target.id)
    return [name for name in found if not name.startswith("_")]


def _is_type_name(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()


def test_a_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in names(path):
                places[name].append(str(path.relative_to(ROOT)))
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert {name: w for name, w in twice.items() if name not in SHARED} == {}
    assert SHARED.keys() <= twice.keys(), "names that are no longer shared"
