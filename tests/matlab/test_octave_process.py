"""Octave as a process: signals, endings, errors of Python's, libraries of two programs in one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.octave_run import OctaveRun, octave_command, octave_environment

SOLVER = """
net_param { layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 }
    data_filler { type: "gaussian" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1
    weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 } }
base_lr: 1e-6 lr_policy: "fixed" max_iter: 100000000 snapshot_after_train: false
snapshot_prefix: "never"
"""
LAYER = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }
layer { name: "own" type: "Python" bottom: "x" top: "y"
  python_param { module: "own_layers" layer: "Own" } }
"""
OWN = """
import atexit
import pathlib
import caffe

atexit.register(lambda: pathlib.Path("ended").write_text("yes"))

class Own(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob(3)
        self.blobs[0].data[...] = [1, 2, 3]
    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top):
        if bottom[0].data[0] == 7:
            raise IndexError("seven")
        if bottom[0].data[0] == 8:
            raise SystemExit(8)
        top[0].data[...] = bottom[0].data * 2
    def backward(self, top, propagate_down, bottom):
        pass
"""


@pytest.mark.parametrize("caught", [False, True])
def test_ctrl_c_stops_a_training(octave: OctaveRun, tmp_path: Path, caught: bool) -> None:
    """As it stops a loop of Octave's own: no try catches it, and nothing is left half-written."""
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    run = "try, s.solve(); catch e, disp(e.message); end" if caught else "s.solve();"
    process = octave.start(
        f"s = caffe.Solver('solver.prototxt'); disp('ready'); fflush(stdout);\n{run}\n"
        "disp('not here');"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "not here" not in said


def test_python_layers(octave: OctaveRun, tmp_path: Path) -> None:
    """From PYTHONPATH; what they raise is told with their line, what they register is run."""
    (tmp_path / "net.prototxt").write_text(LAYER)
    (tmp_path / "own_layers.py").write_text(OWN)
    octave.alone(
        "net = caffe.Net('net.prototxt', 'test'); out = net.forward({[3; 4]});\n"
        "caffe.test.same(out{1}, single([6; 8]));\n"
        "caffe.test.same(net.layers('own').type, 'Python');\n"
        "caffe.test.same(net.params('own', 1).get_data(), single([1; 2; 3]));\n"
        "for run = {@() net.forward({[7; 4]}), @() net.forward({[8; 0]})}\n"
        "  fails(run{1}, 'own_layers.py:[0-9]+.*in forward');\n"
        "end\n"
        "fails(@() net.forward({[7; 4]}), '(?s)IndexError: seven.*net.prototxt:3');\n"
        "out = net.forward({[1; 1]}); caffe.test.same(out{1}, single([2; 2]));",
        PYTHONPATH=str(tmp_path),
    )
    assert (tmp_path / "ended").read_text() == "yes"


def test_data_layers_with_threads_end(octave: OctaveRun, tmp_path: Path) -> None:
    """A net that reads ahead, and a solver, are still there when Octave ends."""
    import lmdb

    from roastery.caffe.proto import caffe_pb2

    with lmdb.open(str(tmp_path / "lmdb"), map_size=1 << 24) as store, store.begin(write=True) as t:
        for i in range(20):
            datum = caffe_pb2.Datum(channels=1, height=2, width=3, data=bytes([i] * 6), label=i)
            t.put(b"%08d" % i, datum.SerializeToString())
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "d" type: "Data" top: "data" top: "label" '
        'data_param { source: "lmdb" batch_size: 4 backend: LMDB } }\n'
    )
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    said = octave.alone(
        "net = caffe.Net('net.prototxt', 'train'); s = caffe.Solver('solver.prototxt');\n"
        "s.step(2);\n"
        "for n = 1:3, net.forward_prefilled(); disp(net.blobs('label').get_data()'); end\n"
        "caffe.test.same(net.blobs('data').shape, [3 2 1 4]);"
    )
    assert said.split() == [str(i) for i in range(12)]


def test_another_python_s_home_does_no_harm(octave: OctaveRun) -> None:
    octave.alone("disp(getenv('PYTHONHOME')); caffe.version();", PYTHONHOME="/nowhere")


def test_another_python_s_packages_are_told(octave: OctaveRun, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('not for this Python')")
    octave.alone(
        f"fails(@() caffe.version(), 'not for this Python\\n.*PYTHONPATH.*: {tmp_path}$');",
        PYTHONPATH=str(tmp_path),
    )


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        (0, "/nowhere/libpython3.so", "cannot load Python: .*nowhere"),
        (1, "/nowhere/python", "there is no Python /nowhere/python any more"),
        (2, "/nowhere/os.py", "library is not at /nowhere/os.py any more"),
        (None, "", "should have four lines"),
    ],
)
def test_a_python_that_is_gone(
    octave: OctaveRun, tmp_path: Path, line: int | None, text: str, said: str
) -> None:
    home = tmp_path / "it's here"
    shutil.copytree(octave.interface, home)
    places = home / "caffe_.python"
    lines = places.read_text().splitlines()
    if line is None:
        lines = lines[:2]
    else:
        lines[line] = text
    places.write_text("".join(f"{one}\n" for one in lines))
    quoted = str(home).replace("'", "''")
    octave.alone(f"addpath('{quoted}'); fails(@() caffe.version(), '{said}');")


def test_without_a_mex_file(octave: OctaveRun, tmp_path: Path) -> None:
    home = tmp_path / "copy"
    shutil.copytree(octave.interface, home)
    (home / "caffe_.mex").unlink()
    octave.alone(f"addpath('{home}'); fails(@() caffe.version(), 'roastery matlab --build');")


def test_ctrl_c_at_the_prompt_of_a_loop(octave: OctaveRun, tmp_path: Path) -> None:
    """Between short calls the signal is Octave's own."""
    process = octave.start(
        "caffe.version(); disp('ready'); fflush(stdout); while true, caffe.version(); end"
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1


def test_the_parser_takes_every_file(interface: Path) -> None:
    """What only MATLAB runs is at least of the language."""
    files = sorted(interface.rglob("*.m"))
    assert any(file.name == "call_py.m" for file in files)
    quoted = ", ".join(f"'{file}'" for file in files if "classdef" not in file.read_text()[:9])
    done = subprocess.run(
        [*octave_command(), "--eval", f"for f = {{{quoted}}}, __parse_file__(f{{1}}); end"],
        env=octave_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "parse error" not in done.stderr, done.stderr
