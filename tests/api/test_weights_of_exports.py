"""What is exported has the weights of its file, all of them, or says which it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from tests.support.sample_nets import conv, dense, inputs

NET = inputs(data=(1, 1, 6, 6)) + conv("conv", "data", 2, 3) + dense("ip", "conv", 3)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    caffe.Net("net.prototxt", caffe.TEST, device="reference").save("net.caffemodel")
    return tmp_path


@pytest.mark.parametrize("asked", [{"cpu_baseline": "none"}, {"format": "torch"}])
def test_other_nets_weights_are_refused(here: Path, asked: dict[str, str]) -> None:
    Path("other.prototxt").write_text(NET.replace('"conv"', '"c"').replace('"ip"', '"i"'))
    with pytest.raises(RoasteryError, match="has no weights for any layer of the net") as caught:
        export_net("other.prototxt", "net.caffemodel", "made", **asked)  # type: ignore[arg-type]
    assert "in the net, 'c', 'i'; in the file, 'conv', 'ip'" in str(caught.value.hint)
    assert not Path("made").exists()


def test_layers_without_weights_are_told(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    export_net("net.prototxt", "net.caffemodel", "made", cpu_baseline="none")
    assert "no weights" not in caplog.text
    Path("net.prototxt").write_text(NET.replace('"ip"', '"renamed"'))
    export_net("net.prototxt", "net.caffemodel", "made", cpu_baseline="none")
    assert "'net.caffemodel' has no weights for 'renamed': they are what" in caplog.text
