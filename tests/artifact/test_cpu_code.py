"""Machine code for CPUs in artifacts: found, run without a compiler, and done without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from test_artifact_damage import forge, forge_json, members

import roastery
from compiler.c.compile.c_compiler import zig_compiler
from compiler.instructions import INSTRUCTIONS
from compiler.target import Target
from roastery.api.exporting import export_net
from roastery.cli.main import main
from runtime.artifact import Artifact, ArtifactError, load
from runtime.artifact.compiled_cpu import best_baseline
from tests.support import c_kernels, sample_nets

pytestmark = c_kernels.needs_compiler

ROOT = Path(__file__).parents[2]
OWN = c_kernels.machine().instructions
NET = "".join(
    [
        'name: "small"\n',
        sample_nets.inputs(data=(2, 3, 9, 8)),
        sample_nets.conv("conv", "data", 5, 3),
        sample_nets.batch_norm("conv"),
        sample_nets.relu("conv"),
        sample_nets.pool("pool", "conv", "pool: AVE global_pooling: true"),
        sample_nets.layer("ip", "InnerProduct", "pool", "inner_product_param { num_output: 4 %s }")
        % sample_nets.XAVIER,
    ]
)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With code for this machine, and for the oldest of its kind."""
    folder = tmp_path_factory.mktemp("net")
    (folder / "net.prototxt").write_text(NET)
    oldest = "x86-64-v2" if OWN.startswith("x86-64-v") else OWN
    chosen = list(dict.fromkeys([oldest, OWN]))
    made = export_net(folder / "net.prototxt", None, folder / "net.roast", cpu_baseline=chosen)
    assert list(made.baselines) == chosen
    return folder / "net.roast"


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, 3, 9, 8), dtype=np.float32)


@pytest.fixture
def copied(net: Path, tmp_path: Path) -> Path:
    (tmp_path / "net.roast").write_bytes(net.read_bytes())
    return tmp_path / "net.roast"


