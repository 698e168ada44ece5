"""What an output is called decides what is written to it."""

from __future__ import annotations

import pytest

from ir.errors import RoasteryError
from roastery.api.export_format import ARTIFACT, ONNX, TORCH, chosen_format


@pytest.mark.parametrize("output", ["net.onnx", "NET.ONNX", "a.roast/net.Onnx", "net.onnx/"])
def test_what_is_named_like_an_onnx_model_is_no_artifact(output: str) -> None:
    assert chosen_format("", output) is ONNX and chosen_format("onnx", output) is ONNX
    for other in ("roast", "torch"):
        with pytest.raises(RoasteryError, match="is named like an ONNX model"):
            chosen_format(other, output)


@pytest.mark.parametrize("output", ["net.pt", "net.PTH", "net.py", "net.safetensors"])
def test_what_is_named_like_a_file_of_pytorch_is_no_artifact_unasked(output: str) -> None:
    with pytest.raises(RoasteryError, match="--format torch --output NAME"):
        chosen_format("", output)
    assert chosen_format("torch", output) is TORCH and chosen_format("roast", output) is ARTIFACT


@pytest.mark.parametrize("output", ["net", "net.roast", ".onnx", "net.onnx.zip", "onnx"])
def test_other_names_are_artifacts(output: str) -> None:
    assert chosen_format("", output) is ARTIFACT
