"""``--layout`` and ROASTERY_LAYOUT: other orders of images in memory, the same results."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main
from tests.project.test_layering import ROOT

NET = """
name: "small"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 8 dim: 6 dim: 5 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param {
  num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "ip" type: "InnerProduct" bottom: "c" top: "ip" inner_product_param {
  num_output: 2 weight_filler { type: "xavier" } } }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_LAYOUT", raising=False)
    Path("net.prototxt").write_text(NET)


def dumped(*flags: str) -> dict[str, str]:
    """Graphs by the names of their files, without the passes' numbers."""
    assert main(["compile", "net.prototxt", "--dump=out", *flags]) == 0
    files = Path("out").glob("*.ir")
    return {re.sub(r"^pass_\d+_", "", path.stem): path.read_text() for path in files}


@pytest.mark.parametrize("flags", [(), ("--layout=channels-last",)])
def test_compile_shows_what_is_laid_out(flags: tuple[str, ...]) -> None:
    """As GPUs want it, unless another order is asked for."""
    graphs = dumped(*flags)
    laid = graphs["layout"]
    assert "%x.copy: f32[N,8,H,W]{0,2,3,1} = map(%x) {a0}" in laid
    assert "output %ip: f32[N,2] result" in laid
    assert "{0,2,3,1}" in graphs["fuse"]


def test_in_the_order_that_images_come_in_nothing_is() -> None:
    graphs = dumped("--layout=row-major")
    assert not any("{0," in text for text in graphs.values())


def test_opt_lays_out_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    dumped()
    lowered = "out/graph_lowered.ir"
    words = ["opt", lowered, "--passes=layout", "--check", "--verify"]
    assert main([*words, "--layout=channels-by-4"]) == 0
    printed = capsys.readouterr()
    assert "f32[2,6,4,3]{0,1,2,3,1:4} = conv(" in printed.out
    assert "no output differs" in printed.err
    assert main(["opt", lowered, "--layout=channels-last", "--bisect"]) == 0
    assert "right after all" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "nchw", "channels-by-1", "channels-by-16x", "Row-Major"])
def test_an_unknown_layout_lists_them(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", "net.prototxt", f"--layout={name}"]) == 1
    said = capsys.readouterr().err
    assert f"there is no layout '{name}'" in said and "channels-last, channels-by-N" in said
    if name:
        monkeypatch.setenv("ROASTERY_LAYOUT", name)
        assert main(["compile", "net.prototxt"]) == 1
        assert f"ROASTERY_LAYOUT: there is no layout '{name}'" in capsys.readouterr().err


def test_the_reference_says_that_it_takes_none(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["time", "--model=net.prototxt", "--iterations=1", "--device=reference"]
    assert main([*words, "--layout=channels-last"]) == 0
    printed = capsys.readouterr()
    assert "layout channels-last has no effect where numpy runs graphs" in printed.out + printed.err


def test_scripts_choose_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((2, 8, 6, 5)).astype(np.float32)
    results = []
    for device, layout in (("reference", ""), ("cpu", "channels-last")):
        monkeypatch.setenv("ROASTERY_LAYOUT", layout)
        net = roastery.compile("net.prototxt", device=device, seed=1)
        results.append(net(x=x)["ip"])
    np.testing.assert_allclose(*results, rtol=1e-5)
    monkeypatch.setenv("ROASTERY_LAYOUT", "wrong")
    with pytest.raises(RoasteryError, match="ROASTERY_LAYOUT"):
        roastery.compile("net.prototxt", device="cpu")


def test_calls_choose_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="roastery"):
        roastery.compile("net.prototxt", device="reference", layout="channels-last")
    assert "layout channels-last has no effect where numpy runs graphs" in caplog.text
    Path("solver.prototxt").write_text('net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed"')
    for call in (
        partial(roastery.compile, "net.prototxt", device="cpu"),
        partial(caffe.Net, "net.prototxt", caffe.TEST, device="cpu"),
        partial(caffe.get_solver, "solver.prototxt"),
        partial(export_net, "net.prototxt", None, "net.roast"),
    ):
        with pytest.raises(RoasteryError, match=r"^there is no layout 'nchw'"):
            call(layout="nchw")


@pytest.mark.parametrize("how", ["python", "export"])
def test_all_commands_that_compile_have_the_flag(
    how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if how == "python":
        show = "import os; print(os.environ['ROASTERY_LAYOUT'])"
        words = [sys.executable, "-m", "roastery", "python", "--layout=channels-last", "-c", show]
        subprocess.run(words, check=True, cwd=ROOT)
        assert capfd.readouterr().out == "channels-last\n"
    else:
        assert main(["export", "--model=net.prototxt", "--output=net.roast", "--layout=nchw"]) == 1
        assert "there is no layout 'nchw'" in capfd.readouterr().err
