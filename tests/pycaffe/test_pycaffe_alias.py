"""``import caffe`` means Roastery: install(), and the settings of the module."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

PROGRAM = """
import sys
import warnings
warnings.simplefilter("error")
import roastery.caffe
roastery.caffe.install()
roastery.caffe.install()
import caffe
import caffe.draw, caffe.io, caffe.proto.caffe_pb2 as pb
from caffe import layers as L, params as P
from caffe.proto import caffe_pb2
from caffe.coord_map import crop
from caffe.net_spec import Top
from caffe.pycaffe import Net, SGDSolver
from caffe._caffe import set_mode_cpu
"""


def test_every_name_of_caffe_is_ours() -> None:
    program = (
        PROGRAM
        + """
assert caffe is roastery.caffe
assert pb is caffe_pb2 is roastery.caffe.proto.caffe_pb2
assert Net is roastery.caffe.Net and SGDSolver is roastery.caffe.SGDSolver
assert crop is roastery.caffe.coord_map.crop
assert isinstance(L.ReLU(L.Input()), Top) and P.Pooling.MAX == 0
assert sys.modules["caffe.io"] is roastery.caffe.io
assert roastery.caffe.io.__name__ == "roastery.caffe.io"
assert roastery.caffe.io.__spec__.name == "roastery.caffe.io"
try:
    import caffe.nothing_like_that
except ModuleNotFoundError as error:
    print(error)
"""
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "No module named 'caffe.nothing_like_that'\n"


def test_an_installed_caffe_is_passed_by_unless_it_was_imported(tmp_path: Path) -> None:
    (tmp_path / "caffe.py").write_text("THEIRS = True\n")
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport roastery.caffe\n"
    ours = start + "roastery.caffe.install()\nimport caffe\nprint(caffe is roastery.caffe)"
    done = subprocess.run([sys.executable, "-c", ours], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    late = start + "import caffe\nroastery.caffe.install()"
    done = subprocess.run([sys.executable, "-c", late], capture_output=True, text=True)
    assert "another caffe has been imported already" in done.stderr
    assert "before the first `import caffe`" in done.stderr


def test_offer_leaves_another_caffe_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from roastery.startup import caffe_alias as alias

    other = types.ModuleType("caffe")
    monkeypatch.setitem(sys.modules, "caffe", other)
    alias.offer()
    assert sys.modules["caffe"] is other
    with pytest.raises(RoasteryError, match="another caffe"):
        caffe.install()


def test_layer_types() -> None:
    names = caffe.layer_type_list()
    assert {"Data", "Convolution", "Python", "SoftmaxWithLoss", "LSTM"} <= set(names)
    assert len(names) >= 61


def test_one_solver_trains() -> None:
    assert caffe.has_nccl() is (importlib.util.find_spec("torch") is not None)
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)
    caffe.set_solver_count(1)
    caffe.set_solver_rank(0)
    caffe.set_multiprocess(False)


def test_timer() -> None:
    timer = caffe.Timer()
    assert timer.ms == 0
    timer.start()
    assert timer.ms >= 0
    first = timer.ms
    assert timer.ms == first, "it has stopped"
    timer.start()
    timer.stop()
    assert timer.ms != first or first == 0


LOGGING = """
import roastery.caffe as caffe, sys
{before}
net = caffe.Net(sys.argv[1], caffe.TEST)
caffe.log("a word")
"""


@pytest.mark.parametrize(
    ("before", "said", "unsaid"),
    [
        ("", ["a word"], ["Creating Layer"]),
        ("caffe.init_log()", ["a word", "Creating Layer in", "net.cpp:"], []),
        ("caffe.init_log(1)", [], ["a word", "Creating Layer"]),
        ("caffe.init_log(0, False)", [], ["a word", "Creating Layer"]),
    ],
)
def test_logging(tmp_path: Path, before: str, said: list[str], unsaid: list[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text('layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 } } }')
    done = subprocess.run(
        [sys.executable, "-c", LOGGING.format(before=before), str(path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for text in said:
        assert text in done.stderr
    for text in unsaid:
        assert text not in done.stderr
