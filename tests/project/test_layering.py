"""Who may import whom, read from the sources: nothing is imported here.

`ir` imports none of the others; `compiler` and `frontends` import `ir`; `runtime` imports `ir` and
`compiler`; `roastery` joins them. Two leaves of it serve every room but `ir`: `roastery.files` and
`roastery.wire`, which themselves import `ir` alone. The planner, which reads, checks and lays out
plans of plain data, imports `ir` alone too, and the one module of what a kernel is. Optional and
heavy packages are imported only where they are used, so that everything else works without them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

MAY_IMPORT = {
    "ir": {"ir"},
    "compiler": {"ir", "compiler"},
    "frontends": {"ir", "frontends"},
    "runtime": {"ir", "compiler", "runtime"},
    "roastery": {"ir", "compiler", "frontends", "runtime", "roastery"},
}

#: Packages inside `roastery` for every room but `ir`, and the libraries that each may import.
LEAVES = {"roastery.files": {"h5py", "numpy"}, "roastery.wire": {"numpy"}}

#: The modules of `compiler/plan` that need no graph. What may import `compiler` may import them.
PLANNER = (
    "arena",
    "check",
    "codec",
    "memory",
    "plan",
    "reader",
    "saved",
    "saved_sizes",
    "sizes",
    "tables",
)
PLANNER_MAY_IMPORT = ("ir", "numpy", "compiler.kernel", *(f"compiler.plan.{m}" for m in PLANNER))

#: Optional packages, and the folders whose modules may import them at their top: these modules are
#: themselves imported only where a GPU kernel is compiled.
OPTIONAL = {
    "onnx": ("compiler/onnx/",),
    "onnxruntime": (),
    "torch": (),
    "triton": ("compiler/triton/",),
    "cv2": (),
    "plyvel": (),
    "matplotlib": (),
    "sklearn": (),
    "scipy": (),
    "optuna": (),
    "tensorboardX": (),
    "tqdm": (),
}


def sources(package: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / package).rglob("*.py")))


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The modules that the code below ``tree`` imports, by absolute name, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join((*base, node.module or "")).strip("."), node.lineno


def run_on_import(tree: ast.Module) -> ast.Module:
    """The module without the bodies of its functions and of ``if TYPE_CHECKING``."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
            return None

        def visit_If(self, node: ast.If) -> ast.AST:
            if "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = [ast.Pass()]
            return self.generic_visit(node)

    stripped = Strip().visit(tree)
    assert isinstance(stripped, ast.Module)
    return stripped


def parse(path: Path) -> tuple[ast.Module, tuple[str, ...]]:
    """A module's tree, and the package that its relative imports start from."""
    package = path.relative_to(ROOT).parent.parts
    return ast.parse(path.read_text(encoding="utf-8"), str(path)), package


def inside(name: str, package: str) -> bool:
    """Whether a module is the package or lies in it."""
    return f"{name}.".startswith(f"{package}.")


def may_import(package: str, name: str) -> bool:
    """Whether modules of a top-level package may import one of ours."""
    if name.partition(".")[0] in MAY_IMPORT[package]:
        return True
    return package != "ir" and any(inside(name, leaf) for leaf in LEAVES)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_layers(package: str) -> None:
    wrong = []
    for path in sources(package):
        tree, base = parse(path)
        for name, line in imports(tree, base):
            layer = name.partition(".")[0]
            if layer in MAY_IMPORT and not may_import(package, name):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {package} imports {name}")
            if layer in ("tests", "benchmarks", "examples"):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: a package imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_import_ir_alone(leaf: str) -> None:
    wrong = []
    for path in sources(leaf.replace(".", "/")):
        tree, base = parse(path)
        for name, line in imports(tree, base):
            top = name.partition(".")[0]
            known = {"ir", *LEAVES[leaf], *sys.stdlib_module_names}
            if top not in known and not inside(name, leaf):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {leaf} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", PLANNER)
def test_the_planner_imports_ir_alone(module: str) -> None:
    path = ROOT / "compiler" / "plan" / f"{module}.py"
    tree, base = parse(path)
    found = {name for name, _ in imports(tree, base)}
    known = (*PLANNER_MAY_IMPORT, *sys.stdlib_module_names)
    assert {name for name in found if not any(inside(name, one) for one in known)} == set()


def test_a_plan_is_laid_out_without_a_compiler() -> None:
    """Neither passes nor printer, frontends nor runtime, and no library but numpy."""
    code = IMPORT_ALL.format(blocked=(), modules=[f"compiler.plan.{name}" for name in PLANNER])
    code += "print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ours = {"ir", "numpy", "compiler.kernel", "compiler.plan"}
    for name in done.stdout.split("\n")[1].split():
        top = name.partition(".")[0]
        if top in MAY_IMPORT and name not in ("compiler", "roastery"):
            assert any(inside(name, one) for one in ours), name
        assert top not in ("lark", "google", "h5py", "lmdb", "safetensors", *BLOCKED), name


def test_the_rule_of_leaves() -> None:
    assert may_import("compiler", "roastery.files.atomic_file")
    assert may_import("frontends", "roastery.wire")
    assert may_import("roastery", "roastery.building")
    assert not may_import("ir", "roastery.files")
    assert not may_import("runtime", "roastery")
    assert not may_import("runtime", "roastery.filesystem")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_optional_packages_are_imported_late(package: str) -> None:
    wrong = []
    for path in sources(package):
        tree, base = parse(path)
        where = path.relative_to(ROOT).as_posix()
        for name, line in imports(run_on_import(tree), base):
            allowed = OPTIONAL.get(name.partition(".")[0])
            if allowed is not None and not where.startswith(allowed):
                wrong.append(f"{where}:{line}: imports {name} when it is imported")
    assert not wrong, "\n".join(wrong)


def test_the_checks_find_mistakes() -> None:
    tree = ast.parse(
        "import torch.nn\n"
        "from ..graph import Graph\n"
        "from . import types\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import cv2\n"
        "try:\n    import plyvel\nexcept ImportError:\n    pass\n"
        "class A:\n    import sklearn\n    def f(self):\n        import triton\n"
    )
    package = ("ir", "ops")
    assert {name for name, _ in imports(tree, package)} == {
        "torch.nn", "ir.graph", "ir.ops", "typing", "cv2", "plyvel", "sklearn", "triton",
    }  # fmt: skip
    at_import = {name for name, _ in imports(run_on_import(tree), package)}
    assert at_import == {"torch.nn", "ir.graph", "ir.ops", "typing", "plyvel", "sklearn"}


BLOCKED = ("torch", "triton", "cv2", "plyvel", "matplotlib", "sklearn", "scipy")

IMPORT_ALL = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocker())
for name in {modules!r}:
    importlib.import_module(name)
print("imported")
"""


def import_without(blocked: tuple[str, ...], modules: list[str]) -> None:
    code = IMPORT_ALL.format(blocked=blocked, modules=modules)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr


def test_core_install_imports_every_module() -> None:
    """Everything but the modules that compile GPU kernels, without optional packages."""
    lazy = ("compiler/triton/",)
    modules = []
    for package in MAY_IMPORT:
        for path in sources(package):
            where = path.relative_to(ROOT)
            if where.as_posix().startswith(lazy) or where.name == "__main__.py":
                continue
            parts = where.with_suffix("").parts
            modules.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    assert "roastery.cli.main" in modules
    import_without(BLOCKED, modules)


@pytest.mark.parametrize("blocked", BLOCKED)
def test_faces_import_without(blocked: str) -> None:
    import_without((blocked,), [*MAY_IMPORT, "roastery.cli.main"])
