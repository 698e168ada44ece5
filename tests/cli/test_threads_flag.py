"""``--threads``, ``threads=`` and ROASTERY_THREADS, wherever a net runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.cli.registry import all_commands
from roastery.training.solvers import build_solver

ROOT = Path(__file__).parents[2]
NET = """
layer { name: "x" type: "DummyData" top: "x"
  dummy_data_param { shape { dim: 2 dim: 3 } data_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
"""
SOLVER = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" solver_mode: CPU'


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_THREADS", raising=False)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(SOLVER)


def test_commands_that_run_nets_have_it() -> None:
    flags = {command.name: {flag.name for flag in command.flags} for command in all_commands()}
    run = {name for name, names in flags.items() if "layout" in names}
    run -= {"build", "compile", "export", "opt", "tune"}  # they run nothing, or elsewhere
    assert {name for name in run if "threads" not in flags[name]} == set()
    assert {"train", "test", "time", "bench", "python", "classify"} <= run


@pytest.mark.parametrize(
    "call",
    [
        partial(roastery.compile, "net.prototxt", device="cpu"),
        partial(build_solver, "solver.prototxt", device="cpu"),
        partial(caffe.Net, "net.prototxt", caffe.TEST, device="cpu"),
        partial(caffe.get_solver, "solver.prototxt"),
        partial(caffe.SGDSolver, "solver.prototxt"),
    ],
    ids=["compile", "build_solver", "Net", "get_solver", "SGDSolver"],
)
def test_calls_have_it(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    call(threads=3)
    for number in (0, 257):
        with pytest.raises(RoasteryError, match=f"^threads is '{number}'"):
            call(threads=number)
    monkeypatch.setenv("ROASTERY_THREADS", "many")
    with pytest.raises(RoasteryError, match=r"^ROASTERY_THREADS is 'many'"):
        call()
    call(threads=3)


def test_flags_arrive(capfd: pytest.CaptureFixture[str]) -> None:
    show = "import os; print(os.environ['ROASTERY_THREADS'])"
    words = [sys.executable, "-m", "roastery", "python", "--threads=3", "-c", show]
    subprocess.run(words, check=True, cwd=ROOT)
    assert capfd.readouterr().out == "3\n"
    caffe.Net("net.prototxt", caffe.TEST, device="cpu").save("w.caffemodel")
    words = ["extract_features", "w.caffemodel", "net.prototxt", "ip", "out", "1", "lmdb"]
    assert main([*words, "--device=cpu", "--threads=257"]) == 1
    assert "threads is '257'" in capfd.readouterr().err
    assert main([*words, "--device=cpu", "--threads=2"]) == 0
