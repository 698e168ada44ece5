"""V0 nets (`layers { layer { type: "conv" ... } }`) to V1.

A V0 layer holds all parameters flat; a V1 layer holds them in one message per type. The
table says where each goes. Padding was a layer of its own and is folded into the
convolution or pooling behind it.
"""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError

#: V0 type -> (V1 type, its parameter message).
_TYPES = {
    "accuracy": ("ACCURACY", ""),
    "bnll": ("BNLL", ""),
    "concat": ("CONCAT", "concat_param"),
    "conv": ("CONVOLUTION", "convolution_param"),
    "data": ("DATA", "data_param"),
    "dropout": ("DROPOUT", "dropout_param"),
    "euclidean_loss": ("EUCLIDEAN_LOSS", ""),
    "flatten": ("FLATTEN", ""),
    "hdf5_data": ("HDF5_DATA", "hdf5_data_param"),
    "hdf5_output": ("HDF5_OUTPUT", "hdf5_output_param"),
    "im2col": ("IM2COL", ""),
    "images": ("IMAGE_DATA", "image_data_param"),
    "infogain_loss": ("INFOGAIN_LOSS", "infogain_loss_param"),
    "innerproduct": ("INNER_PRODUCT", "inner_product_param"),
    "lrn": ("LRN", "lrn_param"),
    "multinomial_logistic_loss": ("MULTINOMIAL_LOGISTIC_LOSS", ""),
    "pool": ("POOLING", "pooling_param"),
    "relu": ("RELU", ""),
    "sigmoid": ("SIGMOID", ""),
    "softmax": ("SOFTMAX", ""),
    "softmax_loss": ("SOFTMAX_LOSS", ""),
    "split": ("SPLIT", ""),
    "tanh": ("TANH", ""),
    "window_data": ("WINDOW_DATA", "window_data_param"),
}
_CONV, _CONV_OR_POOL = ("conv",), ("conv", "pool")
_LEARNED = ("conv", "innerproduct")
_BATCHED = ("data", "hdf5_data", "images", "window_data")
#: V0 field -> (types that take it, its name in their parameter message).
_PARAMETERS: dict[str, tuple[tuple[str, ...], str]] = {
    "num_output": (_LEARNED, "num_output"),
    "biasterm": (_LEARNED, "bias_term"),
    "weight_filler": (_LEARNED, "weight_filler"),
    "bias_filler": (_LEARNED, "bias_filler"),
    "pad": (_CONV_OR_POOL, "pad"),
    "kernelsize": (_CONV_OR_POOL, "kernel_size"),
    "group": (_CONV, "group"),
    "stride": (_CONV_OR_POOL, "stride"),
    "pool": (("pool",), "pool"),
    "dropout_ratio": (("dropout",), "dropout_ratio"),
    "local_size": (("lrn",), "local_size"),
    "alpha": (("lrn",), "alpha"),
    "beta": (("lrn",), "beta"),
    "k": (("lrn",), "k"),
    "source": ((*_BATCHED, "infogain_loss"), "source"),
    "batchsize": (_BATCHED, "batch_size"),
    "rand_skip": (("data", "images"), "rand_skip"),
    "shuffle_images": (("images",), "shuffle"),
    "new_height": (("images",), "new_height"),
    "new_width": (("images",), "new_width"),
    "concat_dim": (("concat",), "concat_dim"),
    "det_fg_threshold": (("window_data",), "fg_threshold"),
    "det_bg_threshold": (("window_data",), "bg_threshold"),
    "det_fg_fraction": (("window_data",), "fg_fraction"),
    "det_context_pad": (("window_data",), "context_pad"),
    "det_crop_mode": (("window_data",), "crop_mode"),
}
#: V0 fields that go to the layer itself, and to its transform_param.
_LAYER_FIELDS = ("name", "blobs", "blobs_lr", "weight_decay")
_TRANSFORMS = {
    "scale": "scale",
    "meanfile": "mean_file",
    "cropsize": "crop_size",
    "mirror": "mirror",
}
_INPUT = -1


