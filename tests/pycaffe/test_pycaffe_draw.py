"""caffe.draw: what is drawn, and that every format can be read."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

import roastery.caffe as caffe
import roastery.caffe.draw as draw
from ir.errors import RoasteryError
from roastery.caffe.drawing.graph import draw_graph
from roastery.caffe.drawing.layout import Box, lay_out
from roastery.caffe.proto import caffe_pb2
from roastery.cli.main import main
from roastery.reading.nets import net_from_text, read_net
from tests.support.sample_nets import inception, residual

NET = """
name: "drawn <net>"
layer { name: "data" type: "Data" top: "data" top: "label" data_param { batch_size: 64 }
  include { phase: TRAIN } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" param { lr_mult: 2 }
  convolution_param { num_output: 20 kernel_h: 3 kernel_w: 5 stride: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 7 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" include { phase: TEST } }
"""  # noqa: E501


@pytest.fixture(autouse=True)
def _no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)


@pytest.fixture
def net() -> caffe_pb2.NetParameter:
    return text_format.Parse(NET, caffe_pb2.NetParameter())


def test_dot_has_every_layer_blob_and_arrow(net) -> None:
    text = draw.draw_net(net, "LR", "dot").decode()
    assert text.startswith('digraph "drawn <net>" {\n  rankdir=LR;')
    label = "conv\\n(Convolution)\\nkernel size: 3x5\\nstride: 2\\npad: 0"
    assert f'"layer conv" [label="{label}"' in text
    assert '"layer pool" [label="pool\\n(Pooling MAX)' in text
    assert '"layer data" -> "blob data" [label="Batch 64"];' in text
    assert '"layer ip" -> "blob ip" [label="7"];' in text
    assert '"blob conv" -> "layer relu";' in text and '"layer relu" -> "blob conv";' in text
    assert text.count("fillcolor") == 7 + 7
    assert draw.draw_net(net, "LR", "raw").decode() == text
    assert 'label="conv (Convolution) kernel size' in draw.draw_net(net, "TB", "dot").decode()


def test_phases_and_rates(net) -> None:
    train = draw.draw_net(net, "LR", "dot", phase=caffe.TRAIN).decode()
    assert "Accuracy" not in train and "(Data)" in train
    test = draw.draw_net(net, "LR", "dot", phase=caffe.TEST, display_lrm=True).decode()
    assert "Accuracy" in test and "(Data)" not in test
    assert "lr mult: 2.0, 1.0" in test and "lr mult" not in train
    with pytest.raises(RoasteryError, match="phase"):
        draw.draw_net(net, "LR", "dot", phase=3)


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_svg_is_valid_and_boxes_do_not_touch(net, rankdir: str) -> None:
    root = ET.fromstring(draw.draw_net(net, rankdir, "svg"))
    space = "{http://www.w3.org/2000/svg}"
    words = {element.text for element in root.iter(f"{space}text")}
    assert {"relu", "label", "Batch 64"} <= words or any("relu" in w for w in words)
    rects = [
        Box(
            float(r.get("x")) + float(r.get("width")) / 2,
            float(r.get("y")) + float(r.get("height")) / 2,
            float(r.get("width")),
            float(r.get("height")),
        )
        for r in root.iter(f"{space}rect")
    ]
    assert len(rects) == 7
    width, height = float(root.get("width")), float(root.get("height"))
    for i, a in enumerate(rects):
        assert a.x - a.width / 2 >= 0 and a.x + a.width / 2 <= width
        assert a.y - a.height / 2 >= 0 and a.y + a.height / 2 <= height
        for b in rects[:i]:
            apart_x = abs(a.x - b.x) >= (a.width + b.width) / 2
            assert apart_x or abs(a.y - b.y) >= (a.height + b.height) / 2


def test_flow_goes_one_way() -> None:
    message = net_from_text(NET)
    layout = lay_out(draw_graph("n", message.layer), "TB")
    for path in layout.paths:
        if not path.arrow.back:
            assert layout.boxes[path.arrow.tail].y < layout.boxes[path.arrow.head].y
    backward = lay_out(draw_graph("n", message.layer), "BT")
    for path in backward.paths:
        if not path.arrow.back:
            assert backward.boxes[path.arrow.tail].y > backward.boxes[path.arrow.head].y


def test_pictures(net, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    pytest.importorskip("matplotlib")
    draw.draw_net_to_file(net, str(tmp_path / "net.png"), "TB")
    pixels = cv2.imread(str(tmp_path / "net.png"))
    assert pixels.shape[0] > 400 > pixels.shape[1] > 100
    red = np.all(pixels == [0x50, 0x50, 0xFF], axis=2)
    assert red.sum() > 1000, "the convolution's box"
    assert draw.draw_net(net, "LR", "pdf").startswith(b"%PDF")
    with pytest.raises(RoasteryError, match="kind 'xyz'"):
        draw.draw_net(net, "LR", "xyz")
    with pytest.raises(RoasteryError, match="no extension"):
        draw.draw_net_to_file(net, tmp_path / "net")
    with pytest.raises(RoasteryError, match="rankdir is 'UP'"):
        draw.draw_net(net, "UP")


def test_old_nets_are_drawn_too() -> None:
    old = text_format.Parse(
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4 '
        'layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" '
        "convolution_param { num_output: 2 kernel_size: 3 } }",
        caffe_pb2.NetParameter(),
    )
    text = draw.draw_net(old, "LR", "dot").decode()
    assert "(Convolution)" in text and "(Input)" in text


def test_settings_in_the_working_directory_start_nothing(
    tmp_path: Path,
) -> None:
    """matplotlib reads a matplotlibrc there, which may ask for LaTeX and modules."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: module://strange\n")
    (tmp_path / "strange.py").write_text("open('ran', 'w')\n")
    (tmp_path / "bin").mkdir()
    for name in ("latex", "dvipng", "xelatex"):
        program = tmp_path / "bin" / name
        program.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
        program.chmod(0o755)
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }'
    )
    (tmp_path / "run.log").write_text(
        "".join(
            f"I0210 13:39:2{i}.381027 25210 solver.cpp:239] Iteration {i}, loss = {i}\n"
            for i in range(3)
        )
    )
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for words in (["draw_net", "net.prototxt", "net.png"], ["plot_log", "run.log"]):
        done = subprocess.run(
            [sys.executable, "-m", "roastery", *words], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("ran"))
    with pytest.raises(RoasteryError, match="pictures of the kind 'pgf'"):
        draw.draw_net_to_file(read_net(tmp_path / "net.prototxt"), tmp_path / "net.pgf")


