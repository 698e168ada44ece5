"""Random messages survive printing and parsing, and the way through protobuf."""

from __future__ import annotations

from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from frontends.prototxt import Message, from_protobuf, parse_text, to_protobuf, to_text
from frontends.schema import EnumType, MessageType, message_type
from frontends.schema.types import INTEGER_RANGES

_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_FLOATS = st.floats(width=32)


def _scalars(kind):
    if kind in INTEGER_RANGES:
        return st.integers(*INTEGER_RANGES[kind])
    return {
        "float": _FLOATS,
        "double": st.floats(),
        "bool": st.booleans(),
        "string": _TEXT,
        "bytes": st.binary(max_size=8),
        "any": st.one_of(st.integers(-10, 10), st.booleans(), _TEXT),
    }[kind]


@st.composite
def messages(draw, kind, depth=3, native=False):
    """A message of the type with some of its fields set."""
    result = Message(kind)
    fields = [f for f in result.message_type if not native or f.number is not None]
    if not fields:
        return result
    chosen = draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda f: f.name))
    chosen += [f for f in fields if f.label == "required" and f not in chosen]
    for field in chosen:
        target = result.message_type.resolve(field)
        if isinstance(target, MessageType):
            if depth == 0 or target.free:
                continue
            values = messages(target, depth - 1, native)
        elif isinstance(target, EnumType):
            names = list(target.numbers) if native else target.names()
            values = st.sampled_from(names)
        else:
            values = _scalars(field.kind)
        if field.repeated:
            result.set(field.name, draw(st.lists(values, max_size=3)))
        else:
            result.set(field.name, draw(values))
    return result


@settings(max_examples=150)
@given(st.sampled_from(["NetParameter", "SolverParameter", "LayerParameter"]), st.data())
def test_text_round_trip(kind, data):
    message = data.draw(messages(message_type(kind)))
    text = to_text(message)
    again = parse_text(text, kind)
    assert again == message
    assert to_text(again) == text


@settings(max_examples=100)
@given(st.sampled_from(["NetParameter", "SolverParameter", "V1LayerParameter"]), st.data())
def test_protobuf_agrees(kind, data):
    message = data.draw(messages(message_type(kind), native=True))
    binary = to_protobuf(message)
    assert from_protobuf(binary) == message
    assert from_protobuf(type(binary).FromString(binary.SerializeToString())) == message
    # An independent parser reads our text, and we read that of an independent printer.
    parsed = text_format.Parse(to_text(message), type(binary)())
    assert from_protobuf(parsed) == message
    assert parse_text(text_format.MessageToString(binary), kind) == message


@settings(max_examples=60)
@given(
    st.recursive(
        st.one_of(st.integers(-(2**63), 2**63), st.booleans(), _TEXT, st.floats(allow_nan=False)),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_free_blocks_round_trip(content):
    def build(values):
        block = Message("FreeBlock")
        for name, value in values.items():
            block.set(name, build(value) if isinstance(value, dict) else value)
        return block

    block = build(content)
    assert parse_text(to_text(block), "FreeBlock") == block
