"""Mistakes that every layer's parameters allow, made in all of them: the registry says which.

A field that does not exist, an enum's value that does not, a word for a number, too few and too
many bottoms and tops: each is one error at its line, with what would be right.
"""

from __future__ import annotations

import pytest

from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import LayerType
from frontends.prototxt import parse_text
from frontends.schema.registry import message_type
from frontends.schema.types import EnumType, FieldType, MessageType
from ir.errors import ErrorGroup, RoasteryError
from roastery.reading import nets
from tests.support.lowering import inputs, refusal

LAYERS = {name: kind for name, kind in layer_types().items() if kind.fork != "your own"}


def parameters(kind: LayerType) -> MessageType:
    layer = message_type("LayerParameter")
    target = layer.resolve(layer.fields[kind.param])
    assert isinstance(target, MessageType)
    return target


def parse_error(text: str) -> RoasteryError:
    with pytest.raises(RoasteryError) as caught:
        nets.net_from_text(text, "net.prototxt")
    return caught.value


def block(kind: LayerType, line: str) -> str:
    return (
        f'layer {{\n  name: "it"\n  type: "{kind.name}"\n  {kind.param} {{\n    {line}\n  }}\n}}\n'
    )


def fields() -> list[tuple[LayerType, FieldType]]:
    """Fields of the parameters of all layer types; a message that several share, once."""
    seen = {}
    for kind in LAYERS.values():
        if kind.param and not parameters(kind).free:
            for field in parameters(kind):
                seen.setdefault((parameters(kind).name, field.name), (kind, field))
    return list(seen.values())


ENUMS = [
    (kind, field, target)
    for kind, field in fields()
    if isinstance(target := parameters(kind).resolve(field), EnumType)
]
SCALARS = [(kind, field) for kind, field in fields() if parameters(kind).resolve(field) is None]


def test_there_are_many() -> None:
    assert len(LAYERS) >= 61
    assert len(ENUMS) >= 15
    assert len(SCALARS) >= 120


@pytest.mark.parametrize(("kind", "field", "target"), ENUMS, ids=lambda v: getattr(v, "name", ""))
def test_an_enum_that_has_no_such_value(
    kind: LayerType, field: FieldType, target: EnumType
) -> None:
    error = parse_error(block(kind, f"{field.name}: WOBBLE"))
    assert error.message.startswith(f"`{field.name}` has no value WOBBLE")
    assert (error.location.line, error.location.layer) == (5, "it")
    assert error.hint is not None and target.first() in error.hint


@pytest.mark.parametrize(("kind", "field"), SCALARS, ids=lambda v: getattr(v, "name", ""))
def test_a_value_of_another_type(kind: LayerType, field: FieldType) -> None:
    wrong = "3" if field.kind == "string" else '"three"'
    required = [f.name for f in parameters(kind) if f.label == "required"]
    others = " ".join(f"{name}: 1" for name in required if name != field.name)
    error = parse_error(block(kind, f"{field.name}: {wrong} {others}"))
    assert f"`{field.name}` takes" in error.message
    assert not isinstance(error, ErrorGroup), "one mistake, one error"
    assert (error.location.line, error.location.layer) == (5, "it")


@pytest.mark.parametrize(("kind", "field"), fields(), ids=lambda v: getattr(v, "name", ""))
def test_a_misspelt_field(kind: LayerType, field: FieldType) -> None:
    """Two letters changed places: the right name is suggested, wherever it is not another's."""
    name = field.name
    if len(name) < 5 or name[1] == name[2]:
        return
    misspelt = f"{name[0]}{name[2]}{name[1]}{name[3:]}"
    assert misspelt not in parameters(kind).fields
    required = [f.name for f in parameters(kind) if f.label == "required"]
    others = " ".join(f"{other}: 1" for other in required if other != name)
    error = parse_error(block(kind, f"{misspelt}: 1 {others}"))
    assert f"has no field `{misspelt}`" in error.message
    assert error.location.line == 5
    assert error.hint is not None and "did you mean" in error.hint


