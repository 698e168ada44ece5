"""docs/deploying.md does what it says, from a prototxt and a caffemodel on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from tests.support import c_kernels
from tests.support.shown_commands import DOCS, blocks, check_commands

cv2 = pytest.importorskip("cv2")

PAGE = (DOCS / "deploying.md").read_text(encoding="utf-8")


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="there is no ONNX")
@c_kernels.needs_compiler
def test_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (net, *_) = blocks((DOCS / "exporting.md").read_text(encoding="utf-8"), "")
    Path("deploy.prototxt").write_text(net)
    caffe.Net("deploy.prototxt", caffe.TEST, device="reference").save("net.caffemodel")
    Path("names.txt").write_text("".join(f"digit {number}\n" for number in range(10)))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3)).astype(np.uint8)
    assert cv2.imwrite("three.png", pixels)
    capsys.readouterr()
    assert check_commands(PAGE, capsys) == 7
    said = []
    for program in blocks(PAGE, "python"):
        exec(compile(program, "deploying.md", "exec"), {})
        said.append(capsys.readouterr().out)
    assert said == ["(5, 10)\n", "(5, 10)\n"]
    assert Path("net_torch/net.safetensors").is_file()
