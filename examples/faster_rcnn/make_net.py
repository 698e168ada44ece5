"""Write a small Faster R-CNN (Ren et al., 2015), trained end to end, as prototxt.

    python examples/faster_rcnn/make_net.py FOLDER SHAPES [--iterations 3000]

FOLDER/train.prototxt has the four losses of py-faster-rcnn's recipe, FOLDER/deploy.prototxt gives
regions, class scores and box offsets, FOLDER/solver.prototxt is the recipe. SHAPES is a set that
examples/ssd/make_set.py wrote. Its Python layers (rpn.*) come with Roastery; the one that
reads pictures is shapes_layer.py beside this file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

CLASSES = 4
ANCHORS = 9
STRIDE = 8
SCALES = (1.5, 2.5, 4)  # of 16 pixels
BACKBONE = ((1, 16, 2), (2, 32, 2), (3, 48, 2), (4, 64, 1), (5, 96, 1))
"""Number, outputs and stride of each convolution."""


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("shapes", type=Path)
    parser.add_argument("--iterations", type=int, default=3000)
    chosen = parser.parse_args()
    write_nets(chosen.folder, chosen.shapes, chosen.iterations)


def write_nets(folder: Path, shapes: Path, iterations: int) -> None:
    """Write both nets and the solver into a folder that is there."""
    (folder / "train.prototxt").write_text(train(shapes))
    (folder / "deploy.prototxt").write_text(deploy())
    (folder / "solver.prototxt").write_text(solver(iterations))


def layer(name: str, kind: str, bottoms: list[str], tops: list[str], body: str = "") -> str:
    """One layer, its parameters on a line of their own."""
    lines = [f'  name: "{name}"', f'  type: "{kind}"']
    lines += [f'  bottom: "{bottom}"' for bottom in bottoms]
    lines += [f'  top: "{top}"' for top in tops]
    lines += [f"  {body}"] if body else []
    return "layer {\n" + "\n".join(lines) + "\n}\n"


def python(name: str, bottoms: list[str], tops: list[str], where: str, param_str: str) -> str:
    """A Python layer: ``module.Class``."""
    module, _, kind = where.rpartition(".")
    quoted = param_str.replace('"', '\\"')
    body = f'python_param {{ module: "{module}" layer: "{kind}" param_str: "{quoted}" }}'
    return layer(name, "Python", bottoms, tops, body)


def train(shapes: Path) -> str:
    """Pictures and their boxes in, four losses out."""
    given = f"{{'folder': '{shapes}', 'list': 'train.txt'}}"
    text = 'name: "Faster R-CNN of shapes"\n'
    text += python("input-data", [], ["data", "im_info", "gt_boxes"], "shapes_layer.ShapesLayer",
                   given)  # fmt: skip
    text += features()
    targets = ["rpn_labels", "rpn_bbox_targets", "rpn_bbox_inside_weights",
               "rpn_bbox_outside_weights"]  # fmt: skip
    text += python("rpn-data", ["rpn_cls_score", "gt_boxes", "im_info", "data"], targets,
                   "rpn.anchor_target_layer.AnchorTargetLayer", anchors())  # fmt: skip
    text += layer(
        "rpn_loss_cls", "SoftmaxWithLoss", ["rpn_cls_score_reshape", "rpn_labels"],
        ["rpn_loss_cls"],
        "propagate_down: true propagate_down: false loss_weight: 1 "
        "loss_param { ignore_label: -1 normalize: true }",
    )  # fmt: skip
    text += layer(
        "rpn_loss_bbox", "SmoothL1Loss", ["rpn_bbox_pred", *targets[1:]], ["rpn_loss_bbox"],
        "loss_weight: 1 smooth_l1_loss_param { sigma: 3.0 }",
    )  # fmt: skip
    text += regions("rpn_rois")
    tops = ["rois", "labels", "bbox_targets", "bbox_inside_weights", "bbox_outside_weights"]
    text += python("roi-data", ["rpn_rois", "gt_boxes"], tops,
                   "rpn.proposal_target_layer.ProposalTargetLayer",
                   f"'num_classes': {CLASSES}")  # fmt: skip
    text += head()
    text += layer(
        "loss_cls", "SoftmaxWithLoss", ["cls_score", "labels"], ["loss_cls"],
        "propagate_down: true propagate_down: false loss_weight: 1",
    )  # fmt: skip
    return text + layer(
        "loss_bbox", "SmoothL1Loss", ["bbox_pred", *tops[2:]], ["loss_bbox"], "loss_weight: 1"
    )


def deploy() -> str:
    """A picture and its size in, regions and what is in them out."""
    inputs = (("data", (1, 3, 128, 128)), ("im_info", (1, 3)))
    text = 'name: "Faster R-CNN of shapes"\n'
    for name, shape in inputs:
        extents = " ".join(f"dim: {extent}" for extent in shape)
        text += layer(name, "Input", [], [name], f"input_param {{ shape {{ {extents} }} }}")
    text += features() + regions("rois") + head()
    return text + layer("cls_prob", "Softmax", ["cls_score"], ["cls_prob"])


def features() -> str:
    """The convolutions, and what they say of each anchor."""
    below, text = "data", ""
    for number, outputs, stride in BACKBONE:
        name = f"conv{number}"
        text += convolution(name, below, outputs, 3, stride, "msra") + relu(name)
        below = name
    text += convolution("rpn_conv", below, 96, 3, 1, "msra") + relu("rpn_conv")
    text += convolution("rpn_cls_score", "rpn_conv", 2 * ANCHORS, 1, 1, "gaussian")
    text += convolution("rpn_bbox_pred", "rpn_conv", 4 * ANCHORS, 1, 1, "gaussian")
    return text + layer(
        "rpn_cls_score_reshape", "Reshape", ["rpn_cls_score"], ["rpn_cls_score_reshape"],
        "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }",
    )  # fmt: skip


def regions(top: str) -> str:
    """From what is said of anchors to regions."""
    back = f"reshape_param {{ shape {{ dim: 0 dim: {2 * ANCHORS} dim: -1 dim: 0 }} }}"
    return (
        layer("rpn_cls_prob", "Softmax", ["rpn_cls_score_reshape"], ["rpn_cls_prob"])
        + layer("rpn_cls_prob_reshape", "Reshape", ["rpn_cls_prob"], ["rpn_cls_prob_reshape"], back)
        + python("proposal", ["rpn_cls_prob_reshape", "rpn_bbox_pred", "im_info"], [top],
                 "rpn.proposal_layer.ProposalLayer", anchors())
    )  # fmt: skip


def anchors() -> str:
    """As the Python layers of py-faster-rcnn are told."""
    return f"{{'feat_stride': {STRIDE}, 'scales': {SCALES}}}"


def head() -> str:
    """What is said of each region."""
    pooled = f"roi_pooling_param {{ pooled_w: 5 pooled_h: 5 spatial_scale: {1 / STRIDE} }}"
    return (
        layer("roi_pool5", "ROIPooling", ["conv5", "rois"], ["pool5"], pooled)
        + product("fc6", "pool5", 128, "msra")
        + relu("fc6")
        + product("cls_score", "fc6", CLASSES, "gaussian")
        + product("bbox_pred", "fc6", 4 * CLASSES, "gaussian")
    )


def convolution(name: str, below: str, outputs: int, size: int, stride: int, filler: str) -> str:
    """With a bias."""
    return layer(
        name, "Convolution", [below], [name],
        f"convolution_param {{ num_output: {outputs} kernel_size: {size} pad: {size // 2} "
        f"stride: {stride} {fillers(filler)} }}",
    )  # fmt: skip


def product(name: str, below: str, outputs: int, filler: str) -> str:
    """With a bias."""
    body = f"inner_product_param {{ num_output: {outputs} {fillers(filler)} }}"
    return layer(name, "InnerProduct", [below], [name], body)


def fillers(filler: str) -> str:
    """What weights begin as; biases are 0."""
    spread = " std: 0.01" if filler == "gaussian" else ""
    return f'weight_filler {{ type: "{filler}"{spread} }} bias_filler {{ type: "constant" }}'


def relu(name: str) -> str:
    """In place."""
    return layer(f"relu_{name}", "ReLU", [name], [name])


def solver(iterations: int) -> str:
    """Adam, slower after three quarters; two pictures a step."""
    fields = {
        "net": '"train.prototxt"',
        "type": '"Adam"',
        "base_lr": 0.001,
        "momentum": 0.9,
        "momentum2": 0.999,
        "lr_policy": '"multistep"',
        "gamma": 0.1,
        "stepvalue": iterations * 3 // 4,
        "iter_size": 2,
        "display": 100,
        "average_loss": 100,
        "max_iter": iterations,
        "snapshot": iterations,
        "snapshot_prefix": '"snapshots/shapes"',
        "random_seed": 7,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


if __name__ == "__main__":
    main()
