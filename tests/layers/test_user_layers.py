"""Layers of one's own, and the page that explains them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import roastery
from frontends.lowering.known_layers import layer_types
from frontends.lowering.registry import LAYERS
from frontends.schema.registry import REGISTRY
from ir.errors import RoasteryError
from roastery import expr as e
from roastery.reading.nets import net_from_text
from tests.support.layer_run import LayerRun, directional_error

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-layer.md"


@pytest.fixture(autouse=True)
def only_known_layers_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is gone after it."""
    known = layer_types()
    fields = REGISTRY.message("LayerParameter").fields
    monkeypatch.setattr(REGISTRY.message("LayerParameter"), "fields", dict(fields))
    monkeypatch.setattr(REGISTRY, "messages", dict(REGISTRY.messages))
    monkeypatch.setattr("roastery.api.layers._own", set())
    yield
    LAYERS.clear()
    LAYERS.update(known)


def _blocks(heading: str) -> list[str]:
    text = PAGE.read_text()
    part = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


def test_the_page_on_a_layer_of_ones_own_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = _blocks("A layer of your own")
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    shown = capsys.readouterr().out
    assert "[0.5 0.5 0.5]" in shown
    assert re.search(r"^s/0 +3 of 3", shown, re.MULTILINE)


def test_the_page_on_a_data_layer_runs() -> None:
    """Its two files are all that there is to a data layer."""
    names: dict[str, object] = {"__name__": __name__}
    for block in _blocks("A data layer"):
        exec(compile(block, str(PAGE), "exec"), names)
    text = """layer { name: "in" type: "CountData" top: "x"
      count_data_param { batch_size: 2 width: 3 } }"""
    net = roastery.compile(net_from_text(text), device="reference")
    for first in (0, 2):
        assert net()["x"].tolist() == [[first] * 3, [first + 1] * 3]
    with pytest.raises(RoasteryError, match="width is 0") as caught:
        roastery.compile(net_from_text(text.replace("width: 3", "width: 0")), device="reference")
    assert caught.value.location is not None
    assert (caught.value.field, caught.value.location.line) == ("width", 2)


def test_the_page_on_a_layer_for_roastery_runs() -> None:
    lowering, record = _blocks("A layer for Roastery")
    exec(compile(lowering, str(PAGE), "exec"), {"__name__": "soft_shrink"})
    names: dict[str, list] = {}
    exec(compile(record, str(PAGE), "exec"), names)
    (case,) = names["CASES"]
    error, size = directional_error(LayerRun(case))
    assert error < 1e-6 and size > 0.0


def test_fields_of_every_kind() -> None:
    seen = {}

    @roastery.layer(
        "Kinds",
        fields={
            "scale": 2.0,
            "count": 3,
            "flag": True,
            "word": "w",
            "needed": float,
            "many": [int],
            "how": ("SUM", "MEAN"),
        },
    )
    def kinds(ctx: roastery.LayerContext) -> object:
        p = ctx.param
        seen.update({f: p[f] for f in p.message_type.fields})
        return ctx.b.map(e.arg(0) * p.scale, ctx.x)

    def check(block: str) -> None:
        roastery.check_gradient(
            f'layer {{ name: "k" type: "Kinds" bottom: "x" top: "y" kinds_param {{ {block} }} }}',
            inputs={"x": (2,)},
        )

    check("needed: 0.5")
    assert seen == {
        "scale": 2.0, "count": 3, "flag": True, "word": "w", "needed": 0.5, "many": [],
        "how": "SUM",
    }  # fmt: skip
    check("needed: 1 many: 4 many: 5 how: MEAN flag: false")
    assert (seen["many"], seen["how"], seen["flag"]) == ([4, 5], "MEAN", False)
    with pytest.raises(roastery.RoasteryError, match="needed"):
        check("")
    with pytest.raises(roastery.RoasteryError, match="did you mean `scale`"):
        check("needed: 1 scael: 2")