TANGLED = NET + "".join(
    f'layer {{ name: "p{i}" type: "Convolution" bottom: "{bottom}" top: "p{i}" '
    f"convolution_param {{ num_output: {64 * i} kernel_size: 1 }} }}\n"
    for i, bottom in ((1, "data"), (2, "conv"), (3, "p1"), (4, "pool"), (5, "data"))
) + "".join(
    f'layer {{ name: "join{i}" type: "Eltwise" bottom: "{a}" bottom: "{b}" top: "{top}" }}\n'
    for i, (a, b, top) in enumerate(
        [("p1", "p5", "a_long_name_of_a_blob_MW"), ("p3", "data", "y"), ("p1", "y", "p1"),
         ("label", "p4", "z"), ("z", "p2", "data")]
    )
)  # fmt: skip


def meets(first: tuple[float, float], second: tuple[float, float], box: Box) -> bool:
    """Whether a line runs through the inside of a box (Liang and Barsky's way)."""
    low, high = 0.0, 1.0
    dx, dy = second[0] - first[0], second[1] - first[1]
    half_w, half_h = box.width / 2 - 0.01, box.height / 2 - 0.01
    for p, q in (
        (-dx, first[0] - (box.x - half_w)), (dx, box.x + half_w - first[0]),
        (-dy, first[1] - (box.y - half_h)), (dy, box.y + half_h - first[1]),
    ):  # fmt: skip
        if p == 0:
            if q < 0:
                return False
        elif p < 0:
            low = max(low, q / p)
        else:
            high = min(high, q / p)
    return low < high


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("text", [NET, TANGLED, inception(), residual()])
def test_arrows_strike_out_no_text(text: str, rankdir: str) -> None:
    """None runs through a box that is not its end, or through a label, its own included."""
    layout = lay_out(draw_graph("n", net_from_text(text).layer), rankdir)
    labels = [path.label for path in layout.paths if path.label is not None]
    assert labels
    everything = [*layout.boxes.values(), *labels]
    for i, a in enumerate(everything):
        for b in everything[:i]:
            apart_x = abs(a.x - b.x) >= (a.width + b.width) / 2 - 1e-6
            assert apart_x or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1e-6
    for path in layout.paths:
        for first, second in pairwise(path.points):
            assert not [box for box in everything if meets(first, second, box)], path.arrow


