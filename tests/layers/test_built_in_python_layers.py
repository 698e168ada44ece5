"""Python layers that are built in, against plain numpy; which module is taken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery
from frontends.lowering.built_in_python import BUILT_IN
from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.reading import nets
from tests.layers.records.python_layers import CASES, built_in, objects, regions, size
from tests.support.layer_cases import all_cases
from tests.support.layer_run import LayerRun
from tests.support.lowering import program_of

BASE = np.array([16 * 16 / 0.5, 16 * 16, 16 * 16 / 2]) ** 0.5

SHAPE = (1, 12, 4, 5)
SCALES = "'feat_stride': 16 \\n'scales': [1, 2]"


def anchors() -> np.ndarray:
    """Of scales 1 and 2, at every place of a map of 4 x 5, (rows, columns, anchors, 4)."""
    found = []
    for ratio, width in zip((0.5, 1, 2), np.round(BASE), strict=True):
        height = np.round(width * ratio)
        for scale in (1, 2):
            w, h = (width * scale - 1) / 2, (height * scale - 1) / 2
            found.append([7.5 - w, 7.5 - h, 7.5 + w, 7.5 + h])
    y, x = np.mgrid[0:4, 0:5] * 16
    shift = np.stack([x, y, x, y], -1)[:, :, np.newaxis]
    return shift + np.array(found)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    common = np.maximum(high - low + 1, 0).prod(-1)
    areas = [(c[:, 2:4] - c[:, :2] + 1).prod(-1) for c in (a, b)]
    return common / (areas[0][:, None] + areas[1] - common)


def moves(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    sizes = [c[:, 2:4] - c[:, :2] + 1 for c in (a, b)]
    centers = [c[:, :2] + s / 2 for c, s in zip((a, b), sizes, strict=True)]
    return np.hstack([(centers[1] - centers[0]) / sizes[0], np.log(sizes[1] / sizes[0])])


def run(case: Any) -> dict[str, np.ndarray]:
    made = LayerRun(case)
    return {"in": made.values, "out": made.forward()}  # type: ignore[dict-item]


def target_case(more: str) -> Any:
    return built_in(
        "rpn.anchor_target_layer",
        "AnchorTargetLayer",
        "case",
        SCALES + more,
        4,
        inputs={"objects": objects, "size": size},
        map=SHAPE,
        objects=(3, 5),
        size=(1, 3),
    )


@pytest.mark.parametrize("border", [0, 5])
@pytest.mark.parametrize("clobber", [False, True])
def test_anchor_targets(border: int, clobber: bool) -> None:
    more = f"\\nallowed_border: {border}\\nrpn_clobber_positives: {clobber}"
    out = run(target_case(more))["out"]
    boxes, truth = anchors().reshape(-1, 4), objects(np.random.default_rng())
    inside = (boxes[:, :2] >= -border).all(1)
    inside &= (boxes[:, 2] < 80 + border) & (boxes[:, 3] < 64 + border)
    each = overlap(boxes, truth)
    best = (each == each[inside].max(0)).any(1) & inside
    labels = np.full(len(boxes), -1.0)
    largest = each.max(1)
    if not clobber:
        labels[largest < 0.3] = 0
    labels[best] = 1
    labels[largest >= 0.7] = 1
    if clobber:
        labels[largest < 0.3] = 0
    labels[~inside] = -1
    assert {-1, 0, 1} == set(labels)
    targets = np.where(inside[:, None], moves(boxes, truth[each.argmax(1)]), 0)
    within = np.repeat((labels == 1)[:, None], 4, 1)
    outside = np.repeat((labels >= 0)[:, None] / (labels >= 0).sum(), 4, 1)

    def laid(values: np.ndarray) -> np.ndarray:
        return values.reshape(4, 5, -1).transpose(2, 0, 1)[np.newaxis]

    np.testing.assert_array_equal(out["y0"], laid(labels).reshape(1, 1, 24, 5))
    for name, expected in (("y1", targets), ("y2", within), ("y3", outside)):
        np.testing.assert_allclose(out[name], laid(expected.astype(float)), atol=1e-6)


def test_anchors_are_sampled() -> None:
    whole = run(target_case("\\nallowed_border: 40"))["out"]["y0"]
    few = run(target_case("\\nallowed_border: 40\\nrpn_batchsize: 8\\nrpn_fg_fraction: 0.25"))
    labels = few["out"]["y0"]
    assert (labels == 1).sum() == 2 and (labels == 0).sum() == 6
    assert ((labels == whole) | (labels == -1)).all()
    assert np.isclose(few["out"]["y3"][labels.reshape(1, 6, 4, 5).repeat(4, 1) >= 0], 1 / 8).all()
    again = run(target_case("\\nallowed_border: 40\\nrpn_batchsize: 8\\nrpn_fg_fraction: 0.25"))
    np.testing.assert_array_equal(again["out"]["y0"], labels)


def region_case(more: str) -> Any:
    return built_in(
        "rpn.proposal_target_layer",
        "ProposalTargetLayer",
        "case",
        "'num_classes': 4" + more,
        5,
        inputs={"regions": regions, "objects": objects},
        regions=(40, 5),
        objects=(3, 5),
    )


@pytest.mark.parametrize("size", [400, -1])
@pytest.mark.parametrize("agnostic", [False, True])
def test_proposal_targets(agnostic: bool, size: int) -> None:
    """All are taken, in any order."""
    more = f"\\nbatch_size: {size}\\nagnostic: {agnostic}"
    result = run(region_case(more))
    out, truth = result["out"], objects(np.random.default_rng())
    given = np.vstack([result["in"]["regions"], np.pad(truth[:, :4], ((0, 0), (1, 0)))])
    each = overlap(given[:, 1:], truth)
    largest, own = each.max(1), each.argmax(1)
    labels = np.where(largest >= 0.5, truth[own, 4], 0)
    taken = np.arange(len(given))
    order = [int(np.abs(given - row).sum(1).argmin()) for row in out["y0"]]
    assert sorted(order) == list(taken)
    np.testing.assert_array_equal(out["y1"], labels[order])
    assert (np.diff((out["y1"] > 0).astype(int)) <= 0).all()  # those with objects first
    expected = moves(given[:, 1:], truth[own]) / [0.1, 0.1, 0.2, 0.2]
    classes = 2 if agnostic else 4
    wide, weights = np.zeros((2, len(given), classes, 4))
    for i, label in enumerate(labels.astype(int)):
        if label:
            wide[i, min(label, classes - 1) if agnostic else label] = expected[i]
            weights[i, min(label, classes - 1) if agnostic else label] = 1
    for name, values in (("y2", wide), ("y3", weights), ("y4", weights)):
        values = values.reshape(len(given), -1)[order]
        np.testing.assert_allclose(out[name], values, atol=1e-5)


def test_regions_are_sampled() -> None:
    out = run(region_case("\\nbatch_size: 8\\nbg_thresh_lo: 0.05"))["out"]
    assert out["y0"].shape == (8, 5) and out["y2"].shape == (8, 16)
    assert (out["y1"] > 0).sum() == 2


def test_proposals_leave_out_what_is_small() -> None:
    case = built_in(
        "rpn.proposal_layer",
        "ProposalLayer",
        "case",
        SCALES + "\\nrpn_min_size: 20\\nrpn_nms_thresh: 0.5\\nrpn_pre_nms_top_n: 60",
        2,
        "TEST",
        {"size": size, "moves": lambda rng: 0.2 * rng.standard_normal((1, 24, 4, 5))},
        scores=SHAPE,
        moves=(1, 24, 4, 5),
        size=(1, 3),
    )
    result = run(case)
    boxes = anchors().reshape(-1, 4)
    delta = result["in"]["moves"][0].reshape(6, 4, 4, 5).transpose(2, 3, 0, 1).reshape(-1, 4)
    extent = boxes[:, 2:] - boxes[:, :2] + 1
    center = boxes[:, :2] + extent / 2 + delta[:, :2] * extent
    half = np.exp(delta[:, 2:]) * extent / 2
    limit = np.array([79, 63] * 2)
    boxes = np.clip(np.hstack([center - half, center + half]), 0, limit)
    scores = result["in"]["scores"][0, 6:].transpose(1, 2, 0).ravel()
    large = (boxes[:, 2:] - boxes[:, :2] + 1 >= 20).all(1)
    order = [i for i in np.argsort(-scores) if large[i]][:60]
    kept: list[int] = []
    for i in order:
        if not kept or overlap(boxes[[i]], boxes[kept]).max() <= 0.5:
            kept.append(i)
    np.testing.assert_allclose(result["out"]["y0"][:, 1:], boxes[kept], atol=1e-4)
    np.testing.assert_allclose(result["out"]["y1"][:, 0], scores[kept], atol=1e-6)


def test_reorg_takes_the_memory_for_another_shape() -> None:
    result = run(built_in("yolov2", "darknet_reorg", "case", "", 1, x=(2, 8, 4, 6)))
    wide = result["in"]["x"].reshape(2, 2, 8, 12)  # fewer channels of larger images
    parts = [wide[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    expected = np.concatenate(parts, 1).reshape(2, 32, 2, 3)
    np.testing.assert_array_equal(result["out"]["y0"], expected)


PADDED = "'pad_t': 1, 'pad_b': 2, 'pad_l': 0, 'pad_r': 3, 'pad_mode': 'constant'"


def test_images_are_padded() -> None:
    result = run(built_in("pad", "PadTensor", "case", f"{{{PADDED}}}", 1, x=(2, 3, 4, 5)))
    expected = np.pad(result["in"]["x"], ((0, 0), (0, 0), (1, 2), (0, 3)))
    np.testing.assert_array_equal(result["out"]["y0"], expected)


@pytest.mark.parametrize(
    ("module", "layer", "param", "x", "words"),
    [
        ("pad", "PadTensor", PADDED, (2, 3), "(N, C, H, W) is expected"),
        ("pad", "PadTensor", "[", (2, 3, 4, 5), "param_str cannot be read"),
        ("pad", "PadTensor", PADDED.replace("constant", "edge"), (2, 3, 4, 5), "is 'edge'"),
        ("pad", "PadTensor", "'pad_mode': 'constant'", (2, 3, 4, 5), "has no 'pad_t'"),
        ("pad", "PadTensor", PADDED.replace("1", "-1"), (2, 3, 4, 5), "'pad_t' is -1"),
        ("yolov2", "darknet_reorg", "", (2, 6, 4, 6), "(N, 4 * C, 2 * H, 2 * W) is expected"),
        ("yolov2", "darknet_reorg", "", (2, 8, 4, 5), "(N, 4 * C, 2 * H, 2 * W) is expected"),
    ],
)
def test_what_they_cannot_take(
    module: str, layer: str, param: str, x: tuple[int, ...], words: str
) -> None:
    text = param if param == "[" or not param else f"{{{param}}}"
    with pytest.raises(RoasteryError) as caught:
        run(built_in(module, layer, "case", text, 1, x=x))
    assert words in str(caught.value)


def test_every_built_in_layer_has_a_record() -> None:
    load_layers()
    texts = [c.prototxt for c in all_cases() if c.layer_type == "Python"]
    for (module, name), kind in BUILT_IN.items():
        assert kind.host or any(f'"{module}" layer: "{name}"' in text for text in texts), module


NET = """
layer { name: "d" type: "Python" top: "data" top: "im_info" top: "gt_boxes"
  python_param {
    module: "roi_data_layer.layer" layer: "RoIDataLayer" param_str: "num_classes: 3" } }