def test_a_free_block_takes_anything() -> None:
    @roastery.layer("Quiver", param="quiver_param")
    def quiver(ctx: roastery.LayerContext) -> object:
        return ctx.b.map(e.arg(0) * ctx.param.get("strength", 1.0), ctx.x)

    report = roastery.check_gradient(
        'layer { name: "w" type: "Quiver" bottom: "x" top: "y" quiver_param { strength: 3 } }',
        inputs={"x": (2, 3)},
    )
    assert report.ok
    assert report.rows[0].name == "x"


def test_a_layer_may_be_registered_again_but_not_over_roasterys() -> None:
    for scale in (1.0, 2.0):

        @roastery.layer("Again", fields={"scale": scale})
        def again(ctx: roastery.LayerContext) -> object:
            return ctx.b.map(e.arg(0) * ctx.param.scale, ctx.x)

    net = roastery.check_gradient(
        'layer { name: "a" type: "Again" bottom: "x" top: "y" }', inputs={"x": (1,)}
    )
    assert net.ok
    message = REGISTRY.message("AgainParameter")
    assert message.fields["scale"].default == 2.0
    with pytest.raises(roastery.RoasteryError, match="has a layer type 'ReLU'"):
        roastery.layer("ReLU")


def test_check_gradient_finds_a_wrong_gradient() -> None:
    @roastery.layer("Wrong")
    def wrong(ctx: roastery.LayerContext) -> object:
        x = e.arg(0)
        return ctx.b.map(e.grad_as(x * x, x), ctx.x)

    report = roastery.check_gradient(
        'layer { name: "w" type: "Wrong" bottom: "x" top: "y" }', inputs={"x": (3, 2)}
    )
    assert not report.ok
    assert "above 1e-05" in str(report)


def test_check_gradient_takes_labels_and_leaves_them_alone() -> None:
    layer = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "loss" }'
    labels = np.array([0.0, 2.0, 1.0])
    report = roastery.check_gradient(layer, inputs={"x": (3, 4), "t": labels})
    assert [row.name for row in report.rows] == ["x"]
    assert report.ok


def test_a_layer_may_take_extents_for_numbers() -> None:
    """What it does with them fixes them, or makes the net one of numbers only."""

    @roastery.layer("Rows")
    def rows(ctx: roastery.LayerContext) -> object:
        weights = np.arange(ctx.x.shape[2]) / float(ctx.x.shape[2])
        number: e.Expr = e.const(0.0)
        for row in range(ctx.x.shape[2]):
            number = e.where(e.equal(e.index(2), row), float(weights[row]), number)
        return ctx.b.map(e.arg(0) * number, ctx.x)

    @roastery.layer("Single")
    def single(ctx: roastery.LayerContext) -> object:
        ctx.check(ctx.x.shape[0] == 1, f"a batch of {ctx.x.shape[0]}", "bottom")
        assert all(isinstance(extent, int) for extent in ctx.x.shape)
        return ctx.b.map(e.arg(0) * e.dyn(ctx.x.type.size), ctx.x)

    def net(kind: str, batch: int) -> roastery.Executable:
        text = f"""layer {{ name: "x" type: "Input" top: "x" input_param {{
          shape {{ dim: {batch} dim: 3 dim: 4 dim: 5 }} }} }}
        layer {{ name: "y" type: "{kind}" bottom: "x" top: "y" }}"""
        return roastery.compile(net_from_text(text, "net.prototxt"), device="reference")

    by_rows = net("Rows", 2)
    for shape in ((2, 3, 4, 5), (1, 3, 4, 6), (2, 3, 8, 5)):
        wanted = np.broadcast_to(np.arange(shape[2])[:, None] / shape[2], shape)
        np.testing.assert_allclose(by_rows(x=np.ones(shape, np.float32))["y"], wanted)
    assert net("Single", 1)(x=np.ones((1, 3, 4, 5), np.float32))["y"].max() == 60.0
    with pytest.raises(RoasteryError, match="a batch of 2"):
        net("Single", 2)
