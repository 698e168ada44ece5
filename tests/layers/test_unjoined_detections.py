"""DetectionOutput of Synopsys' nets: maps as they are, instead of what Permute makes of them."""

from __future__ import annotations

import numpy as np
import pytest

import roastery
from frontends.prototxt import parse_text
from ir.errors import RoasteryError

MAPS = ((2, 3, 4), (3, 2, 2))  # boxes, height, width
CLASSES = 3
PRIORS = sum(boxes * h * w for boxes, h, w in MAPS)
PARAM = (
    f"num_classes: {CLASSES} nms_param {{ nms_threshold: 0.45 top_k: 40 }} code_type: CENTER_SIZE "
    "keep_top_k: 20 confidence_threshold: 0.3"
)


def an_input(name: str, *shape: int) -> str:
    dims = " ".join(f"dim: {d}" for d in shape)
    shape_text = f"input_param {{ shape {{ {dims} }} }}"
    return f'layer {{ name: "{name}" type: "Input" top: "{name}" {shape_text} }}\n'


def net(more: str, bottoms: list[str], param: str) -> str:
    names = " ".join(f'bottom: "{name}"' for name in bottoms)
    return (
        an_input("prior", 1, 2, PRIORS * 4)
        + more
        + f'layer {{ name: "d" type: "DetectionOutput" {names} top: "d" '
        f"detection_output_param {{ {PARAM} {param} }} }}\n"
    )


def of_maps(param: str = "no_permute: true nbottom: 2") -> str:
    more = "".join(
        an_input(f"conf{i}", 2, CLASSES, boxes, h * w) + an_input(f"loc{i}", 2, boxes * 4, h, w)
        for i, (boxes, h, w) in enumerate(MAPS)
    )
    return net(more, ["conf0", "conf1", "loc0", "loc1", "prior"], param)


def run(text: str, **inputs: np.ndarray) -> np.ndarray:
    return roastery.compile(parse_text(text, "NetParameter"), device="cpu")(**inputs)["d"]


def test_maps_give_what_permuted_ones_give() -> None:
    rng = np.random.default_rng(3)
    maps: dict[str, np.ndarray] = {}
    locs, confs = [], []
    for i, (boxes, h, w) in enumerate(MAPS):
        loc = rng.normal(0, 0.5, (2, boxes * 4, h, w)).astype(np.float32)
        conf = rng.random((2, CLASSES, boxes, h * w)).astype(np.float32)
        maps |= {f"loc{i}": loc, f"conf{i}": conf}
        locs.append(loc.transpose(0, 2, 3, 1).reshape(2, -1))
        confs.append(conf.transpose(0, 3, 2, 1).reshape(2, -1))
    corner = rng.uniform(0, 0.7, (PRIORS, 2))
    prior = np.zeros((1, 2, PRIORS * 4), np.float32)
    prior[0, 0] = np.concatenate([corner, corner + rng.uniform(0.1, 0.3, (PRIORS, 2))], 1).ravel()
    prior[0, 1] = 0.1
    joined = net(
        an_input("loc", 2, PRIORS * 4) + an_input("conf", 2, PRIORS * CLASSES),
        ["loc", "conf", "prior"],
        "",
    )
    wanted = run(joined, loc=np.hstack(locs), conf=np.hstack(confs), prior=prior)
    assert wanted.shape[2] > 5
    np.testing.assert_allclose(run(of_maps(), **maps, prior=prior), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("no_permute: true nbottom: 3", "5 bottoms for 3 maps"),
        ("", "5 bottoms are too many"),
        ("no_permute: true nbottom: 2 share_location: false", "boxes \\* 12"),
    ],
)
def test_bottoms_that_do_not_fit(param: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        roastery.compile(parse_text(of_maps(param), "NetParameter"), device="reference")
