"""Damaged pictures: the code by which programs read them, built with sanitizers, says what is wrong
or reads what it can, and never does anything else."""

from __future__ import annotations

import random
import struct
import subprocess
import zlib
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from compiler.c.export import templates
from compiler.c.export.pictures import DECODER, CPictures, decoder, pictures_source
from tests.support import c_kernels
from tests.support.native_programs import write_pictures

pytestmark = c_kernels.needs_compiler

SANITIZED = "-O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"

KINDS = (".png", ".jpg", ".bmp", ".ppm", ".gif")

READER = r"""
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "pictures.h"
/* Reads each picture; a line for each, with the sum of what becomes of it. */
int main(int count, char **words) {
    static float input[3 * 24 * 20];
    for (int i = 1; i < count; ++i) {
        picture shown;
        char problem[200];
        if (picture_read(&shown, words[i], problem, sizeof problem)) {
            if (shown.pixels) return 3;
            printf("%s: %s\n", words[i], problem);
            continue;
        }
        if (picture_fill(input, &shown, &pictures_become)) return 4;
        double sum = 0;
        for (size_t j = 0; j < sizeof input / sizeof *input; ++j) sum += (double)input[j];
        picture_free(&shown);
        if (!isfinite(sum)) return 5;
        printf("%s: ok\n", words[i]);
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With ``./reader``, and whole pictures."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("pictures.c", "pictures.h"):
        data = resources.files(templates).joinpath(name).read_bytes()
        (folder / name).write_bytes(data)
    rules = CPictures(0, (3, 20, 16), (24, 20), (2, 1, 0), 255.0, (1.0, 2.0, 3.0), None, 0.5, ())
    (folder / "rules.c").write_text(pictures_source(rules, "a test"))
    (folder / DECODER).write_bytes(decoder())
    (folder / "reader.c").write_text(READER)
    command = ["gcc", "-std=c11", *SANITIZED.split(), "-o", "reader"]
    done = subprocess.run(
        [*command, "reader.c", "rules.c", "pictures.c", "-lm"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    write_pictures(folder)
    return folder


def told(folder: Path, names: list[str]) -> dict[str, str]:
    """What the reader says of each, in time and without a word of the sanitizers."""
    done = subprocess.run(
        ["./reader", *names], cwd=folder, capture_output=True, text=True, timeout=600
    )
    last = done.stdout.splitlines()[-1:]
    assert (done.returncode, done.stderr) == (0, ""), f"after {last}:\n{done.stderr[:3000]}"
    found = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(found) == names
    return found


def mutated(data: bytes, rng: random.Random) -> bytes:
    """With bytes changed, taken out or put in, cut, or with a part twice."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed) if rng.random() < 0.5 else min(64, len(changed)))
        kind = rng.randrange(6)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            changed[at : at + 4] = struct.pack(">I", rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)))
        elif kind == 3 and len(changed) > 20:
            del changed[at : at + rng.randrange(1, 9)]
        elif kind == 4:
            changed[at:at] = changed[at : at + rng.randrange(1, 40)]
        elif len(changed) > 20:
            del changed[rng.randrange(10, len(changed)) :]
    return bytes(changed)


def repaired(data: bytes) -> bytes:
    """A PNG file whose checksums fit what is in it, as far as it has chunks."""
    made, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        made += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(made)


def hunt(folder: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    wholes = sorted(p for p in folder.iterdir() if p.suffix in KINDS)
    names = []
    for number in range(count):
        whole = wholes[number % len(wholes)]
        data = mutated(whole.read_bytes(), rng)
        if whole.suffix == ".png" and number % 3 == 0:
            data = repaired(data)
        names.append(f"{number}_{whole.name}x")
        (folder / names[-1]).write_bytes(data)
    found = told(folder, names)
    read = sum(said == "ok" for said in found.values())
    assert count * 0.05 < read < count * 0.95
    for name in names:
        (folder / name).unlink()


def test_whole_pictures(folder: Path) -> None:
    names = sorted(p.name for p in folder.iterdir() if p.suffix in KINDS)
    assert set(told(folder, names).values()) == {"ok"}


def test_damaged_pictures(folder: Path) -> None:
    hunt(folder, 600, 0)


@pytest.mark.exhaustive
def test_many_damaged_pictures(folder: Path) -> None:
    for seed in range(1, 11):
        hunt(folder, 3000, seed)


def png(width: int, height: int, rows: bytes, depth: int = 8, kind: int = 2) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bombs(folder: Path) -> None:
    """Small files that say they are large, or become it."""
    whole = (folder / "progressive.jpg").read_bytes()
    at = whole.index(b"\xff\xc2") + 5
    large = whole[:at] + struct.pack(">HH", 12000, 12000) + whole[at + 4 :]
    gif = (folder / "color.gif").read_bytes()
    scan = whole[whole.index(b"\xff\xda") : -2]
    files = {
        "empty.png": (b"", "is empty"),
        "claims.png": (png(60000, 60000, b""), "says that it is 60000 x 60000 pixels; the limit"),
        "wide.png": (png(1 << 30, 1, b""), "says that it is 1073741824 x 1 pixels; the"),
        "blank.png": (png(14000, 14000, b""), "is damaged: so few bytes hold no such picture"),
        "missing.png": (png(900, 900, zlib.compress(b"")), "is damaged: it cannot be decoded"),
        "bomb.png": (png(9, 9, zlib.compress(bytes(1 << 25), 9)), ""),
        "large.jpg": (large + bytes(5000), ""),
        "scans.jpg": (large[:-2] + scan * 60, "it is in too many parts"),
        "claims.gif": (gif[:6] + b"\xff\xff" * 2 + gif[10:], "says that it is 65535 x 65535"),
        "blank.gif": (gif[:6] + b"\xb0\x36" * 2 + gif[10:800], "so few bytes hold no such"),
        "cut.gif": (gif[:900], ""),
        "ppm.ppm": (b"P6\n70000 9\n255\n", "is damaged: it cannot be decoded (too large)"),
    }  # fmt: skip
    for name, (data, _) in files.items():
        (folder / f"{name}x").write_bytes(data)
    found = told(folder, [f"{name}x" for name in files])
    for name, (_, message) in files.items():
        assert message in found[f"{name}x"], (name, found[f"{name}x"])


def test_a_picture_that_is_cut_off_is_none(folder: Path) -> None:
    """The decoder fills up what is missing of a JPEG; OpenCV refuses it, and so does a program."""
    names = []
    for whole in sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png")):
        data = whole.read_bytes()
        for end in {*range(20, len(data), len(data) // 25), len(data) - 2, len(data) - 1}:
            names.append(f"{end}_{whole.name}x")
            (folder / names[-1]).write_bytes(data[:end])
        (folder / f"more_{whole.name}x").write_bytes(data + b"\xff\xd8 and more")
        assert told(folder, [f"more_{whole.name}x"]) == {f"more_{whole.name}x": "ok"}
    found = told(folder, names)
    read = [n for n, said in found.items() if said == "ok" and not n.endswith(".pngx")]
    assert names and not read
    for name in names:
        data = np.frombuffer((folder / name).read_bytes(), np.uint8)
        assert name.endswith(".pngx") or cv2.imdecode(data, cv2.IMREAD_UNCHANGED) is None, name


def test_it_reads_what_opencv_reads(folder: Path) -> None:
    """So that the pictures above are pictures."""
    for path in folder.iterdir():
        if path.suffix in KINDS:
            assert isinstance(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.ndarray)
