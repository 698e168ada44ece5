"""Parameters shared by name: STRICT and PERMISSIVE, multipliers, counts."""

from __future__ import annotations

import pytest

from tests.support.lowering import inputs, layer_named, lowered, refusal

X = inputs(x=(2, 3, 4), z=(2, 4, 3))


def ip(name: str, param: str, bottom: str = "x", outputs: int = 5) -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {param} '
        f"inner_product_param {{ num_output: {outputs} }} }}\n"
    )


def test_the_first_layer_owns() -> None:
    program = lowered(
        X
        + ip("a", 'param { name: "w" } param { name: "b" }')
        + ip("b", 'param { name: "w" } param { lr_mult: 2 }', "z")
    )
    assert layer_named(program, "a").variables == ("a/0", "a/1")
    assert layer_named(program, "b").variables == ("a/0", "b/1")
    assert [c.name for c in program.parameters] == ["a/0", "a/1", "b/1"]
    assert program.variables["b/1"].lr_mult == 2


def test_strict_compares_shapes() -> None:
    text = inputs(x=(2, 6), y=(6, 2))
    layer = (
        'layer { name: "%s" type: "Bias" bottom: "%s" top: "%s" param { name: "w" %s } '
        "bias_param { axis: 0 num_axes: 2 } }\n"
    )
    one, two = layer % ("a", "x", "a", ""), layer % ("b", "y", "b", "%s")
    error = refusal(text + one + two % "")
    assert "owned by layer 'a' with layer 'b'" in error.message
    assert "[2, 6], this layer needs [6, 2]" in error.message
    assert error.hint is not None and "PERMISSIVE" in error.hint
    program = lowered(text + one + two % "share_mode: PERMISSIVE")
    assert layer_named(program, "b").variables == ("a/0",)


def test_permissive_compares_counts() -> None:
    error = refusal(
        X + ip("a", 'param { name: "w" }')
        + ip("b", 'param { name: "w" share_mode: PERMISSIVE }', outputs=6)
    )  # fmt: skip
    assert "[5, 12] (60) and [6, 12] (72) differ in the number of elements" in error.message


@pytest.mark.parametrize("name", ["lr_mult", "decay_mult"])
@pytest.mark.parametrize(
    ("values", "result"),
    [
        (("", "", ""), 1.0),
        (("3", "", ""), 3.0),
        (("", "3", ""), 3.0),  # the owner says nothing: it takes what a sharer says
        (("", "3", "3"), 3.0),
        (("3", "3", ""), 3.0),
        (("3", "1", ""), None),
        (("", "3", "2"), None),
    ],
)
def test_multipliers(name: str, values: tuple[str, ...], result: float | None) -> None:
    text = X + "".join(
        ip(layer, f'param {{ name: "w" {f"{name}: {value}" if value else ""} }}')
        for layer, value in zip("abc", values, strict=True)
    )
    if result is None:
        error = refusal(text)
        assert f"shared param 'w' has {name}" in error.message
        assert "layer 'a' owns it" in error.message
    else:
        assert getattr(lowered(text).variables["a/0"], name) == result


def test_too_many_params() -> None:
    error = refusal(X + ip("a", "param { } param { } param { lr_mult: 2 }"))
    assert error.message == "3 `param` entries, but an InnerProduct layer has 2 blobs here"
    error = refusal(X + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r" param { } }')
    assert "has 0 blobs here" in error.message


def test_statistics_do_not_learn() -> None:
    layer = 'layer { name: "n" type: "BatchNorm" bottom: "x" top: "n" %s }'
    error = refusal(X + layer % "param { lr_mult: 1 }")
    assert "is a statistic, which no solver may change" in error.message
    program = lowered(X + layer % "param { lr_mult: 0 } param { lr_mult: 0 } param { lr_mult: 0 }")
    assert not any(c.learns for c in program.variables.values())


def test_shared_statistics() -> None:
    """Both layers of a siamese net move the same mean, one after the other."""
    layer = (
        'layer { name: "%s" type: "BatchNorm" bottom: "%s" top: "%s" '
        'param { name: "m" } param { name: "v" } param { name: "n" } }\n'
    )
    program = lowered(
        inputs(p=(4, 3), q=(4, 3)) + layer % ("a", "p", "r") + layer % ("b", "q", "s")
    )
    assert layer_named(program, "b").variables == ("a/0", "a/1", "a/2")
    writes = [p.name for p in program.graph.outputs if p.name.startswith("a/")]
    assert writes == ["a/0", "a/1", "a/2"]
