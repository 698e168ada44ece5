"""Two processes make the same bytes of one net, whatever Python's hashing does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler.options import CompileOptions
from compiler.plan.memory import least_memory
from compiler.plan.tables import kernel_files, step_table
from examples.googlenet.make_net import googlenet
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import dense, fully_convolutional, inception, inputs


def dump(net: Path, folder: Path, hashing: int, *flags: str) -> dict[str, bytes]:
    """Every file that ``roastery compile --dump`` writes."""
    command = [sys.executable, "-m", "roastery", "compile", str(net), "--dump", str(folder), *flags]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hashing),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (inception(), []),
        (inception(), ["--precision", "bfloat16"]),
        (fully_convolutional(2, 40, 48), []),
        (googlenet(32), []),
    ],
    ids=["inception", "in 16 bits", "fully_convolutional", "googlenet"],
)
def test_the_same_bytes(text: str, flags: list[str], tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(text)
    one, two = (dump(net, tmp_path / f"dump_{seed}", seed, *flags) for seed in (1, 2))
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    assert any(name.startswith("kernels/") for name in one)
    if text.count("Convolution") > 3:  # their weights are copied in a launch that they share
        assert b" + " in one["launches.txt"]


def test_every_kernel_has_a_file_of_its_own() -> None:
    """Also where names of layers differ by what no file name tells."""
    text = inputs(x=(2, 3))
    for name, bottom, size in (("a/b", "x", 4), ("A_b", "a/b", 5), ("a:b", "A_b", 300)):
        text += dense(name, bottom, size)
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
    compiled = compile_program(program, CompileOptions()).compiled
    files = kernel_files(compiled.plan)
    printed = [kernel.source for kernel in compiled.kernels]
    assert [kernel.source for kernel in compiled.plan.kernels] == printed
    assert len({name.lower() for name in files}) == len(compiled.kernels) >= 2
    assert all(name in step_table(compiled.plan) for name in files)


def test_googlenet_with_backward() -> None:
    """What its size leads one to expect; the seconds are for the reader (``pytest -rP``)."""
    program = program_of(nets.net_from_text(googlenet(32), "googlenet.prototxt"), "TRAIN")
    started = time.perf_counter()
    result = compile_program(program, CompileOptions())
    seconds = time.perf_counter() - started
    compiled = result.compiled
    print(f"{seconds:.1f} s: {len(compiled.launches)} launches of {len(compiled.kernels)} kernels")
    assert result.trains
    convolutions = sum(layer.type == "Convolution" for layer in program.layers)
    assert convolutions == 59
    # Every convolution three times, with and after it no more than a few launches.
    assert 3 * convolutions < len(compiled.launches) < 9 * convolutions
    assert len(compiled.kernels) < 0.9 * len(compiled.launches)
    assert compiled.plan.memory.nbytes < 1.25 * least_memory(compiled.plan)
