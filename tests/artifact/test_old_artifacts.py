"""Artifacts of every format there has been: each later version runs them.

``tests/data/artifacts/v1.roast`` was written by the last code that knew format 1 without compile
options (``roastery export --target cpu --target cuda:sm_80``); the ``.npz`` beside it holds an
input and what the code of then computed from it on the CPU. ``v2.roast`` was written so from
``v2.prototxt`` by the first code that exported sizes; it has a batch of another size, too.
``v2_cpu.roast`` holds machine code for x86-64-v2 and aarch64, by interface 1. A file here is never
written anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_cuda import FakeCuda

from compiler.options import CompileOptions
from compiler.plan.saved_sizes import saved_plan_at
from compiler.precision import IEEE
from runtime.artifact import Artifact, load
from runtime.artifact.code import targets

FOLDER = Path(__file__).parent.parent / "data" / "artifacts"
OLD = sorted(FOLDER.glob("*.roast"))


@pytest.fixture(params=OLD, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def recorded(path: Path) -> dict[str, np.ndarray]:
    with np.load(path.with_suffix(".npz")) as arrays:
        return dict(arrays)


def test_there_is_one() -> None:
    assert FOLDER / "v1.roast" in OLD


def test_it_runs_on_the_cpu(old: Path) -> None:
    arrays = recorded(old)
    net = load(old, "cpu")
    for batch in ("", "_5"):
        if f"data{batch}" in arrays:
            result = net(data=arrays[f"data{batch}"])
            assert list(result) == ["prob"]
            np.testing.assert_allclose(result["prob"], arrays[f"prob{batch}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("capability", "code"), [(80, "cubin"), (86, "cubin"), (90, "ptx")])
def test_its_launches_are_made_on_a_gpu(
    old: Path, fake_gpu: FakeCuda, capability: int, code: str
) -> None:
    """Each with the grid and the arguments of the plan: of pointers those inside the memory."""
    fake_gpu.capability = capability
    with Artifact.load(old) as artifact:
        general, codes = artifact.plan()
        plan = saved_plan_at(general, artifact.manifest.sizes, as_saved=True)
        assert targets(codes) == ("cuda:sm_80",)
        assert old.stem != "v1" or artifact.manifest.options == CompileOptions(precision=IEEE)
    for (number, _), (binary,) in codes.items():
        kinds = tuple(parameter.kind for parameter in plan.kernels[number].parameters)
        fake_gpu.kernels[binary.entry] = (binary.arguments, _looks(fake_gpu, kinds))
    net = load(old, "cuda")
    assert net.device == "cuda:0"
    result = net(data=recorded(old)["data"])
    fake_gpu.check()
    assert result["prob"].shape == recorded(old)["prob"].shape
    expected = [(codes[x.kernel, x.config][0].entry, x.grid) for x in plan.launches]
    assert [launch[:2] for launch in fake_gpu.launches] == expected
    assert all(image.startswith(b"\x7fELF") == (code == "cubin") for image in fake_gpu.images)
    net.close()
    assert not fake_gpu.allocations


def _looks(gpu: FakeCuda, kinds: tuple[str, ...]) -> Callable[..., None]:
    def body(grid: Any, *values: Any) -> None:
        for kind, value in zip(kinds, values, strict=False):
            if kind == "pointer":
                assert np.isfinite(gpu.rest(value, np.float32)[:1]).all()

    return body


@pytest.mark.gpu
def test_it_runs_on_this_gpu(old: Path) -> None:
    arrays = recorded(old)
    result = load(old, "cuda")(data=arrays["data"])
    np.testing.assert_allclose(result["prob"], arrays["prob"], rtol=1e-3, atol=1e-5)
