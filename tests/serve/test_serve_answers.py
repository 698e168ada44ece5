"""What the server answers is what ``roastery run`` says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roastery.cli.main import main
from tests.support.roast_servers import assert_same_lines


def run_lines(capsys: pytest.CaptureFixture[str], *files: str) -> list[str]:
    capsys.readouterr()
    assert main(["run", "net.roast", *files, "--device=cpu", "--ext=png"]) == 0
    return capsys.readouterr().out.splitlines()


def lines(prediction: dict[str, Any]) -> list[str]:
    found = prediction["prob"]["classes"]
    return [f"  {thing['score']:.4f}  {thing['label']}" for thing in found]


def test_a_picture_as_the_body(
    client: Any, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path("0.png").read_bytes()
    expected = run_lines(capsys, "0.png")[1:]
    for kind in ("image/png", "application/octet-stream"):
        answer = client.post("/predict", content=data, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text
        (prediction,) = answer.json()["predictions"]
        assert_same_lines(lines(prediction), expected)
    answer = client.post("/predict?top=2", content=data).json()
    assert_same_lines(lines(answer["predictions"][0]), expected[:2])


def test_pictures_of_a_form(
    client: Any, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{number}.png" for number in range(3)]
    files = [("images", (name, Path(name).read_bytes(), "image/png")) for name in names]
    answer = client.post("/predict", files=files)
    assert answer.status_code == 200, answer.text
    said = [line for each in answer.json()["predictions"] for line in [each["file"], *lines(each)]]
    assert_same_lines(said, run_lines(capsys, *names))


def test_arrays_in_all_forms(client: Any, in_folder: Path) -> None:
    array = np.random.default_rng(1).uniform(0, 1, (2, 3, 6, 8)).astype(np.float32)
    np.save("x.npy", array)
    assert main(["run", "net.roast", "--input=x.npy", "--output=y.npz", "--device=cpu"]) == 0
    expected = np.load("y.npz")["prob"]
    stream = io.BytesIO()
    np.save(stream, array)
    sent: list[dict[str, Any]] = [
        {"json": {"inputs": {"data": array.tolist()}}},
        {"json": {"data": array.tolist()}},
        {"json": array.tolist()},
        {"content": stream.getvalue()},
        {"content": Path("x.npy").read_bytes(), "headers": {"Content-Type": "application/x-npy"}},
        {"files": {"data": ("x.npy", stream.getvalue())}},
    ]
    for each in sent:
        answer = client.post("/predict", **each)
        assert answer.status_code == 200, answer.text
        found = np.array(answer.json()["outputs"]["prob"], np.float32)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    accept = {"Accept": "application/x-npy"}
    answer = client.post("/predict", content=stream.getvalue(), headers=accept)
    np.testing.assert_allclose(np.load(io.BytesIO(answer.content)), expected, rtol=1e-5)
    accept = {"Accept": "application/x-npz"}
    answer = client.post("/predict?output=prob", content=stream.getvalue(), headers=accept)
    with np.load(io.BytesIO(answer.content)) as arrays:
        np.testing.assert_allclose(arrays["prob"], expected, rtol=1e-5)


def test_info_tells_what_there_is(client: Any) -> None:
    info = client.get("/info").json()
    assert info["name"] == "Pictures"
    assert info["inputs"]["data"]["shape"] == [None, 3, 6, 8]
    assert info["labels"] == ["zero", "one of them", "class 2", "three"]
    assert info["pictures"] == "yes"
    assert info["batches"] == {"how": "any number of rows", "sizes": [1, 2, 3, 4], "most": 4}
    assert {"roastery", "python", "numpy"} <= info["versions"].keys()
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_metrics_are_prometheus(client: Any) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    client.post("/predict", content=b"no picture")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    kinds = {"roast_requests": "counter", "roast_errors": "counter", "roast_queue_depth": "gauge",
             "roast_request_seconds": "histogram", "roast_batch_rows": "histogram"}  # fmt: skip
    assert {name: families[name].type for name in kinds} == kinds
    found = {(s.name, *s.labels.values()): s.value for f in families.values() for s in f.samples}
    assert found["roast_requests_total", "422"] >= 1
    assert found["roast_errors_total", "picture"] >= 1
    assert found["roast_queue_depth",] == 0