def is_v0(net: Message) -> bool:
    """Whether any of the layers is a V0 one."""
    return any(layer.has("layer") for layer in net.layers)


def upgrade(net: Message, notes: list[Note]) -> Message:
    """The net with V1 layers.

    Raises:
        RoasteryError: a layer has an unknown type or a padding layer is misused.
    """
    layers = _fold_padding(net)
    net.clear("layers")
    for connection in layers:
        net.add("layers", _upgrade_layer(connection, notes))
    notes.append(Note("V0 layers were upgraded", net.location_of("layers")))
    return net


def _fold_padding(net: Message) -> list[Message]:
    """The layers without padding ones; those behind them take over pad and bottom."""
    old = net.layers
    producers = dict.fromkeys(net.input, _INPUT)
    kept: list[Message] = []
    for position, connection in enumerate(old):
        layer = connection.copy()
        if layer.layer.type != "padding":
            kept.append(layer)
        for index, bottom in enumerate(connection.bottom):
            if bottom not in producers:
                raise RoasteryError(
                    f"unknown bottom blob '{bottom}' (layer '{connection.layer.name}')",
                    location=connection.location_of("bottom", index),
                )
            if producers[bottom] == _INPUT:
                continue
            source = old[producers[bottom]]
            if source.layer.type == "padding":
                _take_padding(layer, source)
        for top in connection.top:
            producers[top] = position
    return kept


def _take_padding(layer: Message, padding: Message) -> None:
    kind = layer.layer.type
    if kind not in _CONV_OR_POOL:
        raise RoasteryError(
            f"a padding layer feeds a layer of type '{kind}'",
            location=layer.layer.location_of("type"),
            hint="only conv and pool layers may follow a padding layer",
        )
    counts = (len(layer.bottom), len(padding.bottom), len(padding.top))
    if counts != (1, 1, 1):
        raise RoasteryError(
            "a padding layer and the layer behind it take one bottom and give one top",
            location=padding.location,
        )
    layer.layer.set("pad", padding.layer.pad, padding.layer.location_of("pad"))
    layer.set("bottom", padding.bottom, padding.location_of("bottom"))


def _upgrade_layer(connection: Message, notes: list[Note]) -> Message:
    new = Message("V1LayerParameter", connection.location)
    new.copy_field(connection, "bottom")
    new.copy_field(connection, "top")
    if not connection.has("layer"):
        notes.append(
            Note(
                "a V1 layer among V0 layers keeps nothing but its bottoms and tops, as in Caffe",
                connection.location,
                "warning",
            )
        )
        return new
    old = connection.layer
    parameter = ""
    if old.has("type"):
        if old.type not in _TYPES:
            near = did_you_mean(old.type, _TYPES)
            raise RoasteryError(
                f"unknown V0 layer type '{old.type}'",
                location=old.location_of("type"),
                hint=f"did you mean '{near}'?" if near else None,
            )
        current, parameter = _TYPES[old.type]
        new.set("type", current, old.location_of("type"))
    for field in old.fields_set():
        place = old.location_of(field)
        if field in _LAYER_FIELDS:
            new.copy_field(old, field)
        elif field in _TRANSFORMS:
            new.mutable("transform_param", place).copy_field(old, field, _TRANSFORMS[field])
        elif field == "hdf5_output_param" and old.type == "hdf5_output":
            new.copy_field(old, field)
        elif field in _PARAMETERS and old.type in _PARAMETERS[field][0]:
            name = _PARAMETERS[field][1]
            new.mutable(parameter, place).copy_field(old, field, name)
        elif field != "type":
            text = f"a layer of type '{old.type}' has no `{field}`; it was dropped"
            notes.append(Note(text, place, "error"))
    return new