def counted(kind: LayerType, bottoms: int, tops: int) -> str:
    names = [f"b{i}" for i in range(bottoms)]
    lines = [f'bottom: "{n}"' for n in names] + [f'top: "t{i}"' for i in range(tops)]
    layer = f'layer {{ name: "it" type: "{kind.name}" {" ".join(lines)} }}\n'
    return inputs(**dict.fromkeys(names, (2, 3, 4, 4))) + layer


def default(limits: tuple[int, int | None]) -> int:
    return max(limits[0], 1) if limits[1] is None else limits[0]


@pytest.mark.parametrize(
    "kind", [k for k in LAYERS.values() if k.bottom_range[0] > 0], ids=lambda k: k.name
)
def test_one_bottom_too_few(kind: LayerType) -> None:
    error = refusal(counted(kind, kind.bottom_range[0] - 1, default(kind.top_range)))
    assert f"{kind.name} layer takes {kind.bottom_range[0]}" in error.message
    assert f"bottom blob(s), {kind.bottom_range[0] - 1} given" in error.message
    assert error.hint == 'add bottom: "..."'
    assert error.location.layer == "it"


@pytest.mark.parametrize(
    "kind", [k for k in LAYERS.values() if k.bottom_range[1] is not None], ids=lambda k: k.name
)
def test_one_bottom_too_many(kind: LayerType) -> None:
    assert kind.bottom_range[1] is not None
    count = kind.bottom_range[1] + 1
    error = refusal(counted(kind, count, default(kind.top_range)))
    assert f"bottom blob(s), {count} given" in error.message
    assert error.hint == "remove 1"
    # The place is that of the first bottom that is too many.
    assert error.location.text[error.location.column - 1 :].startswith(f'bottom: "b{count - 1}"')


@pytest.mark.parametrize(
    "kind", [k for k in LAYERS.values() if k.top_range[1] is not None], ids=lambda k: k.name
)
def test_one_top_too_many(kind: LayerType) -> None:
    assert kind.top_range[1] is not None
    count = kind.top_range[1] + 1
    error = refusal(
        counted(kind, default(kind.bottom_range) if kind.bottom_range[1] != 0 else 0, count)
    )
    assert f"top blob(s), {count} given" in error.message
    assert error.location.text[error.location.column - 1 :].startswith(f'top: "t{count - 1}"')


DEPTHS = [
    ("naem: 'n'", 1, "NetParameter", "name"),
    ("layer { name: 'a' tpye: 'ReLU' }", 1, "LayerParameter", "type"),
    ("layer { name: 'a'\n include { phsae: TEST } }", 2, "NetStateRule", "phase"),
    ("layer { name: 'a'\n param { lr_mul: 1 } }", 2, "ParamSpec", "lr_mult"),
    ("layer {\n transform_param { mirorr: true } }", 2, "TransformationParameter", "mirror"),
    (
        "layer {\n inner_product_param {\n weight_filler {\n tpye: 'xavier' } } }",
        4,
        "FillerParameter",
        "type",
    ),
    ("layer {\n input_param { shape { dims: 1 } } }", 2, "BlobShape", "dim"),
    ("layer {\n loss_param { normalise: true } }", 2, "LossParameter", "normalize"),
]


@pytest.mark.parametrize(("text", "line", "message", "meant"), DEPTHS, ids=lambda v: str(v)[:12])
def test_misspelt_at_every_depth(text: str, line: int, message: str, meant: str) -> None:
    error = parse_error(text)
    assert error.message.startswith(f"{message} has no field `")
    assert error.location.line == line
    assert error.hint is not None and f"`{meant}`" in error.hint


@pytest.mark.parametrize("name", ["net", "solver"])
def test_a_solver_given_as_a_net_and_the_other_way_round(name: str) -> None:
    """The mistake of the wrong flag: each error says that this is another kind of file."""
    text = {"net": "base_lr: 0.1\nlr_policy: 'fixed'\n", "solver": "layer { name: 'a' }\n"}[name]
    kind = {"net": "NetParameter", "solver": "SolverParameter"}[name]
    with pytest.raises(RoasteryError) as caught:
        parse_text(text, kind, file="it.prototxt")
    assert f"{kind} has no field" in str(caught.value)
