"""What an ONNX model holds besides its arithmetic: names, places, operators, sizes."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import roastery
from ir.errors import RoasteryError
from ir.types import DType
from roastery.api.export_onnx import OnnxRequest
from roastery.api.exporting import export_net
from roastery.api.picture_use import PictureRules
from tests.support.layer_cases import LayerCase, net_text
from tests.support.onnx_run import OnnxRun

NET = """
name: "Digits"
layer { name: "data" type: "Input" top: "data" input_param {
  shape { dim: 2 dim: 1 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "relu" type: "ReLU" bottom: "bn" top: "bn" }
layer { name: "pool" type: "Pooling" bottom: "bn" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""

IN_PLACE = 'layer { name: "most" type: "ReLU" bottom: "prob" top: "prob" }'


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "digits.prototxt"
    path.write_text(NET)
    return path


def test_a_net_is_the_operators_that_people_expect(net: Path, tmp_path: Path) -> None:
    made = export_net(net, None, tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Conv", "Relu", "MaxPool", "Reshape", "Gemm", "Softmax"]
    assert [node.output[0] for node in model.graph.node][2:3] == ["pool"]
    assert {"bn", "ip", "prob"} <= {name for node in model.graph.node for name in node.output}
    assert {"ip/0", "ip/1"} <= {tensor.name for tensor in model.graph.initializer}
    assert model.graph.node[-1].doc_string == "layer 'prob', digits.prototxt:13"
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said == {"roastery_version": roastery.__version__, "net": "Digits"}
    assert [o.version for o in model.opset_import] == [17]
    assert (
        made.fixed == {"data": (2, 1, 8, 8)}
        and made.nbytes == (tmp_path / "net.onnx").stat().st_size
    )


def test_sizes_have_names(net: Path, tmp_path: Path) -> None:
    for dynamic, batch, edge in (("batch", "N", 8), ("all", "N", 8), ("", 2, 8)):
        export_net(net, None, tmp_path / "net.onnx", dynamic=dynamic)
        (fed,) = onnx.load(tmp_path / "net.onnx").graph.input
        dims = [d.dim_param or d.dim_value for d in fed.type.tensor_type.shape.dim]
        assert dims == [batch, 1, edge, edge], dynamic  # InnerProduct fixes the image
    export_net(net, None, tmp_path / "net.onnx", dynamic="batch")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (found,) = session.run(None, {"data": np.zeros((5, 1, 8, 8), np.float32)})
    assert found.shape == (5, 10)


@pytest.mark.parametrize("opset", [17, 18, 20, 21])
def test_opsets(opset: int) -> None:
    """Operators take other inputs from opset to opset, so that each has to compute the same."""
    kinds = ("Reduction", "MVN", "Normalize", "ArgMax", "Split")
    layers = [f'layer {{ name: "{k}" type: "{k}" bottom: "bn" top: "{k}" }}' for k in kinds]
    case = LayerCase("any", "any", NET + "\n".join(layers))
    run = OnnxRun(case, OnnxRequest(opset), tame=True)
    assert [o.version for o in run.model.opset_import] == [opset]
    assert not run.compare()


def test_the_newest_opset(net: Path, tmp_path: Path) -> None:
    export_net(net, None, tmp_path / "net.onnx", opset=0)
    model = onnx.load(tmp_path / "net.onnx")
    assert [o.version for o in model.opset_import] == [onnx.defs.onnx_opset_version()]
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"opset": 16}, "opset 16 is not one from 17 to "),
        ({"dynamic": "width"}, "dynamic is 'width'"),
        ({"targets": ["c"]}, "--target means nothing for an ONNX model"),
        ({"cpu_baseline": "none"}, "--cpu-baseline means nothing for an ONNX model"),
        ({"passes": "cse"}, "--passes means nothing for an ONNX model"),
        ({"format": "roast"}, "format roast is an artifact, but "),
        ({"format": "gif"}, "unknown format 'gif'"),
        ({"precision": "tf32"}, "precision tf32 is none of an ONNX model"),
    ],
)
def test_contradictions(net: Path, tmp_path: Path, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(RoasteryError, match=said.replace("(", "\\(")):
        export_net(net, None, tmp_path / "net.onnx", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "net.onnx").exists()


def test_an_artifact_has_no_opset(net: Path, tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="--dynamic means nothing for an artifact"):
        export_net(net, None, tmp_path / "net.roast", dynamic="all")


def test_all_layers_that_cannot_be_expressed_are_named(net: Path, tmp_path: Path) -> None:
    drop = 'dropout_param { sample_weights_test: true } }\nlayer { name: "'
    net.write_text(
        NET + f'layer {{ name: "first" type: "Dropout" bottom: "prob" top: "a" {drop}second" '
        'type: "Dropout" bottom: "prob" top: "b" dropout_param { sample_weights_test: true } }\n'
    )
    (tmp_path / "net.onnx").write_bytes(b"before")
    with pytest.raises(RoasteryError) as caught:
        export_net(net, None, tmp_path / "net.onnx")
    text = str(caught.value)
    assert "digits.prototxt:14:1 (layer 'first'): " in text
    assert "digits.prototxt:15:1 (layer 'second'): " in text and "2 errors" in text
    assert (tmp_path / "net.onnx").read_bytes() == b"before"


@pytest.mark.parametrize(
    ("place", "other", "said"),
    [
        (
            "compiler.onnx.model.ELEMENT_TYPES",
            {DType.F32: onnx.TensorProto.INT64},
            "tensor(int64)",
        ),
        ("compiler.onnx.model.helper.find_min_ir_version_for", lambda _: 1, "opset_import"),
    ],
)
def test_a_model_that_is_not_sound_is_not_written(
    net: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    other: object,
    said: str,
) -> None:
    """An output of another type, or a version that has no such fields."""
    monkeypatch.setattr(place, other)
    (tmp_path / "net.onnx").write_bytes(b"before")
    with pytest.raises(RoasteryError, match=r"internal error: the model .* is not sound") as caught:
        export_net(net, None, tmp_path / "net.onnx")
    assert said in str(caught.value)
    assert (tmp_path / "net.onnx").read_bytes() == b"before"


def _operators(layers: str, **inputs: tuple[int, ...]) -> list[str]:
    run = OnnxRun(LayerCase("any", "any", net_text(layers, **inputs)), OnnxRequest())
    assert not run.compare()
    return [node.op_type for node in run.model.graph.node]


@pytest.mark.parametrize(
    ("kind", "parameters", "operators"),
    [
        ("Pooling", "pooling_param { pool: AVE kernel_size: 2 stride: 2 }", ["AveragePool"]),
        ("Pooling", "pooling_param { kernel_size: 3 stride: 2 }", ["MaxPool"]),
        ("Pooling", "pooling_param { pool: AVE global_pooling: true }", ["GlobalAveragePool"]),
        ("LRN", "lrn_param { local_size: 5 }", ["LRN"]),
        ("Softmax", "", ["Softmax"]),
        ("ReLU", "relu_param { negative_slope: 0.1 }", ["LeakyRelu"]),
        ("PReLU", "", ["PRelu"]),
        ("ELU", "", ["Elu"]),
        ("Sigmoid", "", ["Sigmoid"]),
        ("Deconvolution", "convolution_param { num_output: 2 kernel_size: 2 }", ["ConvTranspose"]),
    ],
)
def test_layers_that_are_one_operator(kind: str, parameters: str, operators: list[str]) -> None:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" top: "y" {parameters} }}'
    assert _operators(layer, x=(2, 3, 6, 6)) == operators


def test_pictures_and_labels_are_told(net: Path, tmp_path: Path) -> None:
    mean = np.arange(64, dtype=np.float32).reshape(1, 8, 8)
    rules = PictureRules(mean=mean, raw_scale=255.0, labels=("cat", "dog"))
    export_net(net, None, tmp_path / "net.onnx", pictures=rules)
    model = onnx.load(tmp_path / "net.onnx")
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["labels"]) == ["cat", "dog"]
    assert json.loads(said["preprocessing"])["raw_scale"] == 255.0
    assert np.array_equal(
        np.frombuffer(base64.b64decode(said["mean.f32"]), "<f4").reshape(mean.shape), mean
    )


