"""Write captions.prototxt, which is trained, and the two nets that caption.py runs.

    python make_nets.py

As in LRCN (Donahue et al. 2015): what a convolutional net sees goes into an LSTM at every step,
beside the word before. encoder.prototxt sees; decoder.prototxt reads one word and says how likely
each next one is, with the LSTM's states as inputs and outputs, so that a search can go back.
"""

from __future__ import annotations

from pathlib import Path

VOCABULARY = 17
FEATURES = 256
HIDDEN = 160
_DATA = """layer {{
  name: "pictures" type: "ImageData" top: "image" top: "number"
  include {{ phase: {phase} }}
  transform_param {{ mean_value: 110 scale: 0.016 }}
  image_data_param {{ source: "{name}.txt" batch_size: 50 }}
}}
layer {{
  name: "captions" type: "HDF5Data" top: "words" top: "wanted" top: "cont"
  include {{ phase: {phase} }}
  hdf5_data_param {{ source: "{name}_h5.txt" batch_size: 9 }}
}}
"""
_INPUT = """layer {{
  name: "{name}_in" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }}
}}
"""
_CONV = """layer {{
  name: "conv{i}" type: "Convolution" bottom: "{bottom}" top: "conv{i}"
  convolution_param {{
    num_output: {width} kernel_size: 5 pad: 2 bias_term: false weight_filler {{ type: "msra" }}
  }}
}}
layer {{
  name: "bn{i}" type: "BatchNorm" bottom: "conv{i}" top: "conv{i}"
  batch_norm_param {{ moving_average_fraction: 0.95 }}
}}
layer {{
  name: "scale{i}" type: "Scale" bottom: "conv{i}" top: "conv{i}"
  scale_param {{ bias_term: true }}
}}
layer {{ name: "relu{i}" type: "ReLU" bottom: "conv{i}" top: "conv{i}" }}
layer {{
  name: "pool{i}" type: "Pooling" bottom: "conv{i}" top: "pool{i}"
  pooling_param {{ pool: MAX kernel_size: 2 stride: 2 }}
}}
"""
_FEATURES = f"""layer {{
  name: "features" type: "InnerProduct" bottom: "pool3" top: "features"
  inner_product_param {{ num_output: {FEATURES} weight_filler {{ type: "msra" }} }}
}}
layer {{ name: "features_relu" type: "ReLU" bottom: "features" top: "features" }}
"""
_DROPOUT = """layer {
  name: "features_drop" type: "Dropout" bottom: "features" top: "features"
  dropout_param { dropout_ratio: 0.2 }
}
"""
_WORDS = f"""layer {{
  name: "embed" type: "Embed" bottom: "words" top: "embed"
  embed_param {{
    num_output: 32 input_dim: {VOCABULARY} bias_term: false
    weight_filler {{ type: "uniform" min: -0.3 max: 0.3 }}
  }}
}}
layer {{
  name: "lstm" type: "LSTM" bottom: "embed" bottom: "cont" bottom: "features"%s
  recurrent_param {{
    num_output: {HIDDEN} weight_filler {{ type: "uniform" min: -0.08 max: 0.08 }}%s
  }}
}}
layer {{
  name: "scores" type: "InnerProduct" bottom: "lstm" top: "scores"
  inner_product_param {{ num_output: {VOCABULARY} axis: 2 weight_filler {{ type: "xavier" }} }}
}}
"""
_LOSS = """layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "scores" bottom: "wanted" top: "loss"
  loss_param { ignore_label: -1 } softmax_param { axis: 2 }
}
layer {
  name: "accuracy" type: "Accuracy" bottom: "scores" bottom: "wanted" top: "accuracy"
  include { phase: TEST } accuracy_param { axis: 2 ignore_label: -1 }
}
layer { name: "unread" type: "Silence" bottom: "number" }
"""
_PROB = """layer {
  name: "prob" type: "Softmax" bottom: "scores" top: "prob" softmax_param { axis: 2 }
}
"""


def eyes() -> str:
    """From "image" to "features"."""
    text, bottom = "", "image"
    for i, width in enumerate((24, 32, 48), 1):
        text += _CONV.format(i=i, bottom=bottom, width=width)
        bottom = f"pool{i}"
    return text + _FEATURES


def inputs(**dims: tuple[int, ...]) -> str:
    """Input layers."""
    return "".join(
        _INPUT.format(name=name, dims=" ".join(f"dim: {dim}" for dim in shape))
        for name, shape in dims.items()
    )


def main() -> None:
    folder = Path(__file__).resolve().parent
    train = _DATA.format(phase="TRAIN", name="train") + _DATA.format(phase="TEST", name="test")
    plain = _WORDS % (' top: "lstm"', "")
    stepwise = _WORDS % (
        '\n  bottom: "h" bottom: "c" top: "lstm" top: "next_h" top: "next_c"',
        " expose_hidden: true",
    )
    state = (1, 1, HIDDEN)
    step = inputs(words=(1, 1), cont=(1, 1), features=(1, FEATURES), h=state, c=state)
    nets = {
        "captions": train + eyes() + _DROPOUT + plain + _LOSS,
        "encoder": inputs(image=(1, 3, 48, 48)) + eyes(),
        "decoder": step + stepwise + _PROB,
    }
    for name, text in nets.items():
        (folder / f"{name}.prototxt").write_text(f'name: "{name}"\n{text}')


if __name__ == "__main__":
    main()
