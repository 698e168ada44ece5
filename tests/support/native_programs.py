"""Programs of nets, built by ``roastery build``, and the pictures they are shown."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from roastery.cli.main import main
from tests.support import sample_nets

CLASSIFIER = 'name: "Small"\n' + "".join(
    [
        sample_nets.inputs(data=(1, 3, 20, 16)),
        sample_nets.conv("conv", "data", 8, 3),
        sample_nets.pool("pool", "conv", "kernel_size: 2 stride: 2"),
        sample_nets.relu("pool"),
        sample_nets.dense("ip", "pool", 7),
        sample_nets.layer("prob", "Softmax", "ip"),
    ]
)

_PRIORS, _CLASSES = 3, 4
DETECTOR = 'name: "Detector"\n' + "".join(
    [
        sample_nets.inputs(data=(1, 3, 32, 40)),
        sample_nets.conv("conv", "data", 8, 3, "stride: 8 pad: 1"),
        sample_nets.relu("conv"),
        *(
            sample_nets.conv(name, "conv", each * _PRIORS, 3, "pad: 1")
            + sample_nets.layer(f"{name}_perm", "Permute", name,
                                "permute_param { order: 0 order: 2 order: 3 order: 1 }")
            + sample_nets.layer(f"{name}_flat", "Flatten", f"{name}_perm")
            for name, each in (("loc", 4), ("conf", _CLASSES))
        ),
        sample_nets.layer("prior", "PriorBox", "conv data",
                          "prior_box_param { min_size: 14 aspect_ratio: 2 flip: true "
                          "variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }"),
        sample_nets.layer("rows", "Reshape", "conf_flat",
                          f"reshape_param {{ shape {{ dim: 0 dim: -1 dim: {_CLASSES} }} }}"),
        sample_nets.layer("soft", "Softmax", "rows", "softmax_param { axis: 2 }"),
        sample_nets.layer("flat", "Flatten", "soft"),
        sample_nets.layer("found", "DetectionOutput", "loc_flat flat prior",
                          f"detection_output_param {{ num_classes: {_CLASSES} "
                          "nms_param { nms_threshold: 0.45 top_k: 40 } keep_top_k: 12 "
                          "code_type: CENTER_SIZE confidence_threshold: 0.1 }"),
    ]
)  # fmt: skip
"""As SSD has it."""


def write_pictures(folder: Path) -> dict[str, list[str]]:
    """Files of all kinds by how exactly two programs read them."""
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    color = cv2.resize(small, (61, 47), interpolation=cv2.INTER_CUBIC)
    gray = np.ascontiguousarray(color[:, :, 1])
    exactly = {
        "color.png": color,
        "gray.png": gray,
        "alpha.png": np.dstack([color, gray]),
        "deep.png": color.astype(np.uint16) * 256 + 7,
        "deep_gray.png": gray.astype(np.uint16) * 256 + 7,
        "tiny.png": color[:1, :1],
        "color.bmp": color,
        "color.ppm": color,
    }
    nearly = {"color.jpg": color, "gray.jpg": gray, "progressive.jpg": color}
    for name, pixels in {**exactly, **nearly}.items():
        flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1] if name == "progressive.jpg" else []
        assert cv2.imwrite(str(folder / name), pixels, flags)
    (folder / "color.gif").write_bytes(gif_bytes(color))
    return {"exactly": [*exactly, "color.gif"], "nearly": list(nearly)}


def gif_bytes(pixels: np.ndarray) -> bytes:
    """A GIF of a picture (height, width, 3) in blue, green, red, in 256 colours."""
    height, width = pixels.shape[:2]
    blue, green, red = (pixels[:, :, c].astype(np.uint8) for c in range(3))
    numbers = (red & 0xE0) | (green >> 5 << 2) | (blue >> 6)
    palette = bytes(part for n in range(256) for part in (n & 0xE0, (n & 0x1C) << 3, (n & 3) << 6))
    size = struct.pack("<HH", width, height)
    codes: list[int] = []
    for at, number in enumerate(numbers.reshape(-1).tolist()):
        codes += [256, number] if at % 200 == 0 else [number]  # begun anew: codes keep 9 bits
    bits = sum(code << 9 * at for at, code in enumerate([*codes, 257]))
    data = bits.to_bytes(9 * (len(codes) + 1) // 8 + 1, "little")
    blocks = (data[i : i + 255] for i in range(0, len(data), 255))
    return (
        b"GIF89a" + size + b"\xf7\0\0" + palette + b"," + bytes(4) + size + b"\0\x08"
        + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0;"
    )  # fmt: skip


def command(*words: str | Path) -> str:
    """What a command of Roastery prints; it must succeed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main([str(word) for word in words]) == 0
    return said.getvalue()


def run_program(
    program: Path, words: Sequence[str], before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """A program, run in its folder. ``before``: what runs it."""
    line = [*before, f"./{program.name}", *words]
    return subprocess.run(line, cwd=program.parent, capture_output=True, text=True)


def answers(text: str) -> dict[str, list[tuple[float, str, list[float]]]]:
    """By picture: score, class, edges of each line."""
    found: dict[str, list[tuple[float, str, list[float]]]] = {}
    picture = ""
    for line in text.splitlines():
        if not line.startswith("  "):
            picture = line
            found[picture] = []
            continue
        score, _, rest = line.strip().partition("  ")
        name, _, edges = rest.partition("  ")
        found[picture].append((float(score), name, [float(edge) for edge in edges.split()]))
    return found