def on_machine(instructions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("cpu", instructions=instructions)
    monkeypatch.setattr("runtime.artifact.net.cpu_target", lambda: target)


def test_the_same_as_device_cpu(net: Path, x: np.ndarray) -> None:
    compiled = roastery.compile(net.parent / "net.prototxt", device="cpu", freeze=True)
    loaded = load(net, "cpu")
    assert (loaded.device, loaded.baseline) == ("cpu", OWN)
    expected = compiled(data=x)["ip"]
    for threads in (None, 1, 3):
        found = load(net, "cpu", threads=threads)(data=x)["ip"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    numpy = load(net, "reference")
    assert (numpy.device, numpy.baseline) == ("reference", "")
    np.testing.assert_allclose(numpy(data=x)["ip"], expected, rtol=1e-5, atol=1e-6)


def test_other_sizes_need_no_compiler(net: Path) -> None:
    reference, loaded = load(net, "reference"), load(net, "cpu")
    rng = np.random.default_rng(1)
    for shape in ((1, 3, 9, 8), (5, 3, 9, 8), (3, 3, 12, 7), (2, 3, 9, 8)):
        x = rng.standard_normal(shape, dtype=np.float32)
        found, expected = loaded(data=x)["ip"], reference(data=x)["ip"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_process_that_finds_no_compiler(net: Path, x: np.ndarray, tmp_path: Path) -> None:
    """Nothing is on its path, and nothing of the compiler is imported."""
    np.save(tmp_path / "x.npy", x)
    words = [sys.executable, "-m", "roastery", "run", str(net), "--input=x.npy", "--output=y.npz"]
    settings = {"PATH": "", "PYTHONPATH": str(ROOT), "ROASTERY_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [*words, "--device=cpu"], cwd=tmp_path, env=settings, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{net}: on cpu, {OWN}"
    expected = load(net, "reference")(data=x)["ip"]
    with np.load(tmp_path / "y.npz") as found:
        np.testing.assert_allclose(found["ip"], expected, rtol=1e-5, atol=1e-6)
    assert not (tmp_path / "cache").exists()
    script = f"""
import sys, numpy
from runtime.artifact import load
load({os.fspath(net)!r}, "cpu")(data=numpy.ones((2, 3, 9, 8)))
unwanted = ("compiler.passes", "compiler.kernels", "frontends")
print([name for name in sys.modules if name.startswith(unwanted)])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "[]\n")


@pytest.mark.parametrize(
    ("there", "machine", "best"),
    [
        (("x86-64-v2", "x86-64-v4"), "x86-64-v4", "x86-64-v4"),
        (("x86-64-v2", "x86-64-v4"), "x86-64-v3", "x86-64-v2"),
        (("x86-64-v3", "aarch64"), "x86-64-v2", None),
        (("x86-64-v3", "aarch64"), "aarch64", "aarch64"),
        (("x86-64",), "aarch64", None),
        (("x86-64",), "any", None),
        ((), "x86-64-v4", None),
    ],
)
def test_the_best_is_picked(there: tuple[str, ...], machine: str, best: str | None) -> None:
    assert best_baseline(dict.fromkeys(there), machine) == best


@pytest.mark.skipif(OWN not in ("x86-64-v3", "x86-64-v4"), reason="this CPU has one baseline")
def test_an_older_cpu(net: Path, x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load(net, "cpu")(data=x)["ip"]
    on_machine("x86-64-v2", monkeypatch)
    older = load(net, "cpu")
    assert older.baseline == "x86-64-v2"
    np.testing.assert_allclose(older(data=x)["ip"], expected, rtol=1e-5, atol=1e-6)


def test_no_code_that_fits(
    net: Path, x: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    on_machine("any", monkeypatch)
    loaded = load(net, "cpu")
    assert loaded.baseline == ""
    assert f"has machine code for x86-64-v2, {OWN}, not for this CPU (any)" in caplog.text or (
        not OWN.startswith("x86-64-v")
    )
    np.testing.assert_array_equal(loaded(data=x)["ip"], load(net, "reference")(data=x)["ip"])


def test_code_of_another_version(
    copied: Path, x: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    forge_json(copied, "cpu.json", lambda entries: [e.update(interface=0) for e in entries])
    loaded = load(copied, "cpu")
    assert loaded.baseline == "" and "and this version of Roastery: numpy" in caplog.text
    np.testing.assert_array_equal(loaded(data=x)["ip"], load(copied, "reference")(data=x)["ip"])


def test_what_it_holds_is_shown(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(net)]) == 0
    shown = capsys.readouterr().out
    for line in (
        "on the CPU: ",
        "\nbaseline   kernels  machine code  made by\n",
        f"\n{OWN}  ",
        f" bytes  {c_kernels.compiler().version}\n",
        "step  launch     ",
        "arena ",
    ):
        assert line in shown


def test_the_same_export_gives_the_same_bytes(net: Path, tmp_path: Path) -> None:
    with Artifact.load(net) as artifact:
        names = list(artifact.cpu_entries())
    export_net(net.parent / "net.prototxt", None, tmp_path / "net.roast", cpu_baseline=names)
    assert (tmp_path / "net.roast").read_bytes() == net.read_bytes()


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("sse9", "unknown CPU baseline 'sse9'(.|\n)*x86-64-v4, x86-64-v3"),
        ("any", "unknown CPU baseline 'any'"),
    ],
)
def test_unknown_baselines(net: Path, tmp_path: Path, baseline: str, message: str) -> None:
    with pytest.raises(roastery.RoasteryError, match=message):
        export_net(net.parent / "net.prototxt", None, tmp_path / "x.roast", cpu_baseline=baseline)
    assert not list(tmp_path.iterdir())


def test_a_baseline_that_nothing_compiles_for(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roastery.api.cpu_baselines.zig_compiler", lambda: None)
    other = "aarch64" if OWN != "aarch64" else "x86-64-v3"
    with pytest.raises(roastery.RoasteryError, match=f"compiles for {other}(.|\n)*pip install"):
        export_net(net.parent / "net.prototxt", None, tmp_path / "x.roast", cpu_baseline=other)


def test_without_code(net: Path, x: np.ndarray, tmp_path: Path) -> None:
    """Asked for, or because an op is no kernel."""
    made = export_net(
        net.parent / "net.prototxt", None, tmp_path / "net.roast", cpu_baseline="none"
    )
    assert made.baselines == ()
    assert not any(name.startswith("cpu") for name in members(tmp_path / "net.roast"))
    assert load(tmp_path / "net.roast", "cpu").baseline == ""
    text, arrays = sample_nets.with_host_op()
    (tmp_path / "boxes.prototxt").write_text(text)
    assert export_net(tmp_path / "boxes.prototxt", None, tmp_path / "boxes.roast").baselines == ()
    assert load(tmp_path / "boxes.roast")(**arrays)["loss"] > 0


def test_state_and_random_access(tmp_path: Path) -> None:
    """State goes on from run to run, and starts over with the next load."""
    lstm = 'recurrent_param { num_output: 3 weight_filler { type: "uniform" min: -1 max: 1 } }'
    inputs = sample_nets.inputs(data=(2, 1, 4), cont=(2, 1))
    (tmp_path / "net.prototxt").write_text(
        inputs + sample_nets.layer("y", "LSTM", "data cont", lstm)
    )
    export_net(tmp_path / "net.prototxt", None, tmp_path / "net.roast", cpu_baseline=OWN)
    rng = np.random.default_rng(0)
    arrays: Mapping[str, np.ndarray] = {"data": rng.random((2, 1, 4)), "cont": np.ones((2, 1))}
    found = []
    for device in ("cpu", "reference", "cpu"):
        loaded = load(tmp_path / "net.roast", device)
        found.append([loaded(**arrays)["y"] for _ in range(3)])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[0], found[2])
    assert (found[0][0] != found[0][1]).any()


@pytest.mark.skipif(zig_compiler() is not None, reason="Zig is installed")
def test_exporting_without_a_compiler(
    net: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    output = tmp_path / "net.roast"
    words = ["export", str(net.parent / "net.prototxt"), f"--output={output}"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(f"wrote {output}: cpu, ")
    assert "CC is 'no-such-compiler', which is none, so numpy will run the net" in caplog.text
    assert load(output, "cpu").baseline == ""
    assert main([*words, f"--cpu-baseline={OWN}"]) == 1
    assert f"nothing compiles for {OWN}: CC is 'no-such-compiler'" in capsys.readouterr().err


# --- damaged ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("cpu.json", b"{", "cpu.json is malformed"),
        ("cpu.json", b"[[]]", "cpu.json is malformed"),
        (f"cpu/{OWN}/plan.json", b"[]", f"its code for {OWN} is malformed"),
        (f"cpu/{OWN}/once.json", b"{}", f"its code for {OWN} is malformed"),
        (f"cpu/{OWN}/pool.so", None, "pool.so is missing"),
    ],
)
def test_damaged_code(copied: Path, name: str, data: bytes | None, message: str) -> None:
    forge(copied, {name: data})
    with pytest.raises(ArtifactError, match=message):
        load(copied, "cpu")
    load(copied, "reference")


def test_a_library_that_is_none(
    copied: Path, x: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    """Of another system: numpy runs the net, and it is told."""
    expected = load(copied, "reference")(data=x)["ip"]
    forge(copied, {f"cpu/{OWN}/0000.so": b"MZ" + bytes(99)})
    np.testing.assert_array_equal(load(copied, "cpu")(data=x)["ip"], expected)
    assert "compiled kernels cannot be loaded" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(instructions="x86-64-v9"), "is no baseline"),
        (lambda e: e.update(plan="cpu/none.json"), "cpu/none.json is missing"),
        (lambda e: e.update(libraries=[]), "there is no code for kernel"),
        (lambda e: e["libraries"][0].update(file=3), "malformed"),
    ],
)
def test_forged_entries(copied: Path, change: object, message: str) -> None:
    def all_entries(entries: list[dict]) -> None:
        for entry in entries:
            change(entry)  # type: ignore[operator]

    forge_json(copied, "cpu.json", all_entries)
    with pytest.raises(ArtifactError, match=message):
        load(copied, "cpu")


def test_forged_numbers(copied: Path) -> None:
    """A buffer that lies outside of the arena; a size that nobody has."""
    name = f"cpu/{OWN}/plan.json"
    whole = members(copied)[name]
    plan = json.loads(whole)
    plan["memory"]["nbytes"] = 8
    forge(copied, {name: json.dumps(plan).encode()})
    with pytest.raises(ArtifactError, match="malformed"):
        load(copied, "cpu")
    plan = json.loads(whole)
    plan["steps"][0]["grid"] = ["Z", 1, 1]
    forge(copied, {name: json.dumps(plan).encode()})
    with pytest.raises(ArtifactError, match="malformed"):
        load(copied, "cpu")


def test_every_baseline_has_a_name_that_members_can_have() -> None:
    assert all(i.name.replace("-", "").isalnum() for i in INSTRUCTIONS)
