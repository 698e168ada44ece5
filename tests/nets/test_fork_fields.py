"""Fields of forks: what only steers execution is named once, what changes results is refused."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

import roastery
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.program import NetProgram
from roastery.building import LogReport, NetBuilder, NetRequest
from roastery.building.logger import logger_report
from roastery.building.lowered import lower_net
from roastery.cli.main import main
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.logging import CaffeLog
from tests.support.lowering import inputs, lowered, refusal

X = inputs(x=(2, 3, 8, 8))
CONV = 'layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { %s } }\n'


REFUSED = {
    "relu": CONV % "num_output: 2 kernel_size: 1 relu: true",
    "alpha": CONV % 'num_output: 2 kernel_size: 1 weight_filler { type: "msra" alpha: 2 }',
    "fix_lr": (CONV % "num_output: 2 kernel_size: 1").replace(
        "convolution_param", "param { fix_lr: true } convolution_param"
    ),
    "label_smoothing": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "x" '
    'top: "l" loss_param { label_smoothing: 0.1 } }',
    "margin": 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "x" top: "l" '
    "softmax_param { margin: 0.1 } }",
    "hard_ratio": 'layer { name: "s" type: "Softmax" bottom: "x" top: "s" '
    "softmax_param { hard_ratio: 0.5 } }",
}


@pytest.mark.parametrize("field", REFUSED)
def test_refused(field: str) -> None:
    error = refusal(X + REFUSED[field])
    assert f"`{field}` is a field of another fork's" in error.message
    assert error.location is not None
    assert error.location.line == 2
    assert error.location.text[error.location.column - 1 :].startswith(field)


def test_a_default_is_no_change() -> None:
    lowered(X + CONV % "num_output: 2 kernel_size: 1 relu: false")


def test_parameters_of_other_layers_are_not_looked_at() -> None:
    """As in Caffe, which ignores a pooling_param in a convolution."""
    lowered(
        X
        + (CONV % "num_output: 2 kernel_size: 1").replace(
            "convolution_param", "pooling_param { torch_pooling: true } convolution_param"
        )
    )


def test_honoured() -> None:
    pool = 'layer { name: "p" type: "Pooling" bottom: "x" top: "p" pooling_param { %s } }'
    ceil = lowered(X + pool % "kernel_size: 3 stride: 2 ceil_mode: true")
    floor = lowered(X + pool % "kernel_size: 3 stride: 2 ceil_mode: false")
    assert ceil.blobs["p"][0].shape == (2, 3, 4, 4)
    assert floor.blobs["p"][0].shape == (2, 3, 3, 3)


STEERED = (
    X
    + 'layer { name: "c" type: "Convolution" bottom: "x" top: "c" quantization_param { } '
    + "convolution_param { num_output: 2 kernel_size: 1 engine: MKL2017 } }\n"
    + 'layer { name: "r" type: "ReLU" bottom: "c" top: "c" relu_param { engine: MKL2017 } }\n'
)


def test_what_steers_execution_is_noted_once() -> None:
    net = nets.net_from_text(STEERED, "net.prototxt")
    texts = [str(note) for note in net.notes]
    assert len(texts) == 2
    assert any("engine: MKL2017` (2 times)" in text for text in texts)
    assert any("`quantization_param`" in text for text in texts)
    lowered(STEERED)


def test_notes_reach_the_log_once_for_all_nets_of_a_run() -> None:
    net = nets.net_from_text(
        "layers { name: 'd' type: DUMMY_DATA top: 'x' dummy_data_param { num: 1 channels: 2 "
        "height: 2 width: 2 } }\nlayers { name: 'r' type: RELU bottom: 'x' top: 'x' "
        "relu_param { engine: MKL2017 } }",
        "old.prototxt",
    )
    stream = io.StringIO()
    builder = NetBuilder(
        open_backend("reference"), CompileOptions(), LogReport(CaffeLog.open(stream=stream))
    )
    for phase in ("TRAIN", "TEST"):
        builder.build(NetRequest(net, nets.state_message(phase)), seed=0)
    text = stream.getvalue()
    assert text.count("V1 layers were upgraded") == 1
    assert text.count("engine: MKL2017` only steers how another fork of Caffe runs") == 1
    assert "old.prototxt:1" in text


def test_notes_of_a_solver_reach_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(
        'layer { name: "d" type: "DummyData" top: "x" top: "t" dummy_data_param { '
        "shape { dim: 2 dim: 3 } } }\n"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 3 } }\n"
        'layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "l" }\n'
    )
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 solver_mode: CPU\n'
        'solver_type: NESTEROV engine: "MKLDNN"\nsnapshot_after_train: false\n'
    )
    assert main(["train", "--solver=solver.prototxt", "--device=reference"]) == 0
    log = capsys.readouterr().err
    assert log.count('solver.prototxt:2:1: solver_type became type: "Nesterov"') == 1
    assert log.count("only steers how another fork of Caffe runs") == 1


def test_notes_of_compile_go_to_a_logger(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(STEERED)
    with caplog.at_level(logging.INFO, "roastery"):
        roastery.compile(path, device="reference")
    assert sum("MKL2017" in record.getMessage() for record in caplog.records) == 1


def test_stages_that_a_net_names_itself(tmp_path: Path) -> None:
    """Caffe adds the stages of a call to those of the file."""
    path = tmp_path / "net.prototxt"
    path.write_text(
        'state { stage: "deploy" }\n' + X
        + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r" include { stage: "deploy" } }\n'
        + 'layer { name: "s" type: "ReLU" bottom: "x" top: "s" include { stage: "more" } }\n'
    )  # fmt: skip
    assert roastery.compile(path, device="reference").outputs == ["r"]
    assert roastery.compile(path, device="reference", stages=["more"]).outputs == ["r", "s"]
    state = nets.net_state(nets.read_net(path), "TEST", 0, [""])
    assert list(state.stage) == ["deploy", ""]


DATA = """layer { name: "d" type: "Data" top: "d" top: "l"
  data_param { source: "nowhere" batch_size: 2 synchronize_target: true }
  transform_param { crop_size: 5 force_color: true } }
