"""Writes a GoogLeNet (Szegedy et al., "Going deeper with convolutions", 2015) as prototxt.

    python examples/googlenet/make_net.py > googlenet.prototxt
    roastery compile googlenet.prototxt

One file for training (three losses) and testing, fed by an Input layer, so that it compiles
without data.
"""

from __future__ import annotations

import argparse
import sys

# Outputs of each inception module: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOL_BEFORE = {"4a": "pool3/3x3_s2", "5a": "pool4/3x3_s2"}
LOSS_AFTER = {"4a": "loss1", "4d": "loss2"}


class Writer:
    """Collects layers as prototxt text."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def layer(self, name: str, kind: str, bottoms: list[str], top: str, body: str = "") -> str:
        reads = "".join(f'  bottom: "{b}"\n' for b in bottoms)
        extra = f"  {body}\n" if body else ""
        self.lines.append(
            f'layer {{\n  name: "{name}"\n  type: "{kind}"\n{reads}  top: "{top}"\n{extra}}}\n'
        )
        return top

    def conv(self, name: str, bottom: str, outputs: int, size: int, stride: int = 1) -> str:
        pad = f" pad: {size // 2}" if size > 1 else ""
        step = f" stride: {stride}" if stride > 1 else ""
        self.layer(
            name,
            "Convolution",
            [bottom],
            name,
            f"convolution_param {{ num_output: {outputs}{pad} kernel_size: {size}{step} "
            'weight_filler { type: "xavier" } bias_filler { type: "constant" value: 0.2 } }',
        )
        prefix, _, last = name.rpartition("/")
        self.layer(f"{prefix}/relu_{last}", "ReLU", [name], name)
        return name

    def max_pool(self, name: str, bottom: str, stride: int, pad: int = 0) -> str:
        more = f" pad: {pad}" if pad else ""
        body = f"pooling_param {{ pool: MAX kernel_size: 3 stride: {stride}{more} }}"
        return self.layer(name, "Pooling", [bottom], name, body)

    def lrn(self, name: str, bottom: str) -> str:
        body = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
        return self.layer(name, "LRN", [bottom], name, body)

    def inner_product(self, name: str, bottom: str, outputs: int) -> str:
        body = f'inner_product_param {{ num_output: {outputs} weight_filler {{ type: "xavier" }} }}'
        return self.layer(name, "InnerProduct", [bottom], name, body)

    def inception(self, name: str, bottom: str) -> str:
        n1, r3, n3, r5, n5, pp = MODULES[name]
        path = f"inception_{name}"
        parts = [self.conv(f"{path}/1x1", bottom, n1, 1)]
        reduced = self.conv(f"{path}/3x3_reduce", bottom, r3, 1)
        parts.append(self.conv(f"{path}/3x3", reduced, n3, 3))
        reduced = self.conv(f"{path}/5x5_reduce", bottom, r5, 1)
        parts.append(self.conv(f"{path}/5x5", reduced, n5, 5))
        pooled = self.max_pool(f"{path}/pool", bottom, 1, 1)
        parts.append(self.conv(f"{path}/pool_proj", pooled, pp, 1))
        return self.layer(f"{path}/output", "Concat", parts, f"{path}/output")

    def side_loss(self, name: str, bottom: str, classes: int) -> None:
        train = "include { phase: TRAIN }"
        pooled = self.layer(
            f"{name}/ave_pool",
            "Pooling",
            [bottom],
            f"{name}/ave_pool",
            f"pooling_param {{ pool: AVE kernel_size: 5 stride: 3 }}\n  {train}",
        )
        start = len(self.lines)
        x = self.conv(f"{name}/conv", pooled, 128, 1)
        x = self.inner_product(f"{name}/fc", x, 1024)
        self.layer(f"{name}/relu_fc", "ReLU", [x], x)
        self.layer(f"{name}/drop_fc", "Dropout", [x], x, "dropout_param { dropout_ratio: 0.7 }")
        x = self.inner_product(f"{name}/classifier", x, classes)
        self.layer(
            f"{name}/loss", "SoftmaxWithLoss", [x, "label"], f"{name}/loss1", "loss_weight: 0.3"
        )
        for i in range(start, len(self.lines)):
            self.lines[i] = self.lines[i].removesuffix("}\n") + f"  {train}\n}}\n"


def googlenet(
    batch: int = 32, size: int = 224, classes: int = 1000, *, deploy: bool = False
) -> str:
    """The net as prototxt text, for ``batch`` pictures of ``size`` x ``size``.

    ``deploy``: without labels and losses; it ends in probabilities.
    """
    w = Writer()
    shapes = f"shape {{ dim: {batch} dim: 3 dim: {size} dim: {size} }} "
    labels = "" if deploy else f"shape {{ dim: {batch} }} "
    w.lines.append(
        'name: "GoogLeNet"\nlayer {\n  name: "data"\n  type: "Input"\n  top: "data"\n'
        + ("" if deploy else '  top: "label"\n')
        + f"  input_param {{ {shapes}{labels}}}\n}}\n"
    )
    x = w.conv("conv1/7x7_s2", "data", 64, 7, 2)
    x = w.lrn("pool1/norm1", w.max_pool("pool1/3x3_s2", x, 2))
    x = w.conv("conv2/3x3", w.conv("conv2/3x3_reduce", x, 64, 1), 192, 3)
    x = w.max_pool("pool2/3x3_s2", w.lrn("conv2/norm2", x), 2)
    for name in MODULES:
        if name in POOL_BEFORE:
            x = w.max_pool(POOL_BEFORE[name], x, 2)
        x = w.inception(name, x)
        if name in LOSS_AFTER and not deploy:
            w.side_loss(LOSS_AFTER[name], x, classes)
    x = w.layer(
        "pool5", "Pooling", [x], "pool5", "pooling_param { pool: AVE global_pooling: true }"
    )
    w.layer("pool5/drop", "Dropout", [x], x, "dropout_param { dropout_ratio: 0.4 }")
    x = w.inner_product("loss3/classifier", x, classes)
    if deploy:
        w.layer("prob", "Softmax", [x], "prob")
        return "".join(w.lines)
    w.layer("loss3/loss3", "SoftmaxWithLoss", [x, "label"], "loss3/loss3")
    w.layer(
        "accuracy",
        "Accuracy",
        [x, "label"],
        "accuracy",
        "accuracy_param { top_k: 5 }\n  include { phase: TEST }",
    )
    return "".join(w.lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--deploy", action="store_true", help="without labels and losses")
    a = parser.parse_args()
    sys.stdout.write(googlenet(a.batch, a.size, a.classes, deploy=a.deploy))


if __name__ == "__main__":
    main()
