"""Who waits for kernels that compile is told so, and nobody else."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

import roastery.caffe as caffe
from compiler.c.compile.c_compiler import NoCompiler, find_compiler
from roastery.cli.main import main
from roastery.cli.say import preparation
from roastery.devices import compiling
from roastery.devices.compiling import CompilingNote
from roastery.tools.sized_net import SizedNet
from runtime.cpu.code import kernel_code

NOTE = "note: compiling 3 kernels, which are kept for the next time\n"
NET = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "score" type: "Convolution" bottom: "x" top: "y"
  convolution_param { num_output: 2 kernel_size: 1 weight_filler { type: "xavier" } } }
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_when_it_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    note = CompilingNote()
    for done in range(4):
        note(done, 3)
    assert capsys.readouterr().err == ""


def test_one_line_before_the_first_kernel_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.05)
    note = CompilingNote()
    note(0, 3)
    said = ""
    until = time.monotonic() + 10
    while not said and time.monotonic() < until:
        time.sleep(0.01)
        said += capsys.readouterr().err
    assert said == NOTE
    for done in (1, 2, 3):
        note(done, 3)
    for done in range(4):
        note(done, 3)
    assert capsys.readouterr().err == ""


def test_what_adds_up_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many nets that each compile quickly: the time of all counts."""
    monkeypatch.setattr(compiling, "PATIENCE", 0.2)
    note = CompilingNote()
    for _ in range(3):
        note(0, 3)
        time.sleep(0.08)
        note(3, 3)
    note(0, 3)
    note(1, 3)
    note(3, 3)
    assert capsys.readouterr().err == NOTE


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    note = CompilingNote()
    note(0, 3)
    note(1, 3, " (conv1\x1b[2J)")
    note(3, 3)
    lines = shown.getvalue().split("\r\x1b[K")
    start = "compiling 3 kernels, which are kept for the next time"
    assert f"{start}: 1 done (conv1\\x1b[2J)"[:99] in lines
    assert lines[-1] == "" and "\n" not in shown.getvalue()


def test_a_stream_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr("sys.stderr", stream)
        note = CompilingNote()
        note(0, 1)
        note(1, 1)


def test_a_command_with_a_cold_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One note for the whole net, whatever the command; none when kernels are there."""
    cv2 = pytest.importorskip("cv2")
    np = pytest.importorskip("numpy")
    if isinstance(find_compiler(), NoCompiler):
        pytest.skip("there is no C compiler")
    kernel_code.cache_clear()  # it has the folder of before
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("net.prototxt").write_text(NET)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    caffe.Net("net.prototxt", caffe.TEST).save("net.caffemodel")
    cv2.imwrite("a.png", np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    monkeypatch.setattr(compiling.COMPILING, "_told", False)
    words = ["segment", "net.prototxt", "net.caffemodel", "a.png", "--device=cpu"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert said.startswith("note: compiling ") and said.count("\n") == 1
    monkeypatch.setattr(compiling.COMPILING, "_told", False)
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    kernel_code.cache_clear()


def test_sizes_are_compiled_apart_from_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each size in turn; forward and backward then run as ever."""
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text("force_backward: true " + NET)
    caffe.set_random_seed(3)
    net = caffe.Net("net.prototxt", caffe.TEST)
    sizes = SizedNet(net, "x")
    assert sizes.take((6, 4)) and sizes.seconds > 0
    spent = sizes.seconds
    assert not sizes.take((6, 4)) and sizes.seconds == spent
    assert net.blobs["y"].data.shape == (1, 2, 6, 4)
    net.blobs["x"].data[...] = 1
    net.forward()
    weights = net.params["score"][0].data.reshape(2, 3)
    assert net.blobs["y"].data[0, :, 3, 2] == pytest.approx(weights.sum(1))
    net.blobs["y"].diff[...] = 1
    net.backward()
    assert net.blobs["x"].diff[0, :, 3, 2] == pytest.approx(weights.sum(0))
    assert sizes.take((5, 5)) and net.blobs["y"].data.shape == (1, 2, 5, 5)


def test_what_a_summary_says_of_it() -> None:
    assert preparation(0.9) == ""
    assert preparation(45.8) == " (and 45.80 s to compile the net)"
