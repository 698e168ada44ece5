"""Every batch that SSD's branch of Caffe read from its databases of pictures with boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recorded_cases import DATA, case_names, writable_copy

from frontends.prototxt import parse_file
from roastery import caffe
from roastery.probing.data_config import source_config
from runtime.data.config import SourceConfig
from runtime.data.opening import open_source

EXPECTED = np.load(DATA / "annotated" / "expected.npz")
INEXACT = ("warp", "fit", "jpg", "sampler", "smaller")
"""Resized or JPEG: other versions of OpenCV than the recorded 4.6 differ by a few grey levels."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return writable_copy("annotated", tmp_path_factory.mktemp("recorded") / "annotated")


def read_case(name: str) -> SourceConfig:
    net = parse_file(DATA / "annotated" / "cases" / f"{name}.prototxt", "NetParameter")
    return source_config(net.layer[0])


@pytest.mark.parametrize("name", case_names("annotated"))
def test_batches_are_ssds(name: str, copy: Path) -> None:
    config = read_case(name)
    forwards = {int(key.split(".")[1]) for key in EXPECTED.files if key.split(".")[0] == name}
    assert forwards == set(range(len(forwards))) and forwards
    inexact = any(word in name for word in INEXACT) and not name.startswith("raw")
    scale = config.transform.scale if config.transform else 1.0
    source = open_source(config, "TEST", 1, copy)
    try:
        for forward in range(len(forwards)):
            shapes = source.shapes()
            batch = source.next()
            for top, shape, got in zip(config.tops, shapes, batch.arrays, strict=True):
                wanted = EXPECTED[f"{name}.{forward}.{top}"].astype(np.float32)
                assert got.dtype == np.float32 and got.shape == wanted.shape == shape
                if top == "label":
                    np.testing.assert_allclose(got, wanted, atol=1e-5)
                elif inexact:
                    assert np.abs(got - wanted).mean() <= 1.5 * scale
                    assert np.abs(got - wanted).max() <= 40 * scale
                else:
                    np.testing.assert_array_equal(got, wanted)
    finally:
        source.close()


def test_a_net_follows_the_number_of_boxes(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    case = (DATA / "annotated" / "cases" / "raw_batch1.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(
        case + 'layer { name: "p" type: "Power" bottom: "label" top: "p" power_param { scale: 2 } }'
    )
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    seen = set()
    for forward in range(6):
        net.forward()
        wanted = EXPECTED[f"raw_batch1.{forward}.label"].astype(np.float32)
        seen.add(wanted.shape)
        np.testing.assert_allclose(net.blobs["p"].data, 2 * wanted, atol=1e-5)
    assert len(seen) > 1