layer { name: "r" type: "ReLU" bottom: "data" top: "y" }
"""


def test_pictures_have_sizes_and_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    net = roastery.compile(path, device="reference")
    with pytest.raises(RoasteryError, match="there is nothing to read") as caught:
        net()
    assert caught.value.location is not None and caught.value.location.layer == "d"


def test_targets_are_of_each_class_or_of_none(tmp_path: Path) -> None:
    tops = ["data", "rois", "labels", "bbox_targets", "bbox_inside_weights", "bbox_outside_weights"]
    path = tmp_path / "net.prototxt"
    for param_str, moves in (
        ("num_classes: 3", 12),
        ("{num_classes: 3, agnostic: True}", 8),
    ):
        named = " ".join(f'top: "{top}"' for top in tops)
        path.write_text(
            f'layer {{ name: "d" type: "Python" {named} python_param {{ module: '
            f'"roi_data_layer.layer" layer: "RoIDataLayer" param_str: "{param_str}" }} }}'
        )
        program = program_of(nets.read_net(path), "TRAIN")
        shapes = [value.shape for value in program.layers[0].top_values]
        assert shapes[3:] == [(1, moves)] * 3


def test_pictures_are_made_up_where_a_net_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    words = ["time", f"--model={path}", "--iterations=1", "--device=reference"]
    assert main([*words, "--shape=data=1,3,5,7", "--phase=TEST"]) == 0
    assert "it has nothing to read" in capsys.readouterr().err


def proposal_text(param_str: str) -> str:
    return CASES[0].prototxt.replace(
        CASES[0].prototxt[CASES[0].prototxt.index("param_str") :], f'param_str: "{param_str}" }} }}'
    )


@pytest.mark.parametrize(
    ("param_str", "message"),
    [
        ("", "param_str has no 'feat_stride'"),
        ("'feat_stride': x", "'feat_stride' is 'x'"),
        ("'feat_stride': 0", "'feat_stride' is 0"),
        ("feat_stride 16", "':' expected, '16' found"),
        ("{'feat_stride': 16", "',' expected, the end found"),
        ("'feat_stride': 16\\nscales: [1, 2", "',' expected, the end found"),
        ("'feat_stride': 16\\nscales: []", "'scales' has 0 number(s)"),
        ("'feat_stride': 16\\nbatch_size: -2", "'batch_size' is -2"),
        ("'feat_stride': 16\\nrpn_post_nms_top_n: 1.5", "'rpn_post_nms_top_n' is 1.5"),
    ],
)
def test_settings_that_are_refused(param_str: str, message: str) -> None:
    load_layers()
    net = parse_text(proposal_text(param_str), "NetParameter", "net.prototxt")
    with pytest.raises(RoasteryError) as caught:
        lower_layers(net, "TEST")
    assert message in caught.value.message
    assert caught.value.location is not None and caught.value.location.layer == "l"


def test_settings_that_are_not_read_are_told() -> None:
    load_layers()
    text = proposal_text("'feat_stride': 16\\nscales: [1, 2]\\ncolour: red")
    notes = lower_layers(parse_text(text, "NetParameter", "net.prototxt"), "TEST").program.notes
    assert any("colour is not read" in note for note in notes)


OWN = """
import caffe

