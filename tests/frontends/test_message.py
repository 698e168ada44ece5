"""Typed messages: reading, writing, comparing, copying."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from frontends.prototxt import Message, parse_text, to_text
from ir.errors import RoasteryError


@pytest.fixture
def layer():
    return parse_text(
        'name: "c"\ntype: "Convolution"\nbottom: "a"\nbottom: "b"\n'
        "convolution_param { num_output: 4\n kernel_size: 3 }",
        "LayerParameter",
        file="f",
    )


def test_values_and_defaults(layer):
    assert layer.type == layer["type"] == "Convolution"
    assert layer.message_type.name == "LayerParameter"
    assert layer.bottom == ["a", "b"]
    assert layer.top == []
    assert layer.convolution_param.group == 1
    assert layer.convolution_param.bias_term is True
    assert layer.convolution_param.engine == "DEFAULT"
    assert layer.pooling_param.pool == "MAX"
    assert layer.convolution_param.weight_filler.type == "constant"
    assert layer.phase == "TRAIN"
    assert layer.fields_set() == ["name", "type", "bottom", "convolution_param"]
    assert layer.get("phase") is None
    assert layer.get("name", "x") == "c"


def test_presence(layer):
    assert layer.has("name") and not layer.has("top") and not layer.has("pooling_param")
    with pytest.raises(AttributeError, match="LayerParameter has no field `tops`"):
        layer.has("tops")
    with pytest.raises(AttributeError, match="ConvolutionParameter has no field `kernel`"):
        _ = layer.convolution_param.kernel


def test_locations(layer):
    place = layer.location_of("bottom", 1)
    assert (place.file, place.line, place.column, place.layer) == ("f", 4, 1, "c")
    assert layer.convolution_param.location.line == 5
    assert layer.convolution_param.location_of("kernel_size").line == 6
    assert layer.location_of("top") == layer.location
    assert layer.location_of("bottom", 7) == layer.location


def test_lists_are_copies(layer):
    layer.bottom.append("c")
    assert layer.bottom == ["a", "b"]


def test_defaults_are_read_only(layer):
    with pytest.raises(TypeError, match="read-only"):
        layer.pooling_param.set("pool", "AVE")
    assert not layer.has("pooling_param")
    layer.mutable("pooling_param").set("pool", "AVE")
    assert layer.pooling_param.pool == "AVE"


def test_set_checks_and_normalises(layer):
    conv = layer.convolution_param
    conv.set("num_output", np.int64(8))
    conv.set("kernel_size", (1, 2))
    conv.set("engine", 2)
    assert (conv.num_output, conv.kernel_size, conv.engine) == (8, [1, 2], "CUDNN")
    layer.set("loss_weight", [0.1])
    assert layer.loss_weight == [float(np.float32(0.1))]
    for name, value in (("num_output", -1), ("num_output", 1.5), ("num_output", True)):
        with pytest.raises(RoasteryError, match="`num_output`"):
            conv.set(name, value)
    with pytest.raises(RoasteryError, match="takes true or false"):
        conv.set("bias_term", "true")
    with pytest.raises(RoasteryError, match="has no value 'FAST'"):
        conv.set("engine", "FAST")
    with pytest.raises(RoasteryError, match="takes a FillerParameter"):
        conv.set("weight_filler", Message("ParamSpec"))
    with pytest.raises(RoasteryError, match="takes a string"):
        layer.set("name", 3)


def test_add_and_clear(layer):
    spec = layer.add("param")
    spec.set("lr_mult", 2)
    layer.add("top", "t")
    assert layer.param[0].lr_mult == 2
    assert layer.top == ["t"]
    layer.clear("param")
    assert not layer.has("param")
    with pytest.raises(TypeError, match="not repeated"):
        layer.add("name", "x")


def test_copies_are_deep_and_keep_places(layer):
    other = layer.copy()
    assert other == layer
    other.convolution_param.set("num_output", 5)
    assert layer.convolution_param.num_output == 4
    assert other != layer
    assert other.location_of("bottom", 1).line == 4


def test_pythons_own_copies(layer):
    for again in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert again == layer
    assert not hasattr(Message.__new__(Message), "_values")


def test_copy_field(layer):
    other = Message("LayerParameter")
    other.copy_field(layer, "bottom")
    other.copy_field(layer, "name", "type")
    other.copy_field(layer, "phase")
    assert other.bottom == ["a", "b"]
    assert other.type == "c"
    assert not other.has("phase")
    assert other.location_of("bottom", 1).line == 4


def test_equality_is_by_content():
    one = parse_text('name: "a"  force_backward: true', "NetParameter")
    two = parse_text('\n\nforce_backward: 1 name: "a"', "NetParameter")
    assert one == two
    assert one != parse_text('name: "a"', "NetParameter")
    assert one != "a"
    nan = parse_text("value: nan", "FillerParameter")
    assert nan == parse_text("value: -nan", "FillerParameter")


def test_foreign_fields_that_matter():
    message = parse_text(
        "num_output: 3 relu: true conv_algorithm: 'x' engine: MKLDNN", "ConvolutionParameter"
    )
    assert message.foreign_fields() == ["relu"]
    assert parse_text("order: 1", "PermuteParameter").foreign_fields() == []


def test_walk(layer):
    assert [m.message_type.name for m in layer.walk()] == ["LayerParameter", "ConvolutionParameter"]


def test_printing_style():
    message = parse_text(
        "layer { convolution_param { kernel_size: [3, 5] bias_filler { value: 0.1 } } name: 'x' }"
        " name: 'n'",
        "NetParameter",
    )
    assert to_text(message) == (
        'name: "n"\nlayer {\n  name: "x"\n  convolution_param {\n    kernel_size: 3\n'
        "    kernel_size: 5\n    bias_filler {\n      value: 0.1\n    }\n  }\n}\n"
    )
    assert str(message) == to_text(message)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (1e20, "1e+20"),
        (3.0, "3"),
        (16777216.0, "16777216"),
        (0.1234567, "0.1234567"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (-0.0, "-0"),
    ],
)
def test_floats_print_short(value, text):
    filler = Message("FillerParameter")
    filler.set("value", value)
    assert to_text(filler) == f"value: {text}\n"


def test_strings_print_escaped():
    message = Message("NetParameter")
    message.set("name", "a\n\"'\\é\x01")
    assert to_text(message) == 'name: "a\\n\\"\\\'\\\\\\303\\251\\001"\n'
    assert parse_text(to_text(message), "NetParameter") == message
