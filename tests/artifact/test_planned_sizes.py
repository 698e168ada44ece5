"""Sizes that are named when a net is exported, for which its file holds where buffers lie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_artifact_damage import forge, members
from test_light_loading import NET

import roastery
from compiler.plan.memory import place_buffers
from ir.errors import RoasteryError
from roastery.api.cpu_baselines import compilers_for
from roastery.api.exporting import export_net
from roastery.cli.main import main
from runtime.artifact import Artifact, ArtifactError, load


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "net.prototxt").write_text(NET)
    return tmp_path / "net.prototxt"


def baseline() -> str:
    found = next(iter(compilers_for(())), "")
    if not found:
        pytest.skip("no C compiler")
    return found


def batch(count: int) -> np.ndarray:
    return np.linspace(-1, 1, count * 64, dtype=np.float32).reshape(count, 1, 8, 8)


def test_they_run_where_they_were_planned(net: Path) -> None:
    path, name = net.with_suffix(".roast"), baseline()
    line = [
        "export", str(net), f"--output={path}", f"--cpu-baseline={name}",
        "--plan-for=data=8,1,8,8", "--plan-for=data=3,1,8,8", "--plan-for", "data=8,1,8,8",
    ]  # fmt: skip
    assert main(line) == 0
    with Artifact.load(path) as artifact:
        planned = artifact.planned()
    assert [each.sizes["N"] for each in planned] == [8, 3]
    for count in (1, 3, 8, 5):
        found = load(path, "cpu")(data=batch(count))["prob"]
        expected = roastery.compile(net, device="reference", shapes={"data": (count, 1, 8, 8)})
        np.testing.assert_allclose(found, expected(data=batch(count))["prob"], 1e-4, 1e-6)


def test_nothing_is_placed_for_them(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = net.with_suffix(".roast")
    export_net(net, None, path, cpu_baseline=baseline(), plan_for=[{"data": (8, 1, 8, 8)}])
    loaded = load(path, "cpu")
    placed = []
    monkeypatch.setattr(
        "compiler.plan.saved_sizes.place_buffers",
        lambda plan: placed.append(plan) or place_buffers(plan),
    )
    assert loaded(data=batch(8))["prob"].shape == (8, 10)
    assert not placed
    assert loaded(data=batch(7))["prob"].shape == (7, 10)
    assert placed


def test_layouts_are_held_against_the_plan(net: Path) -> None:
    path = net.with_suffix(".roast")
    export_net(net, None, path, cpu_baseline=baseline(), plan_for=[{"data": (8, 1, 8, 8)}])
    good = json.loads(members(path)["planned.json"])
    ((name, layout),) = good[0]["memory"].items()
    for change in (
        {"offsets": layout["offsets"][:-1], "nbytes": layout["nbytes"]},
        {"offsets": layout["offsets"], "nbytes": 64},
        {"offsets": [8 if o is not None else o for o in layout["offsets"]], "nbytes": 1 << 20},
    ):
        bad = json.dumps([{**good[0], "memory": {name: change}}]).encode()
        loaded = load(forge(path, {"planned.json": bad}), "cpu")
        with pytest.raises(ArtifactError, match="its plan cannot have"):
            loaded(data=batch(8))
    none = json.dumps([{**good[0], "sizes": dict.fromkeys(good[0]["sizes"], 0)}]).encode()
    for text in (b"{}", b"[1]", none, json.dumps([{"sizes": {"Q": 1}, "memory": {}}]).encode()):
        with pytest.raises(ArtifactError, match=r"planned\.json"):
            load(forge(path, {"planned.json": text}), "cpu")


@pytest.mark.parametrize(
    ("shapes", "problem"),
    [
        ({"data": (8, 1, 9, 9)}, r"layer 'ip'"),
        ({"dta": (8, 1, 8, 8)}, r"there is no input 'dta'"),
        ({"data": (8, 2, 8, 8)}, r"plan for data=8,2,8,8: the net cannot take this shape"),
        ({"data": (0, 1, 8, 8)}, r"plan for data=0,1,8,8"),
    ],
)
def test_shapes_that_the_net_cannot_have(
    net: Path, shapes: dict[str, tuple[int, ...]], problem: str
) -> None:
    with pytest.raises(RoasteryError, match=problem):
        export_net(net, None, net.with_suffix(".roast"), cpu_baseline="none", plan_for=[shapes])
    assert not net.with_suffix(".roast").exists()


@pytest.mark.parametrize("text", ["data", "data=", "=1,2", "data=1,x", "", "data=1,2 data=1,2"])
def test_shapes_that_are_none(net: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["export", str(net), f"--output={net.with_suffix('.roast')}", f"--plan-for={text}"]
    assert main(line) != 0
    assert "plan-for" in capsys.readouterr().err
