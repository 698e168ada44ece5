"""The schema: complete, consistent, and open to messages of layers and users."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from frontends.prototxt import from_protobuf, parse_text, to_protobuf, to_text
from frontends.schema import (
    REGISTRY,
    EnumType,
    MessageType,
    SchemaError,
    declare_message,
    enum,
    extend_message,
    message_type,
    optional,
    repeated,
    required,
)
from frontends.schema.caffe_legacy import V1_LAYER_TYPES
from frontends.schema.pool import caffe_pb2
from ir.errors import RoasteryError


def test_every_reference_and_default_is_valid():
    for kind in REGISTRY.messages.values():
        for field in kind:
            target = kind.resolve(field)
            if isinstance(target, EnumType) and field.default is not None:
                assert field.default in target.names(), (kind.name, field.name)
            if field.number is not None:
                assert kind.native


def test_field_numbers_are_unique():
    for kind in REGISTRY.messages.values():
        numbers = [field.number for field in kind if field.number is not None]
        assert len(numbers) == len(set(numbers)), kind.name


def test_caffes_own_messages_are_complete():
    native = [kind for kind in REGISTRY.messages.values() if kind.native]
    fields = [field for kind in native for field in kind if field.number is not None]
    assert (len(native), len(fields)) == (63 + 6, 423 + 19)  # and SSD's records and label maps
    parameters = [f.name for f in message_type("LayerParameter") if f.name.endswith("_param")]
    assert len([name for name in parameters if name]) > 50


def test_every_v1_field_has_a_place_in_the_current_layer():
    moved = {"param", "blob_share_mode", "blobs_lr", "weight_decay", "layer", "type"}
    current = message_type("LayerParameter").fields
    for field in message_type("V1LayerParameter"):
        assert field.name in current or field.name in moved
    types = message_type("V1LayerParameter").enums["LayerType"]
    assert types.names() == list(V1_LAYER_TYPES)


def test_protobuf_classes():
    pb = caffe_pb2()
    assert (pb.TRAIN, pb.TEST) == (0, 1)
    assert pb.V1LayerParameter.CONVOLUTION == 4
    assert pb.PoolingParameter.AVE == 1
    assert pb.SolverParameter().momentum2 == pytest.approx(0.999)
    assert pb.LayerParameter().transform_param.scale == 1
    assert pb.DESCRIPTOR.package == "caffe"
    assert caffe_pb2() is pb
    # Packed only where Caffe packs.
    assert pb.BlobProto(data=[1.0, 2.0]).SerializeToString()[:2] == b"\x2a\x08"
    assert pb.Datum(float_data=[1.0]).SerializeToString()[:1] == b"\x35"


def test_fork_fields_are_left_out_of_protobuf():
    layer = parse_text(
        "convolution_param { num_output: 3 engine: MKLDNN }\nprior_box_param { min_size: 3 }",
        "LayerParameter",
    )
    binary = to_protobuf(layer)
    assert text_format.MessageToString(binary) == "convolution_param {\n  num_output: 3\n}\n"
    with pytest.raises(RoasteryError, match="no binary form"):
        to_protobuf(layer.prior_box_param)


def test_unknown_binary_fields_are_ignored():
    pb = caffe_pb2()
    layer = pb.LayerParameter.FromString(b"\x0a\x01n" + b"\xf8\x3f\x07")
    assert from_protobuf(layer) == parse_text('name: "n"', "LayerParameter")


@pytest.fixture
def schema():
    """Undo what a test declares."""
    messages = dict(REGISTRY.messages)
    layer_fields = dict(message_type("LayerParameter").fields)
    yield
    REGISTRY.messages.clear()
    REGISTRY.messages.update(messages)
    message_type("LayerParameter").fields = layer_fields


@pytest.mark.usefixtures("schema")
def test_a_layer_declares_its_own_message():
    declare_message(
        "WobbleParameter",
        enum("Mode", SOFT=0, HARD=1),
        optional("float", "strength", default=0.5),
        optional("Mode", "mode", default="SOFT"),
        repeated("FillerParameter", "fillers"),
        required("string", "key"),
    )
    extend_message("LayerParameter", optional("WobbleParameter", "wobble_param"))
    layer = parse_text('wobble_param { mode: HARD key: "k" fillers { } }', "LayerParameter")
    assert layer.wobble_param.strength == 0.5
    assert layer.wobble_param.mode == "HARD"
    assert isinstance(message_type("WobbleParameter"), MessageType)
    assert parse_text(to_text(layer), "LayerParameter") == layer
    with pytest.raises(RoasteryError, match="needs a field `key`"):
        parse_text("wobble_param { }", "LayerParameter")
    with pytest.raises(RoasteryError, match="has no field `strenght`") as caught:
        parse_text('wobble_param { strenght: 1 key: "k" }', "LayerParameter")
    assert caught.value.hint == "did you mean `strength`?"


@pytest.mark.usefixtures("schema")
def test_declaring_twice_adds_or_contradicts():
    declare_message("WobbleParameter", optional("float", "a"))
    declare_message("WobbleParameter", optional("float", "a"), optional("int32", "b"))
    assert list(message_type("WobbleParameter").fields) == ["a", "b"]
    with pytest.raises(SchemaError, match="declared twice: optional float and optional int32"):
        declare_message("WobbleParameter", optional("int32", "a"))
    with pytest.raises(SchemaError, match="declared twice"):
        declare_message("WobbleParameter", repeated("float", "a"))
    with pytest.raises(SchemaError, match="there is no message"):
        extend_message("NoSuchParameter", optional("float", "a"))
    declare_message("BrokenParameter", optional("Missing", "a"))
    with pytest.raises(SchemaError, match="no scalar, enum or message `Missing`"):
        parse_text("a: 3", "BrokenParameter")


@pytest.mark.usefixtures("schema")
def test_a_free_message_of_ones_own():
    declare_message("AnythingParameter", free=True)
    extend_message("LayerParameter", optional("AnythingParameter", "anything_param"))
    layer = parse_text("anything_param { n: 3 deep { s: 'x' } }", "LayerParameter")
    assert layer.anything_param.deep.s == "x"
