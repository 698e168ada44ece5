"""Nets whose sizes no machine can hold, and files that would take gigabytes to read."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from frontends.prototxt import parse_text, to_text
from roastery.cli.arrays import load_array
from roastery.cli.main import main

INPUT = """layer { name: "in" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 10 dim: 10 } } }
"""


@pytest.mark.parametrize(
    "layer, message",
    [
        (
            'type: "InnerProduct" inner_product_param { num_output: 1000000000 }',
            "param 0 of layer 'big' is 1000000000 x 300",
        ),
        ('type: "Tile" tile_param { tiles: 2000000000 }', "top 'big' is 1 x 6000000000 x 10 x 10"),
        (
            'type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 '
            "pad: 2000000000 }",
            "top 'big' is 1 x 4 x 4000000008 x 4000000008",
        ),
    ],
    ids=["InnerProduct", "Tile", "Convolution"],
)
@pytest.mark.parametrize("command", ["time", "export"])
def test_a_layer_that_is_too_large(
    command: str,
    layer: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(
        INPUT + f'layer {{ name: "big" bottom: "data" top: "big" {layer} }}'
    )
    words = {"time": ["--iterations=1"], "export": ["--output=net.roast"]}[command]
    assert main([command, "--model=net.prototxt", *words]) == 1
    error = capsys.readouterr().err
    assert message in error and "net.prototxt:3:1 (layer 'big')" in error
    assert "of memory" in error
    assert not Path("net.roast").exists()


def test_running_out_of_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_out(*_: object) -> None:
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr("roastery.cli.main._dispatch", run_out)
    assert main(["time"]) == 1
    assert capsys.readouterr().err == "error: out of memory: Unable to allocate 1. TiB\n"


def test_long_strings_and_lines_are_read_in_linear_time() -> None:
    """A megabyte in one string, and one in 30,000 fields of a single line."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    long = parse_text('name: "' + "a\\\\b" * 300_000 + '"', "NetParameter")
    assert len(long.name) == 900_000
    assert parse_text(to_text(long), "NetParameter") == long
    many = parse_text('input: "some_blob" ' * 30_000, "NetParameter")
    assert len(many.input) == 30_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000  # KiB


@pytest.mark.parametrize("damage", ["cut", "header", "checksum", "empty", "text"])
def test_damaged_arrays(damage: str, tmp_path: Path) -> None:
    from ir.errors import RoasteryError

    path = tmp_path / "x.npz"
    np.savez(path, data=np.arange(100.0))
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "header":
        content[1] ^= 0xFF
    elif damage == "checksum":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(b"" if damage == "empty" else b"no array")
    path.write_bytes(content)
    with pytest.raises(RoasteryError, match="holds no array"):
        load_array(f"{path}:data", "data")
