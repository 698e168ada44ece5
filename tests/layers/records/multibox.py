"""MultiBoxLoss."""

from __future__ import annotations

import numpy as np

from tests.support.detection_data import priors, truth
from tests.support.layer_cases import Fill, LayerCase, net_text

ITEMS = [0, 0, 2, -1, 2, 2, 3]
PRIORS, BATCH = 23, 4


def _truth(rng: np.random.Generator) -> np.ndarray:
    return truth(rng, ITEMS, 4, _priors(np.random.default_rng(5))[0, 0].reshape(-1, 4))


def _priors(rng: np.random.Generator) -> np.ndarray:
    return priors(np.random.default_rng(5), PRIORS, beyond=True)


INPUTS: dict[str, Fill] = {"prior": _priors, "gt": _truth}


def _case(
    name: str, param: str = "", more: str = "", *, kinds: int = 1, **given: bool
) -> LayerCase:
    text = (
        'layer { name: "l" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" '
        f'bottom: "gt" top: "loss" multibox_loss_param {{ num_classes: 4 {param} }} {more} }}'
    )
    shapes = {
        "loc": (BATCH, PRIORS * 4 * kinds),
        "conf": (BATCH, PRIORS * 4),
        "prior": (1, 2, PRIORS * 4),
        "gt": (1, 1, len(ITEMS), 8),
    }
    return LayerCase("MultiBoxLoss", f"multibox_{name}", net_text(text, **shapes), inputs=INPUTS)


CASES = [
    _case("default"),
    _case("center_size", "code_type: CENTER_SIZE use_difficult_gt: false"),
    _case("corner_size", "code_type: CORNER_SIZE loc_loss_type: L2 loc_weight: 2.5"),
    _case("no_mining", "mining_type: NONE match_type: BIPARTITE bp_inside: true"),
    _case("by_predictions", "mining_type: NONE use_prior_for_matching: false bp_inside: true"),
    _case("logistic", "conf_loss_type: LOGISTIC", "loss_param { normalization: FULL }"),
    _case("logistic_unmined", "conf_loss_type: LOGISTIC mining_type: NONE"),
    _case("other_background", "background_label_id: 3 conf_loss_type: LOGISTIC"),
    _case("inside", "ignore_cross_boundary_bbox: true", "loss_param { normalize: false }"),
    _case(
        "hard_examples",
        "mining_type: HARD_EXAMPLE sample_size: 9 code_type: CENTER_SIZE "
        "nms_param { nms_threshold: 0.5 top_k: 17 }",
    ),
    _case(
        "hard_examples_by_priors",
        "mining_type: HARD_EXAMPLE sample_size: 9 use_prior_for_nms: true "
        "nms_param { nms_threshold: 0.6 top_k: -1 }",
    ),
    _case("hard_examples_plain", "mining_type: HARD_EXAMPLE sample_size: 9"),
    _case("not_shared", "share_location: false mining_type: NONE", kinds=4),
    _case(
        "not_shared_by_predictions",
        "share_location: false mining_type: NONE use_prior_for_matching: false",
        kinds=4,
    ),
    _case("scores_only", "code_type: CENTER_SIZE", "propagate_down: [false, true, false, false]"),
]
