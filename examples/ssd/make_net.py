"""Write a small SSD (Liu et al., "SSD: Single Shot MultiBox Detector", 2016) as prototxt.

    python examples/ssd/make_net.py FOLDER [--batch 16] [--iterations 4000]

FOLDER/train_test.prototxt trains and tests, FOLDER/deploy.prototxt detects,
FOLDER/solver.prototxt is the recipe. Three maps of 16, 8 and 4 cells a side predict, each for two
sizes of square boxes. The layers, their fields and their names are those of the recipes that come
with SSD.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

SIZE = 128
CLASSES = 4
"""With the background."""


@dataclass(frozen=True)
class Head:
    """A map that predicts: the layer below, pixels from one cell to the next, sizes of boxes."""

    below: str
    step: int
    smallest: int
    largest: int


HEADS = (Head("conv5", 8, 20, 32), Head("conv6", 16, 34, 46), Head("conv7", 32, 50, 66))
BOXES = 2  # a cell: one of the smallest size, one between it and the largest

BACKBONE = ((1, 16, 2), (2, 32, 2), (3, 48, 2), (4, 64, 1), (5, 96, 1), (6, 128, 2), (7, 128, 2))
"""Number, outputs and stride of each convolution."""

TRANSFORM = "mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.017"
RESIZE = (
    f"resize_param {{ prob: 1 resize_mode: WARP height: {SIZE} width: {SIZE} interp_mode: LINEAR }}"
)
DISTORT = (
    "distort_param { brightness_prob: 0.5 brightness_delta: 32 contrast_prob: 0.5 "
    "contrast_lower: 0.5 contrast_upper: 1.5 hue_prob: 0.5 hue_delta: 18 saturation_prob: 0.5 "
    "saturation_lower: 0.5 saturation_upper: 1.5 random_order_prob: 0 }"
)
OVERLAPS = (0.3, 0.5, 0.7, 0.9)


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--iterations", type=int, default=4000)
    parser.add_argument("--held-out", type=int, default=100, help="pictures to test on")
    chosen = parser.parse_args()
    write_nets(chosen.folder, chosen.batch, chosen.iterations, chosen.held_out)


def write_nets(folder: Path, batch: int, iterations: int, held_out: int) -> None:
    """Write the two nets and the solver into a folder that is there."""
    (folder / "train_test.prototxt").write_text(train_test(batch))
    (folder / "deploy.prototxt").write_text(deploy())
    (folder / "solver.prototxt").write_text(solver(iterations, held_out))


def layer(name: str, kind: str, bottoms: list[str], tops: list[str], body: str = "") -> str:
    """One layer, its parameters on a line of their own."""
    lines = [f'  name: "{name}"', f'  type: "{kind}"']
    lines += [f'  bottom: "{bottom}"' for bottom in bottoms]
    lines += [f'  top: "{top}"' for top in tops]
    lines += [f"  {body}"] if body else []
    return "layer {\n" + "\n".join(lines) + "\n}\n"


def train_test(batch: int) -> str:
    """For both phases: annotated pictures in, a loss or an evaluation out."""
    text = 'name: "SSD of shapes"\n' + data("TRAIN", batch) + data("TEST", 10) + predictions()
    loss = (
        "include { phase: TRAIN } propagate_down: true propagate_down: true "
        "propagate_down: false propagate_down: false loss_param { normalization: VALID } "
        "multibox_loss_param { loc_loss_type: SMOOTH_L1 conf_loss_type: SOFTMAX loc_weight: 1 "
        f"num_classes: {CLASSES} share_location: true match_type: PER_PREDICTION "
        "overlap_threshold: 0.5 use_prior_for_matching: true background_label_id: 0 "
        "use_difficult_gt: true neg_pos_ratio: 3 neg_overlap: 0.5 code_type: CENTER_SIZE "
        "ignore_cross_boundary_bbox: false mining_type: MAX_NEGATIVE }"
    )
    bottoms = ["mbox_loc", "mbox_conf", "mbox_priorbox", "label"]
    text += layer("mbox_loss", "MultiBoxLoss", bottoms, ["mbox_loss"], loss)
    text += detections("include { phase: TEST } ")
    return text + layer(
        "detection_eval",
        "DetectionEvaluate",
        ["detection_out", "label"],
        ["detection_eval"],
        f"include {{ phase: TEST }} detection_evaluate_param {{ num_classes: {CLASSES} "
        "background_label_id: 0 overlap_threshold: 0.5 evaluate_difficult_gt: false }",
    )


def deploy() -> str:
    """One picture in, rows of (picture, label, score, x1, y1, x2, y2) out."""
    shape = f"input_param {{ shape {{ dim: 1 dim: 3 dim: {SIZE} dim: {SIZE} }} }}"
    text = 'name: "SSD of shapes"\n' + layer("data", "Input", [], ["data"], shape)
    return text + predictions() + detections("")


def data(phase: str, batch: int) -> str:
    """The pictures of a phase: those to train on are moved, cut, stretched and coloured."""
    transform = f"{TRANSFORM} {RESIZE}"
    samplers = ""
    if phase == "TRAIN":
        expand = "expand_param { prob: 0.5 max_expand_ratio: 2 }"
        transform += f" mirror: true {DISTORT} {expand} emit_constraint {{ emit_type: CENTER }}"
        samplers = "batch_sampler { max_sample: 1 max_trials: 1 } " + " ".join(
            "batch_sampler { sampler { min_scale: 0.4 max_scale: 1 min_aspect_ratio: 0.7 "
            f"max_aspect_ratio: 1.4 }} sample_constraint {{ min_jaccard_overlap: {overlap} }} "
            "max_sample: 1 max_trials: 50 }"
            for overlap in OVERLAPS
        )
    body = (
        f"include {{ phase: {phase} }} transform_param {{ {transform} }} "
        f'data_param {{ source: "{phase.lower()}_lmdb" batch_size: {batch} backend: LMDB }} '
        f'annotated_data_param {{ {samplers} label_map_file: "labelmap.prototxt" }}'
    )
    return layer("data", "AnnotatedData", [], ["data", "label"], body)


def predictions() -> str:
    """From pictures to offsets, scores and priors of all boxes."""
    below, text = "data", ""
    for number, outputs, stride in BACKBONE:
        name = f"conv{number}"
        text += convolution(name, below, outputs, stride) + normalised(name)
        below = name
    for head in HEADS:
        text += offsets(head, "loc", 4 * BOXES) + offsets(head, "conf", CLASSES * BOXES)
        priors = (
            f"prior_box_param {{ min_size: {head.smallest} max_size: {head.largest} clip: false "
            "variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 "
            f"step: {head.step} offset: 0.5 }}"
        )
        name = f"{head.below}_mbox_priorbox"
        text += layer(name, "PriorBox", [head.below, "data"], [name], priors)
    for kind, axis, suffix in (("loc", 1, "_flat"), ("conf", 1, "_flat"), ("priorbox", 2, "")):
        parts = [f"{head.below}_mbox_{kind}{suffix}" for head in HEADS]
        name = f"mbox_{kind}"
        text += layer(name, "Concat", parts, [name], f"concat_param {{ axis: {axis} }}")
    return text


def convolution(name: str, below: str, outputs: int, stride: int) -> str:
    """3 x 3, without a bias: one comes after it."""
    body = (
        f"convolution_param {{ num_output: {outputs} kernel_size: 3 pad: 1 stride: {stride} "
        'bias_term: false weight_filler { type: "msra" } }'
    )
    return layer(name, "Convolution", [below], [name], body)


def normalised(name: str) -> str:
    """Batch normalisation with a scale and a bias, and ReLU, in place."""
    scale = 'scale_param { bias_term: true filler { type: "constant" value: 1 } }'
    return (
        layer(f"{name}/bn", "BatchNorm", [name], [name])
        + layer(f"{name}/scale", "Scale", [name], [name], scale)
        + layer(f"{name}/relu", "ReLU", [name], [name])
    )


def offsets(head: Head, kind: str, outputs: int) -> str:
    """A map's predictions of one kind: for every cell and box side by side."""
    name = f"{head.below}_mbox_{kind}"
    body = (
        f"convolution_param {{ num_output: {outputs} kernel_size: 3 pad: 1 "
        'weight_filler { type: "xavier" } }'
    )
    order = "permute_param { order: 0 order: 2 order: 3 order: 1 }"
    return (
        layer(name, "Convolution", [head.below], [name], body)
        + layer(f"{name}_perm", "Permute", [name], [f"{name}_perm"], order)
        + layer(f"{name}_flat", "Flatten", [f"{name}_perm"], [f"{name}_flat"])
    )