"""


def test_a_data_layer_is_refused_when_it_reads(tmp_path: Path) -> None:
    """Its net loads, prints and compiles before that."""
    path = tmp_path / "net.prototxt"
    path.write_text(DATA)
    refused = refusal(DATA)
    assert "`synchronize_target` is a field of another fork's Data layer" in refused.message
    assert refused.location is not None
    assert refused.location.line == 2
    assert main(["compile", str(path)]) == 0
    assert main(["compile", str(path), "--shape", "d=2,3,8,8"]) == 0
    with pytest.raises(Exception, match="synchronize_target"):
        roastery.compile(path)


def test_frozen_layers_do_not_learn() -> None:
    program = lowered(
        X
        + (CONV % "num_output: 2 kernel_size: 1").replace("bottom", "freeze_learning: true bottom")
    )
    assert [variable.lr_mult for variable in program.parameters] == [0.0, 0.0]


def test_a_repeated_block_keeps_its_first(tmp_path: Path) -> None:
    """resize_param of MobileNet-YOLO, of which other forks have one; the text stays as it is."""
    text = DATA.replace("synchronize_target: true", "").replace(
        "crop_size: 5", "resize_param { height: 7 } resize_param { height: 9 }"
    )
    net = nets.net_from_text(text, "net.prototxt")
    transform = net.layer[0].transform_param
    assert transform.resize_param.height == 7
    assert [block.height for block in transform.further_resize_param] == [9]
    assert str(net).count("resize_param {") == 2
    assert "further" not in str(net)
    assert nets.net_from_text(str(net), "again.prototxt") == net
    assert "resize_param" in refusal(text).message


def test_what_yet_another_fork_added_is_refused_in_a_forks_layer() -> None:
    layer = (
        'layer { name: "p" type: "DetectionOutput" bottom: "x" bottom: "x" bottom: "x" top: "p" '
        "detection_output_param { num_classes: 2 output_logits: true } }"
    )
    found = refusal(X + layer).message
    assert "`output_logits` is a field of another fork's DetectionOutput layer" in found


def test_statistics_of_nvcaffe_do_not_learn() -> None:
    """Whatever their param blocks say: NVCaffe sets the rates of the first three blobs to 0."""
    layer = (
        'layer { name: "b" type: "BatchNorm" bottom: "x" top: "b" param { lr_mult: 1 } '
        "batch_norm_param { scale_bias: true } }"
    )
    program = lowered(X + layer)
    assert len([p for p in program.parameters if p.lr_mult]) == 2  # scale and shift


@pytest.mark.parametrize(
    ("kind", "tops", "data", "annotated", "shapes"),
    [
        ("AnnotatedData", 1, "", "yolo_data_type: 1", [(2, 1, 300, 5)]),
        ("AnnotatedData", 2, "", "yolo_data_type: 1", [(2, 1, 300, 5), (2, 1, 1, 1)]),
        ("AnnotatedData", 2, "", "seg_scales: 3", [(1, 1, 1, 8), (2, 1, 2, 2)]),
        (
            "AnnotatedData",
            2,
            "",
            "seg_resize_width: 5 seg_resize_height: 6",
            [(1, 1, 1, 8), (2, 1, 6, 5)],
        ),
        ("AnnotatedData", 3, "side: 13 side: 26 side: 2", "", [(2, 1183), (2, 4732), (2, 28)]),
        ("LaneData", 2, "", "seg_scales: 4", [(2, 5, 64, 3), (2, 1, 2, 2)]),
    ],
)
def test_labels_of_yolo_are_told_without_data(
    kind: str, tops: int, data: str, annotated: str, shapes: list[tuple[int, ...]]
) -> None:
    names = [f"l{i}" for i in range(tops)]
    program = _without_data(kind, names, data, annotated)
    assert [program.blobs[name][0].shape for name in names] == shapes


def test_how_many_classes_masks_have_is_asked_for() -> None:
    with pytest.raises(RoasteryError) as caught:
        _without_data("AnnotatedData", ["l", "m"], "", "single_class: false")
    hint = caught.value.hint or ""
    assert "--shape m=2,K,1,1" in hint and "K = the classes of labels of pixels" in hint


def _without_data(kind: str, names: list[str], data: str, annotated: str) -> NetProgram:
    tops = " ".join(f'top: "{name}"' for name in names)
    bottoms = tops.replace("top", "bottom")
    text = (
        f'layer {{ name: "d" type: "{kind}" top: "d" {tops} transform_param {{ '
        "crop_size: 8 force_color: true } "
        f'data_param {{ source: "nowhere" batch_size: 2 {data} }} '
        f"annotated_data_param {{ {annotated} }} }} "
        f'layer {{ name: "s" type: "Silence" bottom: "d" {bottoms} }}'
    )
    net = nets.net_from_text(text)
    request = NetRequest(net, nets.net_state(net, "TRAIN"), assume="missing")
    return lower_net(request, logger_report()).program
