"""``summary()`` of an exported net: its layers as they were before they were optimised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from ir.size import Scope, symbol
from roastery.cli.main import main
from runtime.artifact.container import LAYERS
from runtime.artifact.layers import layer_members, read_layers
from runtime.layer_counts import LayerCount, NetCount, ReceptiveField
from tests.artifact.test_artifact_damage import forge, forge_json, members
from tests.support.sample_nets import conv, inception, inputs, layer, lenet

OLD = Path(__file__).parents[1] / "data" / "artifacts"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def exported(text: str, *flags: str) -> Path:
    Path("net.prototxt").write_text(text)
    words = ["export", "net.prototxt", "--output=net.roast", "--cpu_baseline=none", *flags]
    assert main(words) == 0
    return Path("net.roast")


Printed = Callable[..., str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """What ``roastery summary`` prints, or a net's summary()."""

    def of(*words: str, net: roastery.LoadedNet | None = None) -> str:
        capsys.readouterr()
        if net is not None:
            net.summary()
        else:
            assert main(["summary", *words]) == 0
        return capsys.readouterr().out

    return of


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_it_is_that_of_the_net(printed: Printed, device: str) -> None:
    """BatchNorm and Scale, too, which are part of the convolution's weights by now."""
    net = 'name: "bn"\n' + inputs(data=(1, 3, 9, 8)) + conv("a", "data", 4, 3)
    net += layer("bn", "BatchNorm", "a") + layer("scale", "Scale", "bn")
    path = exported(net + layer("out", "ReLU", "scale"))
    expected = printed("net.prototxt")
    loaded = roastery.load(path, device)
    assert printed(net=loaded) == expected == printed("net.roast")
    assert "BatchNorm" in expected and "bn, phase TEST: 5 layers, 125 parameters" in expected


def test_at_the_shapes_of_the_last_call(printed: Printed) -> None:
    text = inputs(data=(1, 3, 9, 8)) + conv("a", "data", 4, 3) + conv("b", "a", 4, 3, "stride: 2")
    loaded = roastery.load(exported(text + layer("sum", "Eltwise", "b b")))
    loaded(data=np.zeros((3, 3, 12, 21), np.float32))
    other = printed("net.prototxt", "--shape", "data=3,3,12,21")
    assert printed(net=loaded) == other != printed("net.prototxt")
    loaded(data=np.zeros((1, 3, 9, 8), np.float32))
    assert printed(net=loaded) == printed("net.prototxt")


def test_a_call_that_failed_changes_nothing(printed: Printed) -> None:
    loaded = roastery.load(exported(lenet(2)))
    before = printed(net=loaded)
    with pytest.raises(RoasteryError):
        loaded(data=np.zeros((2, 1, 9, 9), np.float32), label=np.zeros(2, np.float32))
    assert printed(net=loaded) == before


def test_json_of_an_exported_net(printed: Printed) -> None:
    exported(lenet(2))
    assert json.loads(printed("net.roast", "--json")) == json.loads(
        printed("net.prototxt", "--json")
    )


def test_flags_of_a_prototxt_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    exported(lenet(2))
    assert main(["summary", "net.roast", "--phase=TEST"]) == 1
    assert "--phase is for a prototxt" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_files_of_before_say_so(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = OLD / f"{name}.roast"
    with pytest.raises(RoasteryError, match="does not say what layers it was made of"):
        roastery.load(path, "cpu").summary()
    assert main(["summary", str(path)]) == 1
    assert "export the net again" in capsys.readouterr().err


def test_other_commands_say_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    exported(lenet(2))
    assert main(["view", "net.roast", "--targets=none"]) == 1
    assert "`roastery summary`" in capsys.readouterr().err


CHANGES: list[Callable[..., None]] = [
    lambda data: data.pop("sizes"),
    lambda data: data["layers"][1].update(tops=[["N", "Q"]]),
    lambda data: data["layers"][1].update(tops="none"),
    lambda data: data["layers"][1].update(nbytes=1 << 70),
    lambda data: data["layers"][1].update(multiply_adds="N // (N - 2)"),
    lambda data: data["layers"][1].update(field={"sizes": ["whole"]}),
    lambda data: data["sizes"].update(N=0),
]


@pytest.mark.parametrize("change", CHANGES)
def test_forged_layers(change: Callable[..., None]) -> None:
    path = forge_json(exported(lenet(2)), LAYERS, change)
    with pytest.raises(RoasteryError, match=r"layers\.json is malformed"):
        roastery.load(path, "cpu").summary()


def test_layers_that_are_no_json() -> None:
    path = forge(exported(lenet(2)), {LAYERS: b"["})
    net = roastery.load(path, "cpu")
    net(data=np.zeros((2, 1, 28, 28), np.float32), label=np.zeros(2, np.float32))
    with pytest.raises(RoasteryError, match=r"layers\.json is malformed"):
        net.summary()


def test_two_exports_are_the_same_bytes() -> None:
    first = members(exported(inception(1)))[LAYERS]
    assert members(exported(inception(1)))[LAYERS] == first


def test_forms_too_long_to_be_read_are_left_out() -> None:
    size = symbol(Scope(), "N", 3)
    one = LayerCount(
        "a", "a", "ReLU", (), ("a",), (), ((size, 4),), 0, 0, 0, 0, 16 * size, ReceptiveField((1,))
    )
    few = NetCount("net", "TEST", (one,))
    (data,) = layer_members(few).values()
    assert read_layers(data).at({"N": 7}).layers[0].tops == ((7, 4),)
    assert read_layers(data).at({}).nbytes == 48, "an artifact may lack a symbol of a layer"
    many = [
        LayerCount(
            "a", "a", "ReLU", (), ("a",), (), ((size + i,),), 0, 0, 0, 0, 4 * size + 4 * i, None
        )
        for i in range(10_000)
    ]
    assert layer_members(NetCount("net", "TEST", tuple(many))) == {}