def detections(include: str) -> str:
    """From predictions to what is shown."""
    rows = f"{include}reshape_param {{ shape {{ dim: 0 dim: -1 dim: {CLASSES} }} }}"
    output = (
        f"{include}detection_output_param {{ num_classes: {CLASSES} share_location: true "
        "background_label_id: 0 nms_param { nms_threshold: 0.45 top_k: 400 } "
        "code_type: CENTER_SIZE keep_top_k: 200 confidence_threshold: 0.01 }"
    )
    softmax = f"{include}softmax_param {{ axis: 2 }}"
    bottoms = ["mbox_loc", "mbox_conf_flatten", "mbox_priorbox"]
    return (
        layer("mbox_conf_reshape", "Reshape", ["mbox_conf"], ["mbox_conf_reshape"], rows)
        + layer("mbox_conf_softmax", "Softmax", ["mbox_conf_reshape"], ["mbox_conf_softmax"],
                softmax)
        + layer("mbox_conf_flatten", "Flatten", ["mbox_conf_softmax"], ["mbox_conf_flatten"],
                f"{include}flatten_param {{ axis: 1 }}")
        + layer("detection_out", "DetectionOutput", bottoms, ["detection_out"], output)
    )  # fmt: skip


def solver(iterations: int, held_out: int) -> str:
    """SGD whose steps become smaller twice, and mean average precision on the way."""
    fields = {
        "net": '"train_test.prototxt"',
        "test_iter": held_out // 10,
        "test_interval": max(1, iterations // 4),
        "test_initialization": "false",
        "eval_type": '"detection"',
        "ap_version": '"11point"',
        "base_lr": 0.02,
        "momentum": 0.9,
        "weight_decay": 0.0005,
        "lr_policy": '"multistep"',
        "gamma": 0.1,
        "display": 50,
        "max_iter": iterations,
        "snapshot": iterations,
        "snapshot_prefix": '"snapshots/shapes"',
        "random_seed": 7,
    }
    steps = [f"stepvalue: {iterations * part // 10}\n" for part in (6, 9)]
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "".join(steps)


if __name__ == "__main__":
    main()
