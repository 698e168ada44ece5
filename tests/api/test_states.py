"""Every way to a net chooses the same layers for a level and stages: one state, made in one way."""

from __future__ import annotations

from pathlib import Path

import pytest

import roastery
import roastery.caffe as caffe
from roastery.api.exporting import export_net
from roastery.cli.main import main
from roastery.reading import nets
from tests.support.lowering import inputs, program_of

NET = (
    'name: "chosen" state { stage: "own" }\n'
    + inputs(x=(2, 3))
    + 'layer { name: "own" type: "ReLU" bottom: "x" top: "own" include { stage: "own" } }\n'
    'layer { name: "more" type: "TanH" bottom: "x" top: "more" include { stage: "more" } }\n'
    'layer { name: "deep" type: "Sigmoid" bottom: "x" top: "deep" include { min_level: 2 } }\n'
)

STATES = [
    (0, [], ["own"]),
    (0, ["more"], ["more", "own"]),
    (2, [], ["deep", "own"]),
    (3, ["more", "own"], ["deep", "more", "own"]),
]


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


@pytest.mark.parametrize(("level", "stages", "outputs"), STATES)
def test_calls(net: Path, level: int, stages: list[str], outputs: list[str]) -> None:
    assert roastery.compile(net, level=level, stages=stages, device="cpu").outputs == outputs
    assert sorted(caffe.Net(str(net), caffe.TEST, level, stages, device="cpu").outputs) == outputs
    export_net(net, None, "net.roast", level=level, stages=stages)
    assert list(roastery.load("net.roast").outputs) == outputs
    program = program_of(nets.read_net(net), "TEST", level=level, stages=stages)
    assert list(program.outputs) == outputs


def test_names_as_one_text(net: Path) -> None:
    for stages in ("more", "own,more"):
        assert roastery.compile(net, stages=stages, device="cpu").outputs == ["more", "own"]
        assert "more" in caffe.Net(str(net), caffe.TEST, 0, stages, device="cpu").outputs
    assert roastery.compile(net, observe="x", device="cpu").outputs == ["own", "x"]
    assert roastery.compile(net, observe=["own"], device="cpu").outputs == ["own"]


@pytest.mark.parametrize(("level", "stages", "outputs"), STATES)
def test_commands(
    net: Path,
    level: int,
    stages: list[str],
    outputs: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = [f"--level={level}", *([f"--stage={','.join(stages)}"] if stages else [])]
    assert main(["compile", str(net), *flags]) == 0
    table = capsys.readouterr().out
    assert [name for name in ("deep", "more", "own") if f"\n{name} " in table] == outputs
    assert main(["export", f"--model={net}", "--output=net.roast", *flags]) == 0
    assert list(roastery.load("net.roast").outputs) == outputs
    assert main(["time", f"--model={net}", "--iterations=1", *flags]) == 0
    log = capsys.readouterr().err
    assert [name for name in ("deep", "more", "own") if f"Setting up {name}\n" in log] == outputs


def test_the_gradient_check_knows_states_and_memory() -> None:
    text = NET + 'layer { name: "b" type: "ReLU" bottom: "x" top: "b" include { phase: TEST } }\n'
    found = roastery.check_gradient(text, level=2, stages=["more"])
    assert found.ok and [row.name for row in found.rows] == ["x"]
    with pytest.raises(roastery.RoasteryError, match="no layer of the net is for phase TEST"):
        roastery.check_gradient(
            'layer { name: "x" type: "Input" top: "x" include { stage: "s" } '
            "input_param { shape { dim: 2 } } }",
            phase="TEST",
        )
    with pytest.raises(roastery.RoasteryError, match="of memory"):
        roastery.check_gradient(
            'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }',
            inputs={"x": (1 << 20, 1 << 20)},
        )
