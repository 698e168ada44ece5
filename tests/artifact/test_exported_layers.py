"""Every layer's records as artifacts: refused when they are exported, or run as the net does.

A process that imports nothing but the runtime reads them all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from roastery.api.cpu_baselines import compilers_for
from roastery.api.exporting import export_net
from tests.support.layer_cases import LayerCase, all_cases

ROOT = Path(__file__).parents[2]
GROUPS = 4
REFUSED = {"proposal_two_images": "Proposal", "filter_nothing": "Filter"}
"""Records whose numbers of rows are told by data, in a way that no artifact can hold."""

READER = """
import sys
from pathlib import Path
import numpy
import roastery
for path in sorted(Path(sys.argv[1]).glob("*.roast")):
    with numpy.load(path.with_suffix(".npz")) as given:
        results = roastery.load(path, sys.argv[2])(**given)
    numpy.savez(path.with_suffix(".out.npz"), **results)
wrong = ("frontends", "lark", "google", "compiler.passes", "roastery.api", "roastery.building")
print(*(name for name in sys.modules if name.startswith(wrong)))
"""


def arrays_for(case: LayerCase, net: roastery.Executable) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    fill = case.inputs or {}
    return {
        name: np.asarray(fill[name](rng) if name in fill else rng.standard_normal(shape))
        .reshape(shape)
        .astype(np.float32)
        for name, shape in net.inputs.items()
    }


def expected(case: LayerCase, folder: Path, baseline: str, device: str) -> dict[str, np.ndarray]:
    """What the net gives; beside it lies its artifact, and what to feed to both."""
    path = folder / f"{case.name}.prototxt"
    path.write_text(case.prototxt)
    export_net(path, None, path.with_suffix(".roast"), cpu_baseline=baseline)
    net = roastery.compile(path, device=device, freeze=device == "cpu")
    arrays = arrays_for(case, net)
    np.savez(path.with_suffix(".npz"), **arrays)
    return net(**arrays)


def read_all(folder: Path, device: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", READER, str(folder), device],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (run.returncode, run.stderr, run.stdout.split()) == (0, "", [])


def compare(folder: Path, results: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Names of records where one bit of an output, or a shape, is another one."""
    wrong = []
    for name, wanted in results.items():
        with np.load(folder / f"{name}.out.npz") as found:
            same = found.files == list(wanted) and all(
                found[key].shape == array.shape and found[key].tobytes() == array.tobytes()
                for key, array in wanted.items()
            )
        if not same:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("group", range(GROUPS))
def test_records_run_as_the_net_does(group: int, tmp_path: Path) -> None:
    cases = [case for case in all_cases()[group::GROUPS] if case.name not in REFUSED]
    results = {case.name: expected(case, tmp_path, "none", "reference") for case in cases}
    read_all(tmp_path, "reference")
    assert compare(tmp_path, results) == []


def test_some_records_run_as_the_net_does_by_machine_code(tmp_path: Path) -> None:
    baselines = list(compilers_for(()))
    if not baselines:
        pytest.skip("no C compiler")
    cases = [case for case in some(all_cases()) if case.name not in REFUSED]
    results = {case.name: expected(case, tmp_path, baselines[0], "cpu") for case in cases}
    read_all(tmp_path, "cpu")
    for name, wanted in results.items():
        with np.load(tmp_path / f"{name}.out.npz") as found:
            for key, array in wanted.items():
                np.testing.assert_allclose(found[key], array, rtol=1e-4, atol=1e-5, err_msg=name)


def some(cases: Sequence[LayerCase]) -> list[LayerCase]:
    """One of every few types."""
    types = sorted({case.layer_type: case for case in cases}.items())
    return [case for _, case in types[::9]]


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_where_they_stand(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in all_cases() if case.name == name)
    path = tmp_path / "net.prototxt"
    path.write_text(case.prototxt)
    line = 1 + case.prototxt[: case.prototxt.index(f'type: "{REFUSED[name]}"')].count("\n")
    with pytest.raises(RoasteryError, match=rf"net\.prototxt:{line}:1 \(layer 'l'\)") as caught:
        export_net(path, None, tmp_path / "net.roast", cpu_baseline="none")
    assert f"{REFUSED[name]}'s result has is told by data" in str(caught.value)
    assert "make them inputs" in str(caught.value)
    assert not (tmp_path / "net.roast").exists()


def test_a_python_layer_is_refused_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doubling_layer.py").write_text(
        "import caffe\n"
        "class Doubling(caffe.Layer):\n"
        "    def setup(self, bottom, top):\n        pass\n"
        "    def reshape(self, bottom, top):\n        top[0].reshape(*bottom[0].data.shape)\n"
        "    def forward(self, bottom, top):\n        top[0].data[...] = 2 * bottom[0].data\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 } } }\n'
        'layer { name: "double" type: "Python" bottom: "data" top: "y"\n'
        '  python_param { module: "doubling_layer" layer: "Doubling" } }\n'
    )
    with pytest.raises(RoasteryError, match=r"net\.prototxt:2:1 \(layer 'double'\).*runs on the h"):
        export_net(path, None, tmp_path / "net.roast", allow_python=True, cpu_baseline="none")
    assert not (tmp_path / "net.roast").exists()