def test_without_the_package_the_error_says_what_to_install(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n == "onnx" or n.startswith("compiler.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RoasteryError, match="the package onnx") as caught:
        export_net(net, None, tmp_path / "net.onnx")
    assert "pip install 'roastery[onnx]'" in str(caught.value)


def test_names_that_are_no_text(net: Path, tmp_path: Path) -> None:
    net.write_bytes(NET.encode().replace(b'"data"', b'"d\xff"').replace(b'"prob"', b'"p\xfe"'))
    export_net(net, None, tmp_path / "net.onnx", dynamic="batch")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    ((fed,), (shown,)) = session.get_inputs(), session.get_outputs()
    (found,) = session.run(None, {fed.name: np.zeros((3, 1, 8, 8), np.float32)})
    assert found.shape == (3, 10) and fed.name.startswith("d") and shown.name.startswith("p")


def test_a_blob_that_is_changed_in_place(
    net: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The input keeps its name."""
    head, _, _ = NET.partition('layer { name: "conv"')
    net.write_text(head + 'layer { name: "r" type: "ReLU" bottom: "data" top: "data" }')
    export_net(net, None, tmp_path / "net.onnx")
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert [port.name for port in graph.input] == ["data"]
    assert [port.name for port in graph.output] == ["data.out"]
    assert "output 'data' is called 'data.out'" in caplog.text


@pytest.mark.parametrize("half", [False, True])
def test_equal_layers_have_an_output_each(half: bool) -> None:
    """They are computed once."""
    layers = "".join(
        f'layer {{ name: "{top}" type: "TanH" bottom: "x" top: "{top}" }}\n' for top in "abc"
    )
    run = OnnxRun(LayerCase("Net", "n", net_text(layers, x=(2, 3))), OnnxRequest(half=half))
    assert [o.name for o in run.session.get_outputs()] == ["a", "b", "c"]
    assert [n.op_type for n in run.model.graph.node].count("Tanh") == 1
    assert not run.compare(within=1e-2 if half else 1e-5)


def test_a_net_without_outputs(net: Path, tmp_path: Path) -> None:
    net.write_text(NET + 'layer { name: "s" type: "Silence" bottom: "prob" }')
    with pytest.raises(RoasteryError, match="needs an output"):
        export_net(net, None, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_the_last_that_is_changed_in_place_has_the_name_of_the_blob(
    net: Path, tmp_path: Path
) -> None:
    net.write_text(NET.replace('p: "bn"', 'p: "conv"').replace('m: "bn"', 'm: "conv"') + IN_PLACE)
    for precision in ("float32", "float16"):
        export_net(net, None, tmp_path / "net.onnx", precision=precision)
        graph = onnx.load(tmp_path / "net.onnx").graph
        assert [port.name for port in graph.output] == ["prob"], precision
        relu, last = (node for node in graph.node if node.op_type == "Relu")
        (pool,) = (node for node in graph.node if node.op_type == "MaxPool")
        assert list(relu.output) == ["conv"] == list(pool.input), precision
        made = list(graph.node[-1].output)
        assert made == ["prob"] and (precision == "float16" or made == list(last.output))


def test_a_layer_of_more_terms_than_python_has_frames() -> None:
    many = 'bottom: "x" ' * (sys.getrecursionlimit() + 100)
    assert set(_operators(f'layer {{ name: "l" type: "Eltwise" {many} top: "y" }}', x=(2,))) == {
        "Add"
    }
