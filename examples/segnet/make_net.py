"""Write segnet.prototxt and deploy.prototxt: an encoder, and a decoder that mirrors it.

    python make_net.py

SegNet's idea (Badrinarayanan, Kendall, Cipolla 2015): the decoder puts values back where the
encoder's pooling took them from, so pooling hands over its mask.
"""

from __future__ import annotations

from pathlib import Path

CLASSES = 5
WIDTHS = (32, 64, 96)
KERNEL = 5
LAST_KERNEL = 3  # at the full size, where it would take half of the time
_DATA = """layer {{
  name: "data" type: "DenseImageData" top: "data" top: "label"
  include {{ phase: {phase} }}
  transform_param {{ mean_value: 110 scale: 0.016 }}
  dense_image_data_param {{ source: "{source}.txt" batch_size: {batch}{more} }}
}}
"""
_CONV = """layer {{
  name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"
  convolution_param {{
    num_output: {width} kernel_size: {kernel} pad: {pad} bias_term: false
    weight_filler {{ type: "msra" }}
  }}
}}
layer {{
  name: "{name}_bn" type: "BatchNorm" bottom: "{name}" top: "{name}"
  batch_norm_param {{ moving_average_fraction: 0.95 }}
}}
layer {{
  name: "{name}_scale" type: "Scale" bottom: "{name}" top: "{name}"
  scale_param {{ bias_term: true }}
}}
"""
_RELU = """layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}
"""
_POOL = """layer {{
  name: "pool{i}" type: "Pooling" bottom: "conv{i}" top: "pool{i}" top: "pool{i}_mask"
  pooling_param {{ pool: MAX kernel_size: 2 stride: 2 }}
}}
"""
_UPSAMPLE = """layer {{
  name: "upsample{i}" type: "Upsample" bottom: "{bottom}" bottom: "pool{i}_mask" top: "upsample{i}"
  upsample_param {{ scale: 2 }}
}}
"""
_SCORES = """layer {{
  name: "scores" type: "Convolution" bottom: "decode1" top: "scores"
  convolution_param {{ num_output: {classes} kernel_size: 1 weight_filler {{ type: "msra" }} }}
}}
"""
_LOSS = """layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "scores" bottom: "label" top: "loss"
}
layer {
  name: "accuracy" type: "Accuracy" bottom: "scores" bottom: "label" top: "accuracy"
  include { phase: TEST }
}
"""
_INPUT = """layer {
  name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 64 dim: 64 } }
}
"""
_SOFTMAX = """layer { name: "prob" type: "Softmax" bottom: "scores" top: "prob" }
"""


def body() -> str:
    """Everything between the data and the scores."""
    text, bottom, pad = "", "data", KERNEL // 2
    levels = list(enumerate(WIDTHS, 1))
    for i, width in levels:
        text += _CONV.format(name=f"conv{i}", bottom=bottom, width=width, kernel=KERNEL, pad=pad)
        text += _RELU.format(name=f"conv{i}") + _POOL.format(i=i)
        bottom = f"pool{i}"
    for i, width in reversed(levels):
        # No ReLU, as in SegNet-Basic. As wide as what the next mask was made of.
        text += _UPSAMPLE.format(i=i, bottom=bottom)
        bottom, wanted = f"decode{i}", WIDTHS[i - 2] if i > 1 else width
        kernel = KERNEL if i > 1 else LAST_KERNEL
        text += _CONV.format(
            name=bottom, bottom=f"upsample{i}", width=wanted, kernel=kernel, pad=kernel // 2
        )
    return text + _SCORES.format(classes=CLASSES)


def main() -> None:
    folder = Path(__file__).resolve().parent
    train = _DATA.format(phase="TRAIN", source="train", batch=8, more=" shuffle: true mirror: true")
    test = _DATA.format(phase="TEST", source="test", batch=10, more="")
    name = 'name: "segnet-small"\n'
    (folder / "segnet.prototxt").write_text(name + train + test + body() + _LOSS)
    (folder / "deploy.prototxt").write_text(name + _INPUT + body() + _SOFTMAX)


if __name__ == "__main__":
    main()
