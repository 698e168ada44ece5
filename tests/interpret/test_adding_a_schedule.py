"""The page on adding a schedule: its schedule is printed as shown, and right."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from compiler.c.lower import lower_to_c
from compiler.kernel import Launch
from compiler.kernels import schedules
from compiler.kernels.schedule import SCHEDULES
from compiler.options import CompileOptions
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.layout import Layout, channels_last
from ir.text import parse_graph
from ir.types import TensorType
from roastery.cli.main import main
from runtime.machine.processor import cpu_target
from tests.cli.test_debugging_page import examples_of, pattern
from tests.interpret import kernel_runner
from tests.support.c_kernels import COMPILED, launcher_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-schedule.md").read_text(encoding="utf-8")
QUOTED = r"^`[\w/]*?(\w+\.py)`:\n\n```python\n(.*?)```"


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's module, while its schedule is known."""
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(QUOTED, PAGE, re.DOTALL | re.MULTILINE):
        Path(name).write_text(text)
    monkeypatch.setattr(schedules, "__path__", [*schedules.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{schedules.__name__}.walk", raising=False)
    found = importlib.import_module(f"{schedules.__name__}.walk")
    monkeypatch.setitem(SCHEDULES, "walk", found.schedule_walk)
    return found


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


@pytest.mark.parametrize(("language", "lower"), [("triton", lower_node), ("c", lower_to_c)])
def test_it_is_printed_as_shown(
    walk: ModuleType, language: str, lower: Callable[..., list[Launch]]
) -> None:
    (node,) = parse_graph(block("ir")).nodes
    (launch,) = lower(node, CompileOptions())
    assert block(language) in launch.readable()


@pytest.mark.parametrize("shape", [(5, 300), (1, 1), (3, 2, 700), (1024,), (2, 8, 16, 32)], ids=str)
def test_it_computes_what_the_group_says(walk: ModuleType, shape: tuple[int, ...]) -> None:
    node = kernel_runner.fused(
        lambda b, x, y: b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), x, y),
        *(shape, (1, *shape[1:])),
        schedule="walk",
        variables=(1,),
    )
    kernel_runner.check(node)
    if COMPILED:
        launches = lower_to_c(node, CompileOptions(cpu_target()))
        inputs = kernel_runner.random_inputs(node)
        launcher = launcher_of(launch.kernel for launch in launches)
        got = kernel_runner.run_launches(launches, node, inputs, by=launcher)
        kernel_runner.compare(node, got, inputs, tolerance=1e-6)


@pytest.mark.parametrize("layout", [channels_last(4), Layout.of(range(4), [(1, 16)])], ids=str)
def test_it_knows_layouts(walk: ModuleType, layout: object) -> None:
    shape = (2, 20, 5, 7)
    laid_out = TensorType(shape, layout=layout)  # type: ignore[arg-type]
    for to, of in ((layout, TensorType(shape)), (None, laid_out)):
        node = kernel_runner.fused(lambda b, x, to=to: b.copy(x, to), of, schedule="walk")
        kernel_runner.check(node, tolerance=0)


def test_a_text_may_name_it(walk: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.ir").write_text(block("ir"))
    ((command, shown),) = examples_of(PAGE)
    _, *words = shlex.split(command)
    assert main(words) == 0
    assert re.fullmatch(pattern(shown), "".join(capsys.readouterr()))
    assert Path("same.ir").read_text() == block("ir")


def test_what_it_names_is_there() -> None:
    names = re.findall(r"`((?:compiler|tests)/[\w/.]+)`", PAGE)
    missing = {name for name in names if not (ROOT / name).exists()}
    assert missing == {"compiler/kernels/schedules/walk.py"}
