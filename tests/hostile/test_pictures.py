"""Pictures whose headers claim too much are refused before they are decoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.caffe.io import load_image
from runtime.data.datum import Datum, serialize_datum
from runtime.data.image_codec import ImageError, check_size, decode_image, encode_image
from runtime.data.image_header import picture_size
from runtime.data.image_limit import (
    DEFAULT_PIXELS,
    VARIABLE,
    limit_image_pixels,
    max_image_pixels,
)
from tests.support.measured import run_measured

cv2 = pytest.importorskip("cv2")
PIXELS = np.random.default_rng(0).integers(0, 256, (37, 52, 3), np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int = 1, color: int = 0, rows: int = 0) -> bytes:
    """A PNG with a true header and a few empty rows."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + width * depth // 8 + 1)
    data = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def jpeg(width: int, height: int, frame: int = 0xC0, scans: int = 1) -> bytes:
    components = bytes([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0])
    sof = struct.pack(">BHHB", 8, height, width, 3) + components
    scan = bytes([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    return b"\xff\xd8\xff" + bytes([frame]) + struct.pack(">H", len(sof) + 2) + sof + scan * scans


HUGE = 40_000
CLAIMS = {
    "png": png(HUGE, HUGE),
    "jpeg": jpeg(HUGE, HUGE),
    "bmp": b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, HUGE, -HUGE, 1, 24, 0) + bytes(20),
    "gif": b"GIF89a" + struct.pack("<HHBBB", HUGE, HUGE, 0, 0, 0),
    "gif frame": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    + b"\x21\xf9\x04\0\0\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, HUGE, HUGE, 0),
    "tiff": b"II*\0\x08\0\0\0\x02\0"
    + struct.pack("<HHIIHHII", 256, 4, 1, HUGE, 257, 4, 1, HUGE),
    "big tiff": b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 2)
    + struct.pack(">HHQQHHQQ", 256, 16, 1, HUGE, 257, 16, 1, HUGE),
    "webp": b"RIFF" + bytes(4) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4)
    + (HUGE - 1).to_bytes(3, "little") * 2,
    "webp lossless": b"RIFF" + bytes(4) + b"WEBPVP8L" + bytes(4) + b"\x2f" + b"\xff" * 4,
    "jpeg 2000": b"\xff\x4f\xff\x51\0\x29\0\0" + struct.pack(">8IH", HUGE, HUGE, *[0] * 6, 3),
    "avif": b"\0\0\0\x1cftypavif" + bytes(16) + b"ispe\0\0\0\0" + struct.pack(">II", HUGE, HUGE),
    "pbm": b"P4\n# 1 1\n40000 40000\n",
    "pam": b"P7\nWIDTH 40000\nHEIGHT 40000\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n",
    "pfm": b"PF\n40000 40000\n-1\n",
    "radiance": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 40000 +X 40000\n",
    "sun raster": b"\x59\xa6\x6a\x95" + struct.pack(">7I", HUGE, HUGE, 24, 0, 1, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_header_that_claims_too_much(kind: str) -> None:
    with pytest.raises(ImageError, match=r"says that it is \d+ x \d+ pixels.*the limit is"):
        decode_image(CLAIMS[kind], "color")


@pytest.mark.parametrize(
    "ending",
    ["png", "jpg", "bmp", "gif", "tiff", "webp", "jp2", "avif", "ppm", "pam", "pfm", "hdr", "sr"],
)
def test_sizes_of_real_files(ending: str) -> None:
    pixels = PIXELS.astype(np.float32) / 255 if ending in ("pfm", "hdr") else PIXELS
    try:
        data = encode_image(pixels, ending)
    except ImageError:
        pytest.skip(f"this OpenCV writes no .{ending}")
    size = picture_size(data)
    assert size is not None and (size.width, size.height) == (52, 37)
    assert decode_image(data, "color").shape == PIXELS.shape
    for end in range(0, min(len(data), 200), 3):  # cut anywhere: an error, or a size
        try:
            check_size(data[:end])
        except ImageError as error:
            assert str(error)


@pytest.mark.parametrize(
    "data, message",
    [
        (png(8, 8, rows=8)[:-18], r"its chunk IDAT claims \d+ bytes, \d+ are left"),
        (png(8, 8).replace(b"IHDR", b"IHDX"), "no sound IHDR chunk"),
        (jpeg(8, 8)[:8], "its header is cut off"),
        (b"\xff\xd8\xff\xd9", "no sound frame header"),
        (jpeg(9000, 9000, 0xC2, scans=400), "9000 x 9000 pixels in 400 scans"),
        (b"II*\0\xff\xff\0\0", "its directory lies behind its end"),
        (b"P5\nx", "its header names no size"),
    ],
)
def test_headers_that_cannot_be_true(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode_image(data, "color")


def test_coefficients_of_progressive_files_count() -> None:
    """14,000 x 14,000 pixels take 600 MB in rows, and 1.2 GB where all of it is kept."""
    assert check_size(jpeg(14_000, 14_000) + bytes(400_000)) == 14_000**2
    with pytest.raises(ImageError, match="1121 MiB to decode"):
        check_size(jpeg(14_000, 14_000, 0xC2))


@pytest.mark.parametrize(
    "data",
    [
        jpeg(14_000, 14_000),
        jpeg(300, 300),
        jpeg(4000, 4000, 0xC9),
        png(8000, 8000, rows=4),
        b"\0\0\0\x1cftypavif" + bytes(16) + b"ispe\0\0\0\0" + struct.pack(">II", 9000, 9000),
    ],
)
def test_files_too_short_for_their_pixels(data: bytes) -> None:
    """OpenCV makes a picture of what is there and grey, and takes all the memory for it."""
    with pytest.raises(ImageError, match=r"pixels, which no \d+ bytes can hold"):
        decode_image(data, "color")


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_nothing_packs_better_than_an_empty_picture(ending: str) -> None:
    """The emptiest real files have the bytes that their pixels take at least."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1] if ending == "jpg" else [
        cv2.IMWRITE_PNG_COMPRESSION, 9
    ]  # fmt: skip
    for shape in ((3000, 3000), (3000, 3000, 3), (1, 5000), (5000, 1)):
        for progressive in (0, 1) if ending == "jpg" else (0,):
            extra = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive] if ending == "jpg" else []
            _, data = cv2.imencode(f".{ending}", np.zeros(shape, np.uint8), settings + extra)
            assert decode_image(data.tobytes(), "native").shape[:2] == shape[:2]


def test_the_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    small = encode_image(PIXELS, "png")
    assert max_image_pixels() == DEFAULT_PIXELS
    monkeypatch.setenv(VARIABLE, "1000")
    with pytest.raises(ImageError, match="the limit is 1000 pixels"):
        decode_image(small, "color")
    limit_image_pixels(10_000)
    try:
        assert decode_image(small, "color").shape == PIXELS.shape
    finally:
        limit_image_pixels(None)
    for wrong in ("0", "-1", "many", "1e9", "9" * 40):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(RoasteryError, match="a number of pixels was expected"):
            max_image_pixels()


def test_every_command_that_reads_pictures(tmp_path: Path) -> None:
    """A PNG of 2 kB that would take 5 GB, through each command; then one that a flag lets in."""
    import lmdb

    (tmp_path / "bomb.png").write_bytes(png(30_000, 30_000, rows=100))
    (tmp_path / "small.png").write_bytes(encode_image(PIXELS, "png"))
    (tmp_path / "list.txt").write_text("bomb.png 0\n")
    (tmp_path / "small.txt").write_text("small.png 0\n")
    (tmp_path / "windows.csv").write_text("filename,ymin,xmin,ymax,xmax\nbomb.png,0,0,4,4\n")
    windows = "# 0\nbomb.png\n3\n30000\n30000\n2\n1 0.9 2 3 10 12\n0 0.1 0 0 5 6\n"
    (tmp_path / "windows.txt").write_text(windows)
    with lmdb.open(str(tmp_path / "db"), map_size=1 << 20) as database:
        with database.begin(write=True) as records:
            bomb = (tmp_path / "bomb.png").read_bytes()
            records.put(b"0", serialize_datum(Datum(data=bomb, encoded=True)))
    layers = {
        "images": 'type: "ImageData" image_data_param { source: "list.txt" }',
        "small": 'type: "ImageData" image_data_param { source: "small.txt" }',
        "windows": 'type: "WindowData" window_data_param { source: "windows.txt" batch_size: 1 } '
        "transform_param { crop_size: 4 }",
        "records": 'type: "Data" data_param { source: "db" batch_size: 1 backend: LMDB }',
    }
    for name, text in layers.items():
        (tmp_path / f"{name}.prototxt").write_text(
            f'layer {{ name: "d" top: "x" top: "y" {text} }}\n'
        )
    (tmp_path / "deploy.prototxt").write_text(
        'layer { name: "d" type: "Input" top: "x" input_param '
        "{ shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }\n"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
        "inner_product_param { num_output: 1 } }\n"
    )
    (tmp_path / "solver.prototxt").write_text(
        'net: "deploy.prototxt" base_lr: 0 lr_policy: "fixed" max_iter: 0 snapshot_prefix: "s"'
    )
    model = ["--model_def=deploy.prototxt", "--pretrained_model=s_iter_0.caffemodel"]
    refused = [
        *(["time", f"--model={name}.prototxt"] for name in ("images", "windows", "records")),
        ["convert_imageset", "./", "list.txt", "new"],
        ["create_annoset", "./", "list.txt", "new"],
        ["compute_image_mean", "db", "mean.binaryproto"],
        ["resize_and_crop", ".", "out", "--input_file_list=bombs.txt"],
        ["classify", "bomb.png", "out.npy", *model],
        ["segment", *(word.partition("=")[2] for word in model), "bomb.png"],
        ["detect", "windows.csv", "out.csv", "--crop_mode=list", "--context_pad=0", *model],
        ["time", "--model=small.prototxt", "--max_image_pixels=1000"],
    ]
    (tmp_path / "bombs.txt").write_text("bomb.png\n")
    begun, *outcomes, allowed = run_measured(
        [["train", "--solver=solver.prototxt"], *refused, ["time", "--model=small.prototxt"]],
        tmp_path,
    )
    assert begun.code == 0, begun.err
    for words, outcome in zip(refused, outcomes, strict=True):
        assert outcome.code == 1, words
        assert "pixels, which take" in outcome.err, words
        assert outcome.mebibytes < 100, words
    assert allowed.code == 0, allowed.err


def test_a_picture_in_floats_is_right(tmp_path: Path) -> None:
    """load_image makes one float copy; its values are what they always were."""
    deep = (PIXELS.astype(np.uint16) * 257)[:, :, ::-1]
    for pixels, largest in ((PIXELS, 255), (deep, 65535)):
        path = tmp_path / "x.png"
        cv2.imwrite(str(path), pixels)
        expected = pixels[:, :, ::-1].astype(np.float32) / np.float32(largest)
        np.testing.assert_array_equal(load_image(path), expected)
    assert load_image(path, color=False).shape == (37, 52, 1)
