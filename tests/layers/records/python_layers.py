"""Python layers that are built in."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def built_in(
    module: str,
    layer: str,
    name: str,
    param_str: str,
    tops: int,
    phase: str = "TRAIN",
    inputs: dict[str, Fill] | None = None,
    **shapes: tuple[int, ...],
) -> LayerCase:
    bottoms = " ".join(f'bottom: "{bottom}"' for bottom in shapes)
    named = " ".join(f'top: "y{i}"' for i in range(tops))
    text = (
        f'layer {{ name: "l" type: "Python" {bottoms} {named} python_param {{ '
        f'module: "{module}" layer: "{layer}" param_str: "{param_str}" }} }}'
    )
    return LayerCase("Python", name, net_text(text, **shapes), phase, inputs, checks_gradient=False)


def objects(rng: np.random.Generator) -> np.ndarray:
    """On a picture of 80 x 64."""
    return np.array([[4, 6, 33, 40, 2], [30, 20, 75, 60, 1], [8, 2, 18, 60, 3]], np.float64)


def size(rng: np.random.Generator) -> np.ndarray:
    return np.array([[64.0, 80.0, 1.0]])


def regions(rng: np.random.Generator) -> np.ndarray:
    corner = rng.integers(0, 50, (30, 2))
    extent = rng.integers(4, 40, (30, 2))
    near = objects(rng)[rng.integers(0, 3, 10), :4] + rng.integers(-4, 5, (10, 4))
    boxes = np.concatenate([np.hstack([corner, corner + extent]), near])
    return np.hstack([np.zeros((40, 1)), boxes])


_SCALES = "'feat_stride': 16 \\n'scales': [1, 2]"
_SHAPE = (1, 12, 4, 5)
_TARGET = {"objects": objects, "size": size}


def _scores(rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.arange(np.prod(_SHAPE))).reshape(_SHAPE) / 1e3


CASES = [
    built_in(
        "rpn.proposal_layer",
        "ProposalLayer",
        "python_proposal",
        _SCALES + "\\nrpn_post_nms_top_n: 12",
        2,
        "TEST",
        {"scores": _scores, "moves": lambda rng: 0.2 * rng.standard_normal((1, 24, 4, 5)),
         "size": size},
        scores=_SHAPE,
        moves=(1, 24, 4, 5),
        size=(1, 3),
    ),
    built_in(
        "rpn.anchor_target_layer",
        "AnchorTargetLayer",
        "python_anchor_target",
        _SCALES + "\\nallowed_border: 3\\nrpn_batchsize: 16",
        4,
        inputs=_TARGET,
        map=_SHAPE,
        objects=(3, 5),
        size=(1, 3),
        data=(1, 3, 64, 80),
    ),
    built_in(
        "rpn.anchor_target_layer",
        "AnchorTargetLayer",
        "python_anchor_target_weighted",
        _SCALES + "\\nrpn_positive_weight: 0.3\\nrpn_clobber_positives: true\\nrpn_batchsize: 32",
        4,
        inputs=_TARGET,
        map=_SHAPE,
        objects=(3, 5),
        size=(1, 3),
    ),
    built_in(
        "rpn.proposal_target_layer",
        "ProposalTargetLayer",
        "python_proposal_target",
        "'num_classes': 4\\nbatch_size: 16",
        5,
        inputs={"regions": regions, "objects": objects},
        regions=(40, 5),
        objects=(3, 5),
    ),
    built_in(
        "rpn.proposal_target_layer",
        "ProposalTargetLayer",
        "python_proposal_target_agnostic",
        "{'num_classes': 4, 'agnostic': True, 'bbox_normalize_targets_precomputed': False}",
        5,
        inputs={"regions": regions, "objects": objects},
        regions=(40, 5),
        objects=(3, 5),
    ),
    built_in("yolov2", "darknet_reorg", "python_reorg", "", 1, x=(2, 8, 4, 6)),
    built_in(
        "pad",
        "PadTensor",
        "python_pad",
        "{'pad_t': 1, 'pad_b': 2, 'pad_l': 0, 'pad_r': 3, 'pad_mode': 'constant'}",
        1,
        x=(2, 3, 4, 5),
    ),
]  # fmt: skip
