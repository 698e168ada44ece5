"""SSD's random steps: boxes stay on their objects, and every step does what it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from boxed_records import boxes, opened, white_box

from ir.errors import RoasteryError
from runtime.data.annotated_datum import AnnotatedDatum
from runtime.data.augment.distort import distort_colours
from runtime.data.augment.expand import drawn_canvas, on_canvas
from runtime.data.augment.noise import add_noise
from runtime.data.augment.resize import resize_picture
from runtime.data.augment.settings import (
    DistortConfig,
    EmitConfig,
    ExpandConfig,
    NoiseConfig,
    ResizeConfig,
    SaltPepperConfig,
)
from runtime.data.boxes.boxes import overlaps
from runtime.data.boxes.sampling import (
    BatchSamplerConfig,
    ConstraintConfig,
    SamplerConfig,
    drawn_windows,
    sampled_window,
    satisfies,
)
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.draws import Draws
from runtime.data.image_codec import ImageError, encode_image
from runtime.data.opening import open_source
from runtime.data.sources.data import DataConfig
from runtime.data.sources.image_data import ImageDataConfig

RANDOM = np.random.default_rng(5)
PICTURE = cv2.GaussianBlur(RANDOM.integers(0, 256, (24, 30, 3), np.uint8), (5, 5), 2)
DRAWS = Draws(3)


SAMPLER = BatchSamplerConfig(
    sampler=SamplerConfig(min_scale=0.4, max_scale=1, min_aspect_ratio=0.5, max_aspect_ratio=2),
    sample_constraint=ConstraintConfig(min_object_coverage=0.5),
    max_sample=1,
)


@pytest.mark.parametrize("mode", ["WARP", "FIT_LARGE_SIZE_AND_PAD"])
@pytest.mark.parametrize("encoded", [False, True])
def test_boxes_stay_on_their_objects(mode: Any, encoded: bool, tmp_path: Path) -> None:
    """Expanded, sampled, resized, cropped, mirrored: the label is where the white pixels are."""
    transform = TransformConfig(
        mirror=True,
        crop_size=100,
        resize_param=ResizeConfig(
            height=120, width=116, resize_mode=mode, interp_mode=("NEAREST",)
        ),
        expand_param=ExpandConfig(prob=0.5, max_expand_ratio=2),
    )
    record = white_box(270, 330, (90, 60, 213, 192), encoded)
    source = opened(tmp_path, [record], transform, batch_sampler=(SAMPLER,))
    found = 0
    for _ in range(40):
        data, label = source.next().arrays
        assert data.shape == (1, 3, 100, 100) and label.shape[2] == 1
        rows, columns = np.nonzero(data[0].min(axis=0) > 128)
        if label[0, 0, 0, 0] < 0:
            assert len(rows) < 200  # at most an edge of it is there
            continue
        found += 1
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(label[0, 0, 0, 3:7] * 100, seen, atol=3)
    source.close()
    assert found > 20


@pytest.mark.parametrize("prefetch", [1, 3])
def test_shapes_are_told_before(prefetch: int, tmp_path: Path) -> None:
    records = [white_box(40, 50, (5 * i, 4, 5 * i + 9, 20), i % 2 == 0) for i in range(5)]
    source = opened(
        tmp_path,
        records,
        TransformConfig(resize_param=ResizeConfig(height=20, width=20), mirror=True),
        batch_size=3,
        batch_sampler=(BatchSamplerConfig(sampler=SamplerConfig(min_scale=0.2), max_trials=3),),
    )
    seen = set()
    for _ in range(20):
        shapes = [source.shapes() for _ in range(2)]
        arrays = source.next().arrays
        assert shapes[0] == shapes[1] == [array.shape for array in arrays]
        seen.add(arrays[1].shape)
    source.close()
    assert len(seen) > 1


def test_emitted_boxes(tmp_path: Path) -> None:
    """A third of the box is in the crop, and not its centre."""
    record = white_box(60, 60, (0, 20, 30, 40), False)
    for constraint, count in (
        (None, 1),
        (EmitConfig(emit_type="CENTER"), 0),
        (EmitConfig(emit_type="MIN_OVERLAP", emit_overlap=0.3), 1),
        (EmitConfig(emit_type="MIN_OVERLAP", emit_overlap=0.4), 0),
    ):
        (tmp_path / str(constraint)).mkdir()
        transform = TransformConfig(crop_size=20, emit_constraint=constraint)
        source = opened(tmp_path / str(constraint), [record], transform, phase="TEST")
        label = source.next().arrays[1]
        assert (label[0, 0, 0, 0] >= 0) == bool(count)
        source.close()


def test_records_without_boxes_have_labels(tmp_path: Path) -> None:
    plain = [
        AnnotatedDatum(Datum(1, 2, 2, bytes(4), i, encoded=False), None, boxes()) for i in range(3)
    ]
    source = opened(tmp_path, plain, batch_size=3)
    assert source.shapes() == [(3, 1, 2, 2), (3, 1, 1, 1)]
    assert source.next().arrays[1].ravel().tolist() == [0, 1, 2]
    source.close()


@pytest.mark.parametrize(
    ("transform", "settings", "message"),
    [
        ({"resize_param": ResizeConfig(height=3)}, {}, "height is 3 and width is 0"),
        ({"expand_param": ExpandConfig()}, {}, "max_expand_ratio is 1"),
        ({"distort_param": DistortConfig(hue_prob=0.5, hue_delta=-1)}, {}, "hue_delta is -1"),
        (
            {"distort_param": DistortConfig(contrast_prob=1, contrast_lower=2, contrast_upper=1)},
            {},
            "contrast_lower is 2 and contrast_upper 1",
        ),
        ({"noise_param": NoiseConfig(saltpepper=True)}, {}, "saltpepper_param has no value"),
        ({"noise_param": NoiseConfig(jpeg=101)}, {}, "jpeg is 101"),
        ({"crop_h": 61}, {}, "crop_h is 61, but record '00000000' is 60 high and 60 wide"),
        ({}, {"batch_sampler": (BatchSamplerConfig(sampler=SamplerConfig(min_scale=0)),)},
         "min_scale is 0 and max_scale 1"),
        ({}, {"batch_sampler": (BatchSamplerConfig(sampler=SamplerConfig(max_scale=2)),)},
         "min_scale is 1 and max_scale 2"),
        ({}, {"batch_sampler": (SAMPLER, BatchSamplerConfig(
            sampler=SamplerConfig(min_aspect_ratio=2)))},
         r"min_aspect_ratio is 2 and max_aspect_ratio 1 \(batch_sampler 2 of 2\)"),
        ({}, {"batch_sampler": (BatchSamplerConfig(max_trials=1 << 30),)}, "max_trials is"),
    ],
)  # fmt: skip
def test_refused_at_once(
    transform: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    record = white_box(60, 60, (0, 20, 30, 40), True)
    with pytest.raises(RoasteryError, match=message):
        opened(tmp_path, [record], TransformConfig(**transform), **settings)


def test_kinds_of_records_are_not_mixed_up(tmp_path: Path) -> None:
    opened(tmp_path, [white_box(6, 6, (1, 1, 3, 3), False)]).close()
    with pytest.raises(RoasteryError, match=r"is an AnnotatedDatum: it has boxes") as error:
        open_source(DataConfig(source="db", batch_size=1, backend="LMDB"), "TEST", 1, tmp_path)
    assert "AnnotatedData" in (error.value.hint or "")


def test_uneven_records_of_a_batch(tmp_path: Path) -> None:
    records = [white_box(6, side, (1, 1, 3, 3), False) for side in (6, 7)]
    source = opened(tmp_path, records, batch_size=2)
    with pytest.raises(RoasteryError, match=r"record '00000001' is 3 x 6 x 7"):
        source.next()
    source.close()


# --- single steps -----------------------------------------------------------------------------


def test_windows_are_drawn_between_the_bounds() -> None:
    sampler = SamplerConfig(min_scale=0.3, max_scale=0.9, min_aspect_ratio=0.5, max_aspect_ratio=2)
    windows = drawn_windows(sampler, RANDOM.random((2000, 4), np.float32))
    x1, y1, x2, y2 = windows.T
    assert windows.min() >= 0 and windows.max() <= 1 + 1e-6
    scale = np.sqrt((x2 - x1) * (y2 - y1))
    aspect = (x2 - x1) / (y2 - y1)
    assert scale.min() >= 0.299 and scale.max() <= 0.901 and np.ptp(scale) > 0.5
    assert aspect.min() >= 0.499 and aspect.max() <= 2.001 and np.ptp(aspect) > 1


def test_sampled_windows_meet_their_constraint() -> None:
    things = boxes((0.1, 0.2, 0.4, 0.5), (0.6, 0.6, 0.9, 0.8))
    config = BatchSamplerConfig(
        sampler=SamplerConfig(min_scale=0.1),
        sample_constraint=ConstraintConfig(min_jaccard_overlap=0.3, max_jaccard_overlap=0.6),
        max_sample=1,
    )
    found = [sampled_window(things, [config], DRAWS, number) for number in range(30)]
    kept = [window for window in found if window is not None]
    assert len({window.tobytes() for window in kept}) > 10
    for window in kept:
        best = overlaps(window[np.newaxis], things)[0]
        assert ((best >= 0.3) & (best <= 0.6)).any()
    assert sampled_window(boxes(), [config], DRAWS, 0) is None
    unused = BatchSamplerConfig(use_original_image=False)
    assert sampled_window(things, [unused], DRAWS, 0) is None


@pytest.mark.parametrize(
    ("constraint", "wanted"),
    [
        ({}, [True, True, True]),
        ({"min_jaccard_overlap": 0.5}, [False, True, False]),
        ({"max_jaccard_overlap": 0.5}, [True, False, True]),
        ({"min_sample_coverage": 0.9}, [False, True, True]),
        ({"min_object_coverage": 0.9}, [True, True, False]),
        # Of two kinds the first decides, in the order of weiliu89/caffe.
        ({"min_object_coverage": 0.9, "min_sample_coverage": 0.9}, [False, True, True]),
    ],
)
def test_constraints(constraint: dict[str, float], wanted: list[bool]) -> None:
    windows = np.array([[0, 0, 1, 1], [0.2, 0.2, 0.6, 0.6], [0.3, 0.3, 0.4, 0.4]], np.float32)
    things = boxes((0.2, 0.2, 0.6, 0.6))
    assert satisfies(windows, things, ConstraintConfig(**constraint)).tolist() == wanted


def test_no_noise_is_no_change() -> None:
    np.testing.assert_array_equal(add_noise(PICTURE, NoiseConfig(), DRAWS, 0), PICTURE)


def test_noise() -> None:
    def noisy(pixels: np.ndarray = PICTURE, **settings: Any) -> np.ndarray:
        kept = pixels.copy()
        out = add_noise(pixels, NoiseConfig(**settings), DRAWS, 0)
        np.testing.assert_array_equal(pixels, kept)
        return out

    gray = PICTURE[..., 0]
    np.testing.assert_array_equal(noisy(inverse=True), 255 - PICTURE)
    np.testing.assert_array_equal(noisy(posterize=True), PICTURE // 64 * 64 + 32)
    plain = noisy(decolorize=True)
    np.testing.assert_array_equal(plain[..., 0], cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY))
    assert (plain == plain[..., :1]).all()
    assert noisy(gauss_blur=True).astype(int).std() < PICTURE.astype(int).std()
    assert noisy(gray, hist_eq=True).min() == 0 and noisy(gray, hist_eq=True).max() == 255
    for name in ("hist_eq", "clahe"):
        spread = noisy(**{name: True}).astype(int).std()
        assert spread > PICTURE.astype(int).std()
        assert noisy(gray, **{name: True}).shape == gray.shape
    eroded = noisy(erode=True)
    padded = np.pad(PICTURE, ((1, 1), (1, 1), (0, 0)), constant_values=255)
    cross = [padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1]]
    cross += [padded[1:-1, :-2], padded[1:-1, 2:]]
    np.testing.assert_array_equal(eroded, np.min(cross, axis=0))
    coarse = np.abs(noisy(jpeg=5).astype(int) - PICTURE).mean()
    assert 0 < np.abs(noisy(jpeg=99).astype(int) - PICTURE).mean() < coarse
    assert noisy(gray, jpeg=50).shape == gray.shape
    hsv = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2HSV)
    np.testing.assert_array_equal(noisy(convert_to_hsv=True), hsv)
    lab = noisy(convert_to_lab=True)
    assert lab.dtype == np.float32 and lab[..., 0].min() >= 0 and 1 < lab[..., 0].max() <= 100


def test_salt_and_pepper() -> None:
    picture = np.full((50, 40, 3), 100, np.uint8)
    salt = SaltPepperConfig(fraction=0.05, value=(255.0, 0.0, 7.9))
    config = NoiseConfig(saltpepper=True, saltpepper_param=salt)
    salted = add_noise(picture, config, DRAWS, 0)
    changed = (salted != 100).any(axis=2)
    assert 80 <= changed.sum() <= 100  # 100 draws, some of which meet
    assert (salted[changed] == [255, 0, 7]).all()
    assert (add_noise(picture, config, DRAWS, 1) != salted).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decolorize": True}, "it has 1 channels, and decolorize needs 3"),
        ({"convert_to_lab": True}, "convert_to_lab needs 3"),
        (
            {"saltpepper_param": SaltPepperConfig(value=(1.0, 2.0, 3.0))},
            "saltpepper_param has 3 values",
        ),
    ],
)
def test_noise_of_other_channels(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        add_noise(PICTURE[..., 0], NoiseConfig(**settings), DRAWS, 0)


def test_distorted_colours() -> None:
    def distorted(number: int = 0, **settings: Any) -> np.ndarray:
        return distort_colours(PICTURE, DistortConfig(**settings), DRAWS, number)

    np.testing.assert_array_equal(distorted(), PICTURE)
    brighter = [
        distorted(i, brightness_prob=1, brightness_delta=32).astype(int) - PICTURE
        for i in range(20)
    ]
    assert all(np.abs(change).max() <= 32 for change in brighter)
    assert min(c.mean() for c in brighter) < -10 and max(c.mean() for c in brighter) > 10
    half = distorted(contrast_prob=1, contrast_lower=0.5, contrast_upper=0.5)
    np.testing.assert_array_equal(half, np.rint(PICTURE * np.float32(0.5)))
    gray = distorted(saturation_prob=1, saturation_lower=0, saturation_upper=0)
    assert np.ptp(gray, axis=2).max() <= 1
    turned = distorted(hue_prob=1, hue_delta=18)
    before, after = (cv2.cvtColor(p, cv2.COLOR_BGR2HSV).astype(int) for p in (PICTURE, turned))
    assert np.abs(after[..., 2] - before[..., 2]).max() <= 2 and (turned != PICTURE).any()
    orders = {
        tuple(
            int(np.flatnonzero([(ordered[..., i] == PICTURE[..., j]).all() for j in range(3)])[0])
            for i in range(3)
        )
        for ordered in (distorted(n, random_order_prob=1) for n in range(60))
    }
    assert len(orders) == 6
    some = [(distorted(n, brightness_prob=0.5, brightness_delta=32) != PICTURE).any()
            for n in range(100)]  # fmt: skip
    assert 25 < sum(some) < 75


def test_expanded_pictures() -> None:
    config = ExpandConfig(prob=0.5, max_expand_ratio=4)
    canvases = [drawn_canvas(config, 24, 30, DRAWS, number) for number in range(100)]
    drawn = [canvas for canvas in canvases if canvas is not None]
    assert 25 < len(drawn) < 75 and max(canvas.height for canvas in drawn) > 72
    for canvas in drawn:
        out = on_canvas(PICTURE, canvas, (104.0, 117.5, 123.0))
        assert out.shape[:2] == (canvas.height, canvas.width)
        x1, y1, x2, y2 = canvas.window * [30, 24, 30, 24]
        left, top = round(-x1), round(-y1)
        np.testing.assert_array_equal(out[top : top + 24, left : left + 30], PICTURE)
        assert round(x2 - x1) == canvas.width and round(y2 - y1) == canvas.height
        beside = np.ones(out.shape[:2], bool)
        beside[top : top + 24, left : left + 30] = False
        assert (out[beside] == [104, 118, 123]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pad_value": (1.0, 2.0)}, "it has 3 channels, and 2 pad_value are given"),
        ({"height": 1, "width": 1000}, "cannot be resized to 1 x 0|0 pixels"),
    ],
)
def test_pictures_that_cannot_be_resized(settings: dict[str, Any], message: str) -> None:
    config = ResizeConfig(
        **{"height": 9, "width": 9, "resize_mode": "FIT_LARGE_SIZE_AND_PAD", **settings}
    )
    thin = np.zeros((1000, 3, 3), np.uint8)
    with pytest.raises(ImageError, match=message):
        resize_picture(thin, config, "LINEAR")


@pytest.mark.parametrize("kind", ["encoded", "raw", "listed"])
def test_other_layers_resize_too(kind: str, tmp_path: Path) -> None:
    """resize_param, and noise_param of what is stored as a file, in Data and ImageData."""
    encoded = kind != "raw"
    data = encode_image(PICTURE, "png")
    datum = (
        Datum(data=data, label=3, encoded=True)
        if encoded
        else Datum(3, 24, 30, PICTURE.transpose(2, 0, 1).tobytes(), 3)
    )
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "list.txt").write_text("a.png 3\n")
    with new_database(tmp_path / "db", "lmdb") as writer:
        writer.put(b"a", serialize_datum(datum))
    transform = TransformConfig(
        crop_h=8,
        resize_param=ResizeConfig(height=12, width=15, interp_mode=("AREA",)),
        noise_param=NoiseConfig(inverse=True),
    )
    config = (
        ImageDataConfig(source="list.txt", batch_size=1, transform=transform)
        if kind == "listed"
        else DataConfig(source="db", batch_size=1, backend="LMDB", transform=transform)
    )
    source = open_source(config, "TEST", 1, tmp_path)
    assert source.shapes() == [(1, 3, 8, 15), (1,)]
    wanted = cv2.resize(PICTURE, (15, 12), interpolation=cv2.INTER_AREA)[:8]
    found = source.next().arrays[0][0].transpose(1, 2, 0)
    np.testing.assert_array_equal(found, 255 - wanted if encoded else wanted)
    source.close()


def test_what_has_no_effect_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with new_database(tmp_path / "raw", "lmdb") as writer:
        writer.put(b"a", serialize_datum(Datum(1, 2, 2, bytes(4), 0)))
    transform = TransformConfig(
        noise_param=NoiseConfig(inverse=True), expand_param=ExpandConfig(max_expand_ratio=2)
    )
    config = DataConfig(source="raw", batch_size=1, backend="LMDB", transform=transform)
    open_source(config, "TEST", 1, tmp_path).close()
    assert "noise_param only for encoded datum" in caplog.messages
    assert "expand_param changes nothing in Data layers, only in AnnotatedData" in caplog.messages
    caplog.clear()
    opened(tmp_path, [white_box(6, 6, (1, 1, 3, 3), True)], transform).close()
    assert not [r for r in caplog.records if r.levelname == "WARNING"]
