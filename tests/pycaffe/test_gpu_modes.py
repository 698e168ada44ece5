"""Scripts that ask for a GPU on a machine without one: real processes, which hide any GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NET = """
layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
layer { name: "w" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
layer { name: "l" type: "Reduction" bottom: "y" top: "l" loss_weight: 1 }
"""
BEGIN = """
import roastery.caffe as caffe
def net(**options):
    return caffe.Net("net.prototxt", caffe.TRAIN, **options)
def solver():
    return caffe.get_solver("solver.prototxt")
"""
NOTE = "set_mode_gpu was called, but there is no GPU"
FILE_NOTE = "solver_mode is GPU, but there is none"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    write_solver("")


def write_solver(mode: str) -> None:
    Path("solver.prototxt").write_text(
        f'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 type: "SGD" {mode} '
        "snapshot_after_train: false"
    )


def run(script: str, *command: str, code: int = 0, **environment: str) -> str:
    """Standard error of a process that sees no GPU."""
    kept = {name: value for name, value in os.environ.items() if name != "ROASTERY_DEVICE"}
    done = subprocess.run(
        [sys.executable, *(command or ("-c", BEGIN + script))],
        env={**kept, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "caffe.set_mode_gpu(); net().forward(); net(); solver().step(1)",
        "caffe.set_mode_gpu(); caffe.set_device(0); caffe.set_mode_gpu(); solver().solve(); net()",
        "caffe.set_device(1); caffe.set_mode_gpu(); net(); caffe.set_mode_cpu(); net(); "
        "caffe.set_mode_gpu(); caffe.set_device(2); net(); solver()",
        "import caffe as same",
    ],
)
def test_a_script_runs_on_the_cpu_and_says_so_once(script: str) -> None:
    if script == "import caffe as same":
        Path("script.py").write_text("import caffe\n" + BEGIN[BEGIN.index("def") :])
        with Path("script.py").open("a") as file:
            file.write("caffe.set_device(0); caffe.set_mode_gpu(); net().forward(); net()\n")
        said = run("", "-m", "roastery", "python", "script.py")
    else:
        said = run(script)
    assert said.count(NOTE) == 1
    assert said.count("there is n") == 1


def test_the_cpu_is_used_without_a_word() -> None:
    for script in ("net()", "caffe.set_device(0); net()", "caffe.set_mode_cpu(); net()"):
        assert run(script + "; caffe.set_mode_gpu()") == ""


def test_a_solver_file_that_asks_for_a_gpu() -> None:
    write_solver("solver_mode: GPU device_id: 1")
    said = run("solver().step(1); solver(); caffe.set_mode_gpu(); net(); solver()")
    assert (said.count(FILE_NOTE), said.count(NOTE)) == (1, 0)
    said = run(
        "from roastery.training.solvers import build_solver\n"
        "build_solver('solver.prototxt').solve(); build_solver('solver.prototxt')"
    )
    assert said.count(FILE_NOTE) == 1
    said = run("", "-m", "roastery", "train", "-solver", "solver.prototxt")
    assert said.count(FILE_NOTE) == 1
    assert FILE_NOTE not in run("caffe.set_mode_cpu(); solver()")


def test_the_note_can_be_silenced() -> None:
    assert run("caffe.set_mode_gpu(); net()", GLOG_minloglevel="2") == ""


@pytest.mark.parametrize("asked", ["net(device='cuda')", "net(device='cuda:1')"])
def test_a_device_that_is_named_must_be_there(asked: str) -> None:
    said = run(f"caffe.set_mode_gpu(); {asked}", code=1)
    assert "is not there" in said and NOTE not in said


def test_the_environment_names_a_device() -> None:
    for script in ("net()", "solver()", "caffe.set_mode_gpu(); net()"):
        assert "device cuda is not there" in run(script, code=1, ROASTERY_DEVICE="cuda")
    assert "not there" not in run("caffe.set_mode_gpu(); net()", ROASTERY_DEVICE="cpu")


@pytest.mark.parametrize("flag", ["-gpu=0", "--gpu=0", "--device=cuda", "--gpu=all"])
def test_the_command_line_names_a_device(flag: str) -> None:
    write_solver("solver_mode: GPU")
    said = run("", "-m", "roastery", "train", "-solver", "solver.prototxt", flag, code=1)
    assert "is not there" in said and "Traceback" not in said
    Path("script.py").write_text("import caffe; caffe.set_mode_gpu(); caffe.Net('net.prototxt', 1)")
    said = run("", "-m", "roastery", "python", "--device=cuda", "script.py", code=1)
    assert "is not there" in said
