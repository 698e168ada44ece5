"""docs/view.md's commands work, and what it says of keys and limits is so."""

from __future__ import annotations

import re
import shlex
import webbrowser
from pathlib import Path

import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from roastery.cli.parse import parse_arguments
from roastery.cli.registry import find_command
from roastery.view import page_data, texts
from tests.support.sample_nets import conv, dense, inputs, layer

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "view.md").read_text(encoding="utf-8")

TRAIN = (
    'layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "none" '
    "batch_size: 32 } }\n"
    + conv("c", "data", 2, 3, "stride: 20")
    + dense("ip", "c", 5)
    + layer("loss", "SoftmaxWithLoss", "ip label")
)


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    Path("deploy.prototxt").write_text(inputs(data=(1, 3, 8, 8)) + conv("c", "data", 2, 3))
    Path("train_val.prototxt").write_text(TRAIN)
    caffe.Net("deploy.prototxt", caffe.TEST).save("net.caffemodel")
    Path("train.log").write_text(
        "I0210 13:39:22.381027 25210 solver.cpp:239] Iteration 0, loss = 2\n"
    )
    lines = re.findall(r"^    (roastery .*?)(?: &)?$", GUIDE, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        name, *words = shlex.split(line)[1:]
        if name == "train" or "--serve" in words:
            parse_arguments(find_command(name), words)
        else:
            assert main([name, *words]) == 0, line
    assert opened == [(tmp_path / "deploy.html").absolute().as_uri()]
    assert Path("train_val.html").exists()


def test_numbers_in_the_guide() -> None:
    assert f"more than {page_data.OPEN_AT_FIRST} boxes" in GUIDE
    assert f"cut at {texts.LONGEST:,} characters" in GUIDE


def test_keys_in_the_guide() -> None:
    keys = (ROOT / "roastery" / "view" / "page" / "keys.js").read_text(encoding="utf-8")
    for key in "/td?":
        assert f'event.key === "{key}"' in keys and f"`{key}`" in GUIDE