def test_circles_are_drawn() -> None:
    text = 'layer { name: "a" type: "ReLU" bottom: "y" top: "x" }\n'
    text += 'layer { name: "b" type: "ReLU" bottom: "x" top: "y" }\n'
    text += 'layer { name: "c" type: "Eltwise" bottom: "x" bottom: "y" top: "x" }\n'
    layout = lay_out(draw_graph("n", net_from_text(text).layer), "TB")
    assert len(layout.paths) == 7
    for path in layout.paths:
        others = [b for k, b in layout.boxes.items() if k not in (path.arrow.tail, path.arrow.head)]
        for first, second in pairwise(path.points):
            assert not any(meets(first, second, box) for box in others)


def test_boxes_hold_wide_letters() -> None:
    name = "WWWW" * 10
    text = f'layer {{ name: "{name}" type: "Input" top: "x" input_param {{ shape {{ dim: 2 }} }} }}'
    layout = lay_out(draw_graph("n", net_from_text(text).layer), "TB")
    assert layout.boxes[f"layer {name}"].width > 40 * 11


def test_shapes_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    shapes = ["--shape", "data=64,3,20,20", "--shape", "label=64"]
    assert main(["draw_net", "net.prototxt", "a.dot", "--display-shapes", "--display-sizes",
                 "--phase=TRAIN", *shapes]) == 0  # fmt: skip
    text = Path("a.dot").read_text()
    assert '[label="conv\\n64x20x9x8", shape=octagon' in text
    assert "pad: 0\\n920 parameters\\n4,147,200 multiply-adds" in text
    assert main(["draw_net", "net.prototxt", "b.dot", "--display-shapes", "--phase=TRAIN",
                 *shapes]) == 0  # fmt: skip
    text = Path("b.dot").read_text()
    assert "64x20x9x8" in text and "multiply" not in text
    assert main(["draw_net", "net.prototxt", "c.dot", *shapes]) == 1
    assert not Path("c.dot").exists()


def test_shapes_of_both_phases() -> None:
    text = "".join(
        f'layer {{ name: "d" type: "DummyData" top: "data" include {{ phase: {phase} }}\n'
        f"  dummy_data_param {{ shape {{ dim: {n} dim: 3 }} }} }}\n"
        for phase, n in (("TRAIN", 8), ("TEST", 5))
    )
    dot = draw.draw_net(net_from_text(text), "LR", "dot", display_shapes=True).decode()
    assert 'label="data\\n8x3 or 5x3"' in dot


def test_shapes_of_a_net_that_does_not_tell_them(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="shape"):
        draw.draw_net(net_from_text(NET), "LR", "dot", display_shapes=True)
