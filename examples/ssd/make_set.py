"""Draw a detection set: shapes on photographs, in the layout of PASCAL VOC.

    python examples/ssd/make_set.py FOLDER [--images 500] [--held-out 100] [--size 128] [--seed 1]

FOLDER/JPEGImages has the pictures, FOLDER/Annotations an XML file for each with its boxes,
FOLDER/train.txt and FOLDER/test.txt lines of "picture annotation". Backgrounds are pieces of the
two photographs that come with scikit-learn. The same numbers give the same files.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

SHAPES = ("circle", "square", "triangle")

LABEL_MAP = "labelmap.prototxt"
MOST_OVERLAP = 0.2


def main() -> None:
    """Write the set that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=500, help="of which some are held out")
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--size", type=int, default=128, help="of the square pictures, in pixels")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    boxes = write_set(chosen.folder, chosen.images, chosen.held_out, chosen.size, chosen.seed)
    print(f"{chosen.images} pictures with {boxes} boxes in {chosen.folder}")


def write_set(folder: Path, images: int, held_out: int, size: int, seed: int) -> int:
    """Write pictures, annotations and lists; returns how many boxes there are."""
    from sklearn.datasets import load_sample_images

    photographs = [image[..., ::-1] for image in load_sample_images().images]  # OpenCV has BGR
    random = np.random.default_rng(seed)
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    lines, total = [], 0
    for number in range(images):
        picture, objects = draw(photographs, size, random)
        name = f"{number:06d}"
        cv2.imwrite(str(folder / "JPEGImages" / f"{name}.jpg"), picture)
        (folder / "Annotations" / f"{name}.xml").write_text(annotation(name, size, objects))
        lines.append(f"JPEGImages/{name}.jpg Annotations/{name}.xml\n")
        total += len(objects)
    (folder / "test.txt").write_text("".join(lines[:held_out]))
    (folder / "train.txt").write_text("".join(lines[held_out:]))
    (folder / LABEL_MAP).write_text(label_map())
    # What an evaluation of boxes in pixels needs to know of every picture.
    sizes = [f"{number:06d} {size} {size}\n" for number in range(held_out)]
    (folder / "test_name_size.txt").write_text("".join(sizes))
    return total


Object = tuple[str, tuple[int, int, int, int]]
"""A shape's name, and its box: x1, y1, x2, y2, in pixels."""


def draw(
    photographs: list[np.ndarray], size: int, random: np.random.Generator
) -> tuple[np.ndarray, list[Object]]:
    """A picture with one to four shapes that hardly overlap, and what is where."""
    photograph = photographs[random.integers(len(photographs))]
    piece = int(random.integers(size, 3 * size))
    top = int(random.integers(photograph.shape[0] - piece + 1))
    left = int(random.integers(photograph.shape[1] - piece + 1))
    cut = np.ascontiguousarray(photograph[top : top + piece, left : left + piece])
    picture = cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)
    objects: list[Object] = []
    for _ in range(int(random.integers(1, 5))):
        for _ in range(20):  # places are tried until one is free
            extent = int(size * random.uniform(0.16, 0.5))
            x, y = (int(random.integers(2, size - extent - 2)) for _ in range(2))
            box = (x, y, x + extent, y + extent)
            if all(overlap(box, other) <= MOST_OVERLAP for _, other in objects):
                name = SHAPES[random.integers(len(SHAPES))]
                objects.append((name, paint(picture, name, box, random)))
                break
    return picture, objects


def overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """The area that two boxes have in common, as a part of the smaller one's."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / min(areas)


def paint(
    picture: np.ndarray, name: str, box: tuple[int, int, int, int], random: np.random.Generator
) -> tuple[int, int, int, int]:
    """Paint a shape with a border into a box, turned at random; returns the box that it fills."""
    colour = [int(c) for c in random.integers(0, 256, 3)]
    border = [255 - c for c in colour]
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    points = _OUTLINES[name](float(random.uniform(0, 2 * math.pi)))
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (box[2] - box[0]) / max(high - low)
    outline = np.round((points - (low + high) / 2) * scale + centre).astype(np.int32)
    cv2.fillPoly(picture, [outline], colour, lineType=cv2.LINE_AA)
    cv2.polylines(picture, [outline], True, border, 2, lineType=cv2.LINE_AA)
    (x1, y1), (x2, y2) = outline.min(axis=0), outline.max(axis=0)
    return int(x1), int(y1), int(x2), int(y2)


def polygon(corners: int, angle: float) -> np.ndarray:
    """Corners of a regular polygon on the unit circle."""
    steps = angle + np.arange(corners) * (2 * math.pi / corners)
    return np.stack([np.cos(steps), np.sin(steps)], axis=1)


_OUTLINES: dict[str, Callable[[float], np.ndarray]] = {
    "circle": lambda angle: polygon(64, angle),
    "square": lambda angle: polygon(4, angle),
    "triangle": lambda angle: polygon(3, angle),
}


def annotation(name: str, size: int, objects: list[Object]) -> str:
    """The XML file of a picture, as PASCAL VOC has them."""
    boxes = "".join(
        f"  <object>\n    <name>{kind}</name>\n    <difficult>0</difficult>\n    <bndbox>\n"
        f"      <xmin>{x1}</xmin>\n      <ymin>{y1}</ymin>\n"
        f"      <xmax>{x2}</xmax>\n      <ymax>{y2}</ymax>\n    </bndbox>\n  </object>\n"
        for kind, (x1, y1, x2, y2) in objects
    )
    return (
        f"<annotation>\n  <filename>{name}.jpg</filename>\n  <size>\n    <width>{size}</width>\n"
        f"    <height>{size}</height>\n    <depth>3</depth>\n  </size>\n{boxes}</annotation>\n"
    )


def label_map() -> str:
    """Labels of the names, with the background first."""
    names = ["none_of_the_above", *SHAPES]
    shown = ["background", *SHAPES]
    return "".join(
        f'item {{\n  name: "{name}"\n  label: {label}\n  display_name: "{text}"\n}}\n'
        for label, (name, text) in enumerate(zip(names, shown, strict=True))
    )


if __name__ == "__main__":
    main()