class ProposalLayer(caffe.Layer):
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        for blob in top:
            blob.reshape(7)

    def forward(self, bottom, top):
        top[0].data[...] = 3.0
        top[1].data[...] = 4.0
"""


@pytest.fixture
def own_module(tmp_path: Path) -> Iterator[Path]:
    """A folder with a module of a built-in layer's name; none of the name is left imported."""
    (tmp_path / "rpn").mkdir()
    (tmp_path / "rpn" / "__init__.py").write_text("")
    (tmp_path / "rpn" / "proposal_layer.py").write_text(OWN)
    (tmp_path / "net.prototxt").write_text(CASES[0].prototxt)
    yield tmp_path
    for name in ("rpn.proposal_layer", "rpn"):
        sys.modules.pop(name, None)


def shapes_of(path: Path, allowed: bool) -> list[tuple[int, ...]]:
    net = roastery.compile(path / "net.prototxt", device="reference", allow_python=allowed)
    rng = np.random.default_rng(0)
    found = net(scores=rng.uniform(size=SHAPE), moves=np.zeros((1, 24, 4, 5)), size=size(rng))
    return [found[name].shape for name in ("y0", "y1")]


def test_a_module_of_the_users_goes_before_where_it_is_allowed(
    own_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert shapes_of(own_module, False)[0][1] == 5
    broken = own_module / "rpn" / "proposal_layer.py"
    broken.write_text("print 'python 2'\n")
    assert shapes_of(own_module, True)[0][1] == 5  # it cannot be read
    broken.write_text(OWN)
    assert shapes_of(own_module, True) == [(7,), (7,)]
