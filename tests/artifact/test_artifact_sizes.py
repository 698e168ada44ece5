"""Exported nets at other batch and image sizes than those they were exported with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_artifact_damage import forge, forge_json, members, rewrite

import roastery
from compiler.plan.saved_sizes import saved_plan_at
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main
from runtime.artifact import Artifact, ArtifactError, load
from runtime.artifact.container import MANIFEST
from runtime.artifact.net import _KEPT
from tests.support import sample_nets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def golden(data_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(data_dir / "artifacts" / "v2.roast", tmp_path))


@pytest.fixture
def convolutional(tmp_path: Path) -> Path:
    (tmp_path / "net.prototxt").write_text(sample_nets.resizable(1, normalised=True))
    export_net(tmp_path / "net.prototxt", None, tmp_path / "net.roast")
    return tmp_path / "net.roast"


def random(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def test_as_the_live_net(convolutional: Path) -> None:
    live = roastery.compile(convolutional.with_suffix(".prototxt"), device="cpu", seed=0)
    net = load(convolutional, "cpu")
    for shape in [(1, 3, 17, 23), (5, 3, 17, 23), (64, 3, 9, 11), (2, 3, 40, 33), (1, 3, 17, 23)]:
        found, wanted = net(data=random(shape)), live(data=random(shape))
        assert found.keys() == wanted.keys()
        for name, array in found.items():
            np.testing.assert_allclose(array, wanted[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 1, 23), r"height \(H\) is at least 2: layer 'in_data' \(Input\), .*net.prototxt:1"),
        ((2, 3, 2, 40), r"\(H [+] 1\) // 4 is at least 1: layer 'pool' \(Pooling\), "),
        ((2, 4, 17, 23), "axis 1 is 3"),
        ((2, 3, 17), "it had 4 axes"),
        ((0, 3, 17, 23), r"the batch size \(N\) is at least 1"),
    ],
)
def test_what_the_net_would_refuse(
    convolutional: Path, shape: tuple[int, ...], message: str
) -> None:
    net = load(convolutional, "cpu")
    with pytest.raises(RoasteryError, match=message):
        net(data=np.zeros(shape))
    net(data=np.zeros((2, 3, 17, 23)))


def test_a_layer_that_fixes_a_size(golden: Path) -> None:
    with pytest.raises(RoasteryError) as caught:
        load(golden, "cpu")(data=np.zeros((2, 3, 14, 12)))
    assert caught.value.message == (
        "input 'data' has shape (2, 3, 14, 12), the artifact takes (2, 3, 12, 12), and cannot take "
        "this one: the image height (H) is fixed at 12: layer 'ip' (InnerProduct), net.prototxt:10"
    )


def test_the_last_few_stay_planned(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = load(golden, "cpu")
    bound: list[int] = []
    bind = net._runner.bind
    monkeypatch.setattr(
        net._runner, "bind", lambda sizes: (bound.append(sizes["N"]), bind(sizes))[1]
    )
    for batch in (2, 3, 2, 3, *range(4, 4 + _KEPT), 3):
        net(data=np.zeros((batch, 3, 12, 12)))
    assert bound == [3, *range(4, 4 + _KEPT), 3]


def test_the_command_runs_another_batch(
    golden: Path, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    with np.load(data_dir / "artifacts" / "v2.npz") as recorded:
        x, wanted = recorded["data_5"], recorded["prob_5"]
    np.save(golden.with_name("x.npy"), x)
    output = golden.with_name("y.npz")
    words = ["run", str(golden), "--device=cpu", f"--input={golden.with_name('x.npy')}"]
    assert main([*words, f"--output={output}"]) == 0
    with np.load(output) as found:
        np.testing.assert_allclose(found["prob"], wanted, rtol=1e-5, atol=1e-6)
    np.save(golden.with_name("x.npy"), x[:, :2])
    assert main(words) == 1
    assert "shape 5 x 2 x 12 x 12; ? x 3 x ? x ? was expected" in capsys.readouterr().err


def test_what_may_change_is_shown(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(golden)]) == 0
    shown = capsys.readouterr().out
    for line in (
        "input data: f32, N x 3 x H x W",
        "output prob: f32, N x 10",
        "the batch size (N) may change: it is 2",
        "the image width (W) is fixed at 12: layer 'ip' (InnerProduct), net.prototxt:10",
    ):
        assert f"{line}\n" in shown


def test_planning_again_needs_no_compiler(golden: Path) -> None:
    """Neither frontends nor passes, kernels and printer, nor their libraries."""
    with Artifact.load(golden) as artifact:
        artifact.plan()  # of what the script reads
    golden.with_name("plan.json").write_bytes(members(golden)["plan.json"])
    script = """
