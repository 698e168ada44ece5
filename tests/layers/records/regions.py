"""Layers of regions: ROIPooling, PSROIPooling, ROIAlign."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


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


def _on_regions(kind: str, name: str, channels: int, param: str) -> LayerCase:
    text = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "r" top: "y" {param} }}'
    shapes = {"x": (2, channels, 6, 7), "r": (5, 5)}
    return LayerCase(kind, name, net_text(text, **shapes), inputs={"r": _regions})


CASES = [
    _on_regions(
        "ROIPooling",
        "roi_pooling",
        3,
        "roi_pooling_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.25 }",
    ),
    _on_regions(
        "PSROIPooling",
        "psroi_pooling",
        12,
        "psroi_pooling_param { spatial_scale: 0.25 output_dim: 3 group_size: 2 }",
    ),
    _on_regions(
        "PSROIPooling",
        "psroi_pooling_one_cell",
        2,
        "psroi_pooling_param { spatial_scale: 0.5 output_dim: 2 group_size: 1 }",
    ),
    *(
        _on_regions(
            "ROIAlign",
            name,
            3,
            f"roi_align_param {{ pooled_h: 2 pooled_w: 3 spatial_scale: 0.25 {ratio} }}",
        )
        for name, ratio in (
            ("roi_align", "sampling_ratio: 2"),
            ("roi_align_adaptive", ""),
            ("roi_align_one_sample", "sampling_ratio: 1"),
        )
    ),
]
