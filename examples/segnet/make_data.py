"""Draw shapes onto parts of photographs: pictures, and the class of every pixel.

    python make_data.py [--train 2000] [--test 100] [--folder FOLDER]

The photographs are scikit-learn's sample images, a temple and a flower. Discs, squares, triangles
and stars are of any size, place, direction and colour; they may touch, and leave the picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

CLASSES = ("background", "disc", "square", "triangle", "star")
SIDE = 64
_CONTRAST = 80
_FINER = 8  # corners lie between pixels


def photographs() -> list[np.ndarray]:
    """(height, width, 3) pictures, blue first."""
    from sklearn.datasets import load_sample_images

    return [image[:, :, ::-1] for image in load_sample_images().images]


def background(photos: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """A part of a photograph, brighter or darker than it was, perhaps mirrored."""
    photo = photos[random.integers(len(photos))]
    side = int(random.integers(SIDE, 4 * SIDE))
    top, left = (int(random.integers(extent - side)) for extent in photo.shape[:2])
    part = cv2.resize(photo[top : top + side, left : left + side], (SIDE, SIDE))
    part = part[:, ::-1] if random.random() < 0.5 else part
    return np.clip(part * random.uniform(0.6, 1.2), 0, 255).astype(np.uint8)


def places(count: int, random: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Centres and radii of shapes that hardly lie over each other, in pixels."""
    found: list[tuple[np.ndarray, float]] = []
    while len(found) < count:
        radius = random.uniform(SIDE * 0.15, SIDE * 0.28)
        center = random.uniform(radius * 0.7, SIDE - radius * 0.7, 2)
        if all(np.hypot(*(center - c)) > 0.9 * (radius + r) for c, r in found):
            found.append((center, radius))
    return found


def outline(
    kind: str, center: np.ndarray, radius: float, random: np.random.Generator
) -> np.ndarray:
    """Corners (N, 2) of a shape that looks anywhere."""
    count = {"disc": 40, "square": 4, "triangle": 3, "star": 10}[kind]
    angles = random.uniform(0, 2 * np.pi) + np.arange(count) * (2 * np.pi / count)
    lengths = np.full(count, radius)
    if kind == "star":
        lengths[1::2] *= 0.45
    return center + lengths[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def unlike(covered: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A colour that can be told from what it covers."""
    while True:
        color = random.uniform(20, 255, 3)
        if np.abs(color - covered).max() > _CONTRAST:
            return color


def draw(photos: list[np.ndarray], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture (SIDE, SIDE, 3), and its labels (SIDE, SIDE): places in CLASSES."""
    picture = background(photos, random)
    labels = np.zeros((SIDE, SIDE), np.uint8)
    for center, radius in places(int(random.integers(1, 4)), random):
        number = int(random.integers(1, len(CLASSES)))
        corners = np.round(outline(CLASSES[number], center, radius, random) * 2**_FINER).astype(
            np.int32
        )
        inside = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(inside, [corners], 255, cv2.LINE_AA, _FINER)
        # One colour, with the light of another part of a photograph on it.
        light = cv2.cvtColor(background(photos, random), cv2.COLOR_BGR2GRAY)[..., np.newaxis]
        filling = unlike(picture[inside > 0].mean(0), random) * (0.75 + light / 512)
        share = inside[..., np.newaxis] / 255
        picture = np.clip(picture * (1 - share) + filling * share, 0, 255).astype(np.uint8)
        labels[inside >= 128] = number
    noise = random.normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), labels


def write_part(folder: Path, name: str, count: int, seed: int) -> np.ndarray:
    """Draw pictures, and the list that DenseImageData reads; the share of each class."""
    photos, random = photographs(), np.random.default_rng(seed)
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_labels").mkdir(exist_ok=True)
    lines, pixels = [], np.zeros(len(CLASSES), np.int64)
    for i in range(count):
        picture, labels = draw(photos, random)
        files = f"{name}/{i:04}.png", f"{name}_labels/{i:04}.png"
        for file, values in zip(files, (picture, labels), strict=True):
            cv2.imwrite(str(folder / file), values)
        lines.append(" ".join(files) + "\n")
        pixels += np.bincount(labels.ravel(), minlength=len(CLASSES))
    (folder / f"{name}.txt").write_text("".join(lines))
    return pixels / pixels.sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--train", type=int, default=2000, help="pictures to train on")
    parser.add_argument("--test", type=int, default=100, help="pictures held out")
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    for seed, (name, count) in enumerate((("train", options.train), ("test", options.test))):
        shares = write_part(options.folder, name, count, seed)
        told = ", ".join(f"{c} {s:.1%}" for c, s in zip(CLASSES, shares, strict=True))
        print(f"{count} pictures in {name}: {told}")


if __name__ == "__main__":
    main()
