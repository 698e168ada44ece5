"""The file that ``roastery view`` writes, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import tomllib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.graph import Graph, Node
from ir.ops.fusion import Fused
from roastery.cli.main import main
from roastery.view.compiled_view import PassStages
from roastery.view.document import json_for_html
from roastery.view.page import third_party
from roastery.view.texts import PageTexts
from tests.support.sample_nets import conv, dense, inception, inputs, layer, lenet

FOLDER = Path(third_party.__file__).parent

#: Of @dagrejs/dagre 3.1.3, as npm has it.
DAGRE = "54a503e346f93ca0bb10abe7999587e037262935687aca45eb4e4b0f64bbb578"


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    assert found is not None
    return json.loads(found[1])


def texts_of(data: dict[str, Any]) -> list[str]:
    return json.loads(zlib.decompress(base64.b64decode(data["texts"])))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(inception(2))


def test_the_library_is_unmodified_and_has_its_licence() -> None:
    assert hashlib.sha256((FOLDER / "dagre.min.js").read_bytes()).hexdigest() == DAGRE
    licence = (FOLDER / "LICENSE").read_text()
    assert "Chris Pettitt" in licence and "Permission is hereby granted" in licence
    root = FOLDER.parents[3]
    if (root / "pyproject.toml").exists():
        project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
        assert "roastery/view/page/third_party/LICENSE" in project["license-files"]
        assert "MIT" in project["license"]


def test_a_page_is_one_file_that_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "net.prototxt"]) == 0
    page = Path("net.html")
    assert re.fullmatch(r"wrote net\.html \([\d,]+ bytes\)\n", capsys.readouterr().out)
    text = page.read_text()
    assert re.findall(r'(?:src|href)="[^"]*"', text) == ['href="data:,"']
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1] and "connect-src 'none'" in policy[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) > 5
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert page.stat().st_size < 600_000


def test_what_a_page_knows_of_layers_and_compilers() -> None:
    assert main(["view", "net.prototxt", "--output=p.html"]) == 0
    data = data_of(Path("p.html"))
    texts = texts_of(data)
    names = [layer["name"] for layer in data["layers"]]
    stem = names.index("stem")
    assert data["layers"][stem]["prototxt"].startswith('layer {\n  name: "stem"\n')
    cpu, gpu = data["compilers"]
    for compiler, mark in ((cpu, "void "), (gpu, "@triton.jit")):
        assert compiler["stages"][0] == "lowered" and "fuse" in compiler["stages"]
        assert len(compiler["ir"]) == len(names)
        lowered = texts[compiler["ir"][stem][0]]
        assert "conv(" in lowered and "# stem" in lowered
        assert "net.prototxt" not in lowered
        assert any(mark in texts[kernel["text"]] for kernel in compiler["kernels"][stem])
        if mark == "void ":  # weights in another order: where that is undone is the layer's, too
            begun, once = compiler["stages"].index("before passes"), -1
            assert any("unpack(" in texts[own[begun]] for own in compiler["ir"])
            assert any("pack(" in texts[own[once]] for own in compiler["ir"])
        memory = compiler["memory"]
        steps = [step for step in memory["steps"] if stem in step["layers"]]
        known = {buffer["id"] for buffer in memory["buffers"]}
        assert steps and known & {use for step in steps for use in step["uses"]}
        for buffer in memory["buffers"]:
            assert buffer["offset"] + buffer["bytes"] <= memory["bytes"]


def test_a_group_of_a_thousand_layers_is_printed_once() -> None:
    """Not once for each of them, in each pass: that took minutes."""
    text = inputs(data=(1, 8)) + layer("r0", "ReLU", "data")
    text += "".join(
        layer(f"r{i + 1}", ["ReLU", "TanH", "AbsVal"][i % 3], f"r{i}") for i in range(1000)
    )
    Path("chain.prototxt").write_text(text)
    began = time.perf_counter()
    assert main(["view", "chain.prototxt", "--targets=cpu"]) == 0
    assert time.perf_counter() - began < 20, "alone it is two seconds"


def test_a_net_without_a_name_is_called_as_its_file() -> None:
    Path("mine.prototxt").write_text(inputs(data=(1, 8)))
    assert main(["view", "mine.prototxt", "--targets=none"]) == 0
    assert data_of(Path("mine.html"))["name"] == "mine"
    assert "<title>mine</title>" in Path("mine.html").read_text()


def test_targets() -> None:
    assert main(["view", "net.prototxt", "--targets=gpu"]) == 0
    assert [each["title"] for each in data_of(Path("net.html"))["compilers"]] == ["GPU (Triton)"]
    assert main(["view", "net.prototxt", "--targets=none"]) == 0
    assert data_of(Path("net.html"))["compilers"] == []


@pytest.mark.parametrize(
    "words",
    [
        ["net.prototxt", "--targets=tpu"],
        ["net.prototxt", "--port=1"],
        ["net.prototxt", "--snapshot_prefix=x"],
        ["net.prototxt", "--weights=none.caffemodel"],
        ["net.prototxt", "--log=none.log"],
        ["none.prototxt"],
        ["net.prototxt", "--output=none/net.html"],
    ],
)
def test_mistakes_are_one_message_and_no_file(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", *words, *([] if "--targets=tpu" in words else ["--targets=none"])]) == 1
    assert capsys.readouterr().err.count("error:") == 1
    assert not list(Path().rglob("*.html"))


def weights(text: str, change: dict[str, list[np.ndarray]]) -> list[list[dict[str, Any]]]:
    Path("w.prototxt").write_text(text)
    net = caffe.Net("w.prototxt", caffe.TEST)
    for name, arrays in change.items():
        for blob, array in zip(net.params[name], arrays, strict=False):
            blob.data[...] = array
    net.save("w.caffemodel")
    assert main(["view", "w.prototxt", "--targets=none", "--weights=w.caffemodel"]) == 0
    data = data_of(Path("w.html"))
    assert data["weights"]["file"] == "w.caffemodel"
    return data["weights"]["blobs"]


def test_histograms() -> None:
    text = inputs(data=(1, 3, 8, 8)) + conv("c", "data", 2, 3) + dense("ip", "c", 4)
    values = np.zeros((2, 3, 3, 3), np.float32)
    values[0, 0, 0, 0], values[1, 0, 0, 0], values[1, 0, 0, 1] = 1.0, -1.0, np.nan
    _, blobs, dense_blobs = weights(text, {"c": [values, np.array([5.0, 5.0])]})
    first, bias = blobs
    assert first["shape"] == [2, 3, 3, 3] and first["odd"] == 1 and first["zeros"] == 51
    assert (first["min"], first["max"]) == (-1.0, 1.0)
    assert len(first["bins"]) == 64 and sum(first["bins"]) == 53
    assert first["bins"][0] == first["bins"][-1] == 1
    assert bias["bins"] == [2] and "filters" not in bias
    assert len(dense_blobs) == 2 and "filters" not in dense_blobs[0]


def test_filters_are_pixels_in_red_green_blue() -> None:
    text = inputs(data=(1, 3, 8, 8)) + conv("c", "data", 2, 3) + conv("d", "c", 2, 3)
    values = np.zeros((2, 3, 3, 3), np.float32)
    values[0, 0] = 1.0  # blue
    values[1, 2, 0, 1] = 2.0  # red, at one place
    found = weights(text, {"c": [values]})
    filters = found[1][0]["filters"]
    assert (filters["count"], filters["height"], filters["channels"]) == (2, 3, 3)
    pixels = np.frombuffer(base64.b64decode(filters["pixels"]), np.uint8).reshape(2, 3, 3, 3)
    assert (pixels[0] == [0, 0, 255]).all()
    assert pixels[1, 0, 1].tolist() == [255, 0, 0] and pixels[1].sum() == 255
    assert "filters" not in found[2][0], "d is no first layer"


def test_a_layer_that_the_file_lacks() -> None:
    text = inputs(data=(1, 3, 8, 8)) + conv("c", "data", 2, 3)
    weights(text, {})
    Path("more.prototxt").write_text(text + conv("d", "c", 2, 3))
    words = ["view", "more.prototxt", "--targets=none", "--weights=w.caffemodel"]
    assert main(words) == 0
    blobs = data_of(Path("more.html"))["weights"]["blobs"]
    assert blobs[2][0] == {"shape": [2, 2, 3, 3], "missing": True}
    Path("other.prototxt").write_text(inputs(data=(1, 3, 8, 8)) + conv("other", "data", 2, 3))
    assert main(["view", "other.prototxt", "--targets=none", "--weights=w.caffemodel"]) == 0
    assert data_of(Path("other.html"))["weights"]["left"] == ["c"]


def test_long_texts_are_cut_and_stored_once() -> None:
    texts = PageTexts(longest=100, most=150)
    first = texts.add("line\n" * 100)
    assert texts.add("line\n" * 100) == first
    small = texts.add("a")
    over = texts.add("b" * 60)
    found = json.loads(zlib.decompress(base64.b64decode(texts.packed())))
    assert found[first].endswith("characters left out)\n") and found[small] == "a"
    assert "too large" in found[over]


def test_json_in_html() -> None:
    hostile = {"</script><!--&\u2028": ["<script>", "\udcff"]}
    text = json_for_html(hostile)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == hostile


def test_a_large_net_makes_no_large_page() -> None:
    """Weights are told, not held: 60 million of them in a page of a megabyte."""
    text = inputs(data=(1, 4096)) + dense("a", "data", 4096) + dense("b", "a", 4096)
    weights(text, {})
    assert Path("w.caffemodel").stat().st_size > 100e6 > 100 * Path("w.html").stat().st_size


def test_a_training_net_shows_backward() -> None:
    Path("lenet.prototxt").write_text(lenet(2))
    assert main(["view", "lenet.prototxt", "--phase=TRAIN", "--targets=cpu"]) == 0
    data = data_of(Path("lenet.html"))
    (compiler,) = data["compilers"]
    assert "with backward" in compiler["stages"]
    names = [layer["name"] for layer in data["layers"]]
    kernels = compiler["kernels"][names.index("conv1")]
    assert {kernel["backward"] for kernel in kernels} == {False, True}


def graph_of(*labels: str) -> Graph:
    """A graph of groups with these labels."""
    return Graph("g", (), tuple(Node(Fused(each, "map", Graph("b")), (), ()) for each in labels))


def test_stages_are_those_of_the_run_that_was_chosen() -> None:
    """With a budget, and in training, passes run several times."""
    stages = PassStages()
    first, other = graph_of("a", "b"), graph_of("a", "c")
    for end in (first, other):
        stages("begin", end)
        stages("end", end)
    assert [graph for _, graph in stages.made(first)] == [first, first]
    assert [graph for _, graph in stages.made(graph_of("x"))] == [other, other]
    assert PassStages().made(first) == []
