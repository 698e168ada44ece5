"""Layers of forks: SmoothL1Loss, ROIPooling, CenterLoss, PriorBox."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


def _smooth(name: str, bottoms: str, param: str = "", **inputs: tuple[int, ...]) -> LayerCase:
    text = f'layer {{ name: "l" type: "SmoothL1Loss" {bottoms} top: "loss" {param} }}'
    return LayerCase("SmoothL1Loss", name, net_text(text, a=(3, 8, 1, 5), b=(3, 8, 1, 5), **inputs))


def _regions(rng: np.random.Generator) -> np.ndarray:
    """Inside, beyond the border, of one pixel, of the wrong order, over everything."""
    return np.array(
        [
            [0, 4, 2, 19, 21],
            [1, -8, -3, 9, 70],
            [1, 8, 8, 8, 8],
            [0, 20, 9, 5, 3],
            [1, 0, 0, 27, 23],
        ],
        np.float64,
    )


_WEIGHT = (3, 8, 1, 5)


def _priors(name: str, param: str) -> LayerCase:
    text = f'layer {{ name: "l" type: "PriorBox" bottom: "x" bottom: "data" top: "y" {param} }}'
    return LayerCase(
        "PriorBox",
        name,
        net_text(text, x=(2, 3, 4, 5), data=(2, 3, 61, 87)),
        checks_gradient=False,  # only shapes are read
    )


CASES = [
    _priors(
        "prior_box",
        "prior_box_param { min_size: 20.9 min_size: 30 max_size: 35.5 max_size: 41 "
        "aspect_ratio: 2 aspect_ratio: 3 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.3 }",
    ),
    _priors(
        "prior_box_clip",
        "prior_box_param { min_size: 9 aspect_ratio: 1 aspect_ratio: 3 flip: false clip: true "
        "img_h: 50 img_w: 70 step: 13 offset: 0.25 }",
    ),
    _smooth("smooth_l1", 'bottom: "a" bottom: "b"'),
    _smooth("smooth_l1_one_weight", 'bottom: "a" bottom: "b" bottom: "w"', w=_WEIGHT),
    _smooth(
        "smooth_l1_two_weights",
        'bottom: "a" bottom: "b" bottom: "w" bottom: "v"',
        "smooth_l1_loss_param { sigma: 1.5 }",
        w=_WEIGHT,
        v=_WEIGHT,
    ),
    LayerCase(
        "ROIPooling",
        "roi_pooling",
        net_text(
            'layer { name: "l" type: "ROIPooling" bottom: "x" bottom: "r" top: "y" '
            "roi_pooling_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.25 } }",
            x=(2, 3, 6, 7),
            r=(5, 5),
        ),
        inputs={"r": _regions},
    ),
    LayerCase(
        "CenterLoss",
        "center_loss",
        net_text(
            'layer { name: "l" type: "CenterLoss" bottom: "x" bottom: "t" top: "loss" '
            "center_loss_param { num_output: 4 } }",
            x=(5, 3),
            t=(5,),
        ),
        inputs={"t": lambda rng: np.array([0.0, 2, 2, 3, 2])},
        checks_gradient=False,  # centers move by a rule of their own
    ),
]
