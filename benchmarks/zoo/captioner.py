"""A captioner (Donahue et al., "Long-term recurrent convolutional networks", 2015): words and the
features of a picture through two LSTM layers, to the next word."""

from __future__ import annotations

from .layers import layer

STEPS, WORDS, WIDTH = 20, 8801, 1000


def captioner(batch: int, deploy: bool = False) -> str:
    text = 'name: "Captioner"\n'
    shapes = {"words": (STEPS, batch), "cont": (STEPS, batch), "features": (batch, WIDTH)}
    if not deploy:
        shapes["label"] = (STEPS, batch)
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {d}" for d in shape)
        text += layer(name, "Input", "", "", f"input_param {{ shape {{ {dims} }} }}")
    filler = 'weight_filler { type: "uniform" min: -0.08 max: 0.08 }'
    embed = f"input_dim: {WORDS} num_output: {WIDTH} bias_term: false {filler}"
    text += layer("embedding", "Embed", "words", "", f"embed_param {{ {embed} }}")
    lstm = f"recurrent_param {{ num_output: {WIDTH} {filler} }}"
    text += layer("lstm1", "LSTM", "embedding cont", "", lstm)
    text += layer("lstm2", "LSTM", "lstm1 cont features", "", lstm)
    score = f"inner_product_param {{ num_output: {WORDS} axis: 2 {filler} }}"
    text += layer("predict", "InnerProduct", "lstm2", "", score)
    if deploy:
        return text + layer("prob", "Softmax", "predict", "", "softmax_param { axis: 2 }")
    loss = "softmax_param { axis: 2 }"
    return text + layer("loss", "SoftmaxWithLoss", "predict label", "", loss)
