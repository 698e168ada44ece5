"""The page on adding an op: its op passes what the tests ask of every op."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from compiler.kernels.emitter import RULES
from compiler.options import CompileOptions
from compiler.pipeline import run_passes
from ir import expr as e
from ir.build import Builder
from ir.op import OPS, AxisFold, Op, Property
from ir.ops.fusion import Fused
from ir.types import TensorType
from tests.compile.test_printer_rules import has_rule
from tests.interpret.kernel_runner import check
from tests.interpret.test_op_records import check_kernels
from tests.ir import test_op_facts, test_ops
from tests.support.op_cases import OpCase

PAGE = Path(__file__).parents[2] / "docs" / "adding-an-op.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
FILES = ("ir/ops/flip.py", "compiler/kernels/rules/flip.py", "tests/ir/records/flip.py")


def loaded(file: str, text: str, folder: Path) -> ModuleType:
    """A block of the page as the module that it would be under its path."""
    path = folder / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    name = file.removesuffix(".py").replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The page's record, while its op is known."""
    known = [set(registry) for registry in (OPS, RULES)]
    folder = tmp_path_factory.mktemp("page")
    modules = [loaded(file, text, folder) for file, text in zip(FILES, BLOCKS, strict=True)]
    yield modules[-1]
    for module in modules:
        del sys.modules[module.__name__]
    for registry, before in zip((OPS, RULES), known, strict=True):
        for key in set(registry) - before:
            del registry[key]  # type: ignore[attr-defined]


def test_the_page_names_its_files(record: ModuleType) -> None:
    text = PAGE.read_text()
    assert all(f"`{file}`" in text for file in FILES)
    for fact in re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE):
        assert hasattr(record.Flip, fact)


def test_the_op_passes_what_is_asked_of_ops(record: ModuleType) -> None:
    for case in record.CASES:
        test_ops.test_reference_gives_the_inferred_types(case, single=True)
        test_ops.test_single_precision_agrees_with_double(case)
        test_ops.test_gradient_is_the_derivative(case)
        test_ops.test_attributes_survive_the_text_form(case)
        test_op_facts.test_what_may_alias_is_read_at_one_place(case)
        assert has_rule(case.op)
        check_kernels(case)
    for error in record.ERRORS:
        test_ops.test_type_rules_refuse(error)


def test_the_op_joins_kernels_of_others(record: ModuleType) -> None:
    b = Builder()
    x = b.input("x", TensorType((3, 5, 4)))
    flipped = b.emit(record.Flip(1), b.map(e.arg(0) * 2.0, x))
    b.output("y", b.map(e.arg(0) + e.arg(1), x, flipped))
    (node,) = run_passes(b.finish(), CompileOptions()).nodes
    check(node)


def test_without_its_rule_the_op_is_told_of(
    record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(RULES, record.Flip)
    case: OpCase = record.CASES[0]
    assert not has_rule(case.op)
    with pytest.raises(NotImplementedError, match="flip"):
        check_kernels(case)


@dataclass(frozen=True)
class ChannelMax(Op):
    """A reduction that nothing but its own facts tells of."""

    name = "channel_max"
    properties = Property.REDUCTION
    fold = AxisFold("max", (1,))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (n, _, *rest) = inputs[0].shape
        return (TensorType((n, 1, *rest)),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [inputs[0].max(axis=1, keepdims=True)]


def test_a_reduction_needs_no_rule() -> None:
    b = Builder()
    x = b.input("x", TensorType((3, 6, 5)))
    shifted = b.map(e.exp(e.arg(0) - e.arg(1)), x, b.emit(ChannelMax(), x))
    b.output("y", b.map(e.arg(0) / e.arg(1), shifted, b.sum(shifted, [1])))
    (node,) = run_passes(b.finish(), CompileOptions()).nodes
    assert isinstance(node.op, Fused) and node.op.schedule == "row"
    check(node)