import json, sys
from compiler.plan.saved import plan_from_json
from compiler.plan.saved_sizes import saved_plan_at
plan = plan_from_json(json.load(open(sys.argv[1])))
sized = saved_plan_at(plan, {"N": 64, "H": 12, "W": 12})
print([list(step.grid) for step in sized.launches], sized.memory.nbytes)
allowed = ("compiler.plan", "compiler.kernel", "compiler.plan.", "ir")
for name in sys.modules:
    top = name.partition(".")[0]
    assert top not in ("frontends", "runtime", "triton", "torch", "lark", "google"), name
    if top == "compiler" and name != "compiler":
        assert name == "compiler.kernel" or name.startswith("compiler.plan"), name
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(golden.with_name("plan.json"))],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "[[288, 1, 1], [144, 1, 1], [2, 2, 1], [5, 1, 1], [2, 1, 1]] 368640\n"


def test_loading_at_another_size_needs_no_compiler(golden: Path) -> None:
    script = f"""
import sys, numpy
from runtime.artifact import load
print(load({str(golden)!r}, "cpu")(data=numpy.ones((7, 3, 12, 12)))["prob"].shape)
assert not any(n.startswith(("compiler.passes", "compiler.kernels", "compiler.triton", "frontends",
                             "triton")) for n in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.stderr, done.stdout) == ("", "(7, 10)\n")


# --- what others may have written ---------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(sizes={"N": 0, "H": 12, "W": 12}), "at least 1"),
        (lambda m: m.update(sizes={"N": 2, "H": 12}), "no size is called 'W'"),
        (lambda m: m.update(sizes={"N": 2, "H": 12, "W": 12, "Z": 2}), "no input has the size 'Z'"),
        (lambda m: m.update(sizes={"N": 2, "H": 1 << 63, "W": 12}), "too large"),
        (lambda m: m.update(sizes=[2, 12, 12]), "sizes must be"),
        (lambda m: m.update(sizes={"N": "W", "H": 12, "W": 12}), "sizes 'N' must be int"),
        (lambda m: m["inputs"][0].update(shape=["N + 1", 3, "H", "W"]), "extent that is no symbol"),
        (lambda m: m["inputs"][0].update(shape=["2 * N", 3, "H", "W"]), "extent that is no symbol"),
        (lambda m: m["inputs"][0].update(shape=["N", 3, "H // 0", "W"]), "divides by 0"),
        (lambda m: m["inputs"][0].update(shape=["N", 3, "H +", "W"]), "has no end"),
        (lambda m: m["inputs"][0].update(shape=["N", 3, "exit()", "W"]), "no size is called"),
        (lambda m: m["outputs"][0].update(shape=["N" + " * N" * 15 + " * 9" * 60]), "too large"),
        (lambda m: m["outputs"][0].update(shape=["N / 2", 10]), "is no integer"),
        (lambda m: m["conditions"][-1].update(value=13), "does not: W == 13; it is 12"),
        (lambda m: m["conditions"][-1].update(relation="<"), "'<' is no relation"),
        (lambda m: m["conditions"][-1].update(relation="!="), "does not: W != 12"),
        (lambda m: m["conditions"][-1].update(form=5), "is always the same"),
        (lambda m: m["conditions"][-1].update(form="Q"), "no size is called 'Q'"),
        (lambda m: m["conditions"][-1].pop("form"), "must be SizeCondition"),
        (lambda m: m["conditions"][-1].update(value="N"), "where only a number can"),
        (lambda m: m.update(conditions=m["conditions"] * 3000), "conditions are too many"),
        (lambda m: m["members"]["plan.json"].update(size="N"), "where only a number can"),
        (lambda m: m.update(format="N"), "is no format"),
    ],
)  # fmt: skip
def test_forged_sizes(golden: Path, change: Callable[[dict], None], message: str) -> None:
    manifest = json.loads(members(golden)[MANIFEST])
    change(manifest)
    rewrite(golden, {**members(golden), MANIFEST: json.dumps(manifest).encode()})
    with pytest.raises(ArtifactError, match=message):
        Artifact.load(golden)


def at(path: Path, **sizes: int) -> Any:
    with Artifact.load(path) as artifact:
        plan, _ = artifact.plan()
    return saved_plan_at(plan, {"N": 2, "H": 12, "W": 12, **sizes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p["steps"][0].update(grid=["N * M", 1, 1]), "no size is called 'M'"),
        (lambda p: p["steps"][0].update(grid=["1 // (N - 2)", 1, 1]), "divides by 0"),
        (lambda p: p["steps"][0].update(grid=["N - 5", 1, 1]), "a grid of"),
        (lambda p: p["steps"][0].update(kernel="N - 2"), "where only a number can|is no number"),
        (lambda p: p["steps"][0].update(writes=["N"]), "only a number can|is no number"),
        (lambda p: p["steps"][0]["config"].update(num_warps="N"), "only a number|is no number"),
        (lambda p: p["buffers"][5].update(type="f32[N - 7]"), "is no type of a tensor"),
        (lambda p: p["buffers"][5].update(type="f32[N * 4000000000000000000]"), "is too large"),
        (lambda p: p["memory"].update(nbytes="N"), "exceed 2"),
        (lambda p: p["sizes"].update(N=3), "those of the manifest"),
    ],
)  # fmt: skip
def test_forged_forms(golden: Path, change: Callable[[dict], None], message: str) -> None:
    with pytest.raises((ArtifactError, ValueError), match=message):
        at(forge_json(golden, "plan.json", change))


@pytest.mark.parametrize(
    ("change", "sizes", "message"),
    [
        (lambda p: p["steps"][0].update(grid=["N // (5 - N)", 1, 1]), {"N": 5}, "is no number"),
        (lambda p: p["steps"][0].update(grid=["5 - N", 1, 1]), {"N": 7}, "a grid of"),
        (lambda p: p["buffers"][5].update(type="f32[5 - N, 10]"), {"N": 7}, "no extents"),
        (lambda p: p["steps"][0]["arguments"].__setitem__(5, "N ** 2"), {"N": 7}, "unexpected"),
        (lambda p: None, {"N": 1 << 40}, "is no i32|was compiled for buffers|too large|a grid of"),
        (lambda p: None, {"N": 1 << 22}, "was compiled for buffers of less than 2147418112"),
        (lambda p: None, {"N": 1 << 70}, "no extents of a tensor"),
    ],
)
def test_forged_forms_at_other_sizes(
    golden: Path, change: Callable[[dict], None], sizes: dict[str, int], message: str
) -> None:
    with pytest.raises((ArtifactError, ValueError), match=message):
        at(forge_json(golden, "plan.json", change), **sizes)


def test_conditions_that_lie(golden: Path) -> None:
    """Sizes that only the manifest lets pass do not fit the graph."""
    manifest = {"conditions": []}
    net = load(forge(golden, {}, manifest), "cpu")
    with pytest.raises(ArtifactError, match="its graph is not sound at"):
        net(data=np.zeros((2, 3, 14, 12)))
    net(data=np.zeros((3, 3, 12, 12)))


def test_a_batch_beyond_the_memory(golden: Path) -> None:
    net = load(golden, "cpu")
    huge = np.broadcast_to(np.float32(0), (1 << 33, 3, 12, 12))
    with pytest.raises(RoasteryError, match="bytes of memory, the machine has"):
        net(data=huge)


def test_forms_that_take_long_to_read(golden: Path) -> None:
    contents = members(golden)
    text = contents["graph.txt"].decode()
    lines = [
        f"  where {'N + ' * 400}{number} * N - N * {400 + number} == 0" for number in range(60)
    ]
    head, rest = text.split("\n", 1)
    forged = "\n".join([head, *lines, rest]).encode()
    with pytest.raises(ArtifactError, match="its sizes take more than 65536 characters"):
        load(forge(golden, {"graph.txt": forged}), "cpu")
    plan = json.loads(contents["plan.json"])
    plan["steps"][0]["arguments"] += [f"{'N + ' * 400}{number}" for number in range(60)]
    contents["graph.txt"] = text.encode()
    with pytest.raises(ArtifactError, match="its sizes take more than 65536 characters"):
        at(forge(golden, {"graph.txt": text.encode(), "plan.json": json.dumps(plan).encode()}))


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_boxes_of_sizes_alone_stay_free(device: str, tmp_path: Path) -> None:
    """SSD's priors follow from the sizes of an image, and are no constants of the exported net."""
    text = (
        'layer { name: "d" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 20 '
        'dim: 24 } } } layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
        'convolution_param { num_output: 2 kernel_size: 3 stride: 4 weight_filler { type: "xavier" '
        '} } } layer { name: "p" type: "PriorBox" bottom: "c" bottom: "data" top: "prior" '
        "prior_box_param { min_size: 8 max_size: 14 aspect_ratio: 2 clip: true } }"
    )
    (tmp_path / "net.prototxt").write_text(text)
    export_net(tmp_path / "net.prototxt", None, tmp_path / "net.roast")
    net = load(tmp_path / "net.roast", device)
    live = roastery.compile(tmp_path / "net.prototxt", device="reference", seed=0)
    for shape in [(1, 3, 20, 24), (2, 3, 33, 48)]:
        wanted = live(data=random(shape))["prior"]
        np.testing.assert_allclose(net(data=random(shape))["prior"], wanted, atol=1e-6)
