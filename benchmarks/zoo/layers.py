"""Prototxt text, layer by layer: what the nets of this folder are written with.

A net is in its deploy form, which ends in probabilities, or in its training form, which ends in a
loss; both are fed by an Input layer.
"""

from __future__ import annotations


def layer(name: str, kind: str, bottoms: str, top: str = "", body: str = "") -> str:
    """``bottoms``: names separated by spaces. A top has the layer's name where none is given."""
    ends = "".join(f' bottom: "{b}"' for b in bottoms.split())
    return f'layer {{ name: "{name}" type: "{kind}"{ends} top: "{top or name}" {body} }}\n'


def beginning(name: str, batch: int, picture: tuple[int, int, int], deploy: bool) -> str:
    """The net's name, and pictures (channels, height, width); labels too where it trains."""
    dims = " ".join(f"dim: {d}" for d in (batch, *picture))
    shapes, tops = f"shape {{ {dims} }}", 'top: "data"'
    if not deploy:
        shapes, tops = f"{shapes} shape {{ dim: {batch} }}", f'{tops} top: "label"'
    head = f'name: "{name}"\nlayer {{ name: "data" type: "Input" {tops} '
    return f"{head}input_param {{ {shapes} }} }}\n"


def ending(scores: str, deploy: bool) -> str:
    """``scores``: the blob that a softmax makes probabilities of."""
    if deploy:
        return layer("prob", "Softmax", scores)
    return layer("loss", "SoftmaxWithLoss", f"{scores} label")


def convolution(name: str, bottom: str, outputs: int, size: int, more: str = "") -> str:
    """``more``: further fields of its parameters."""
    body = f"num_output: {outputs} kernel_size: {size} {more}"
    filler = 'weight_filler { type: "msra" }'
    return layer(name, "Convolution", bottom, "", f"convolution_param {{ {body} {filler} }}")


def normalised(name: str, bottom: str, outputs: int, size: int, more: str = "") -> str:
    """Convolution without bias, then BatchNorm and Scale in place."""
    text = convolution(name, bottom, outputs, size, f"{more} bias_term: false")
    text += layer(f"bn_{name}", "BatchNorm", name, name)
    return text + layer(f"scale_{name}", "Scale", name, name, "scale_param { bias_term: true }")


def relu(blob: str) -> str:
    """In place."""
    return layer(f"relu_{blob}", "ReLU", blob, blob)


def pooling(name: str, bottom: str, kind: str, more: str) -> str:
    return layer(name, "Pooling", bottom, "", f"pooling_param {{ pool: {kind} {more} }}")


def global_pooling(name: str, bottom: str) -> str:
    """The mean of each channel."""
    return pooling(name, bottom, "AVE", "global_pooling: true")


def inner_product(name: str, bottom: str, outputs: int) -> str:
    body = f'num_output: {outputs} weight_filler {{ type: "msra" }}'
    return layer(name, "InnerProduct", bottom, "", f"inner_product_param {{ {body} }}")


def dropout(blob: str, ratio: float) -> str:
    """In place."""
    return layer(
        f"drop_{blob}", "Dropout", blob, blob, f"dropout_param {{ dropout_ratio: {ratio} }}"
    )


def lrn(name: str, bottom: str) -> str:
    """Across five channels."""
    return layer(name, "LRN", bottom, "", "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }")
