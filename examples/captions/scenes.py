"""Pictures of one or two shapes, and what can be said of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

COLORS = {
    "red": (220, 50, 40),
    "green": (50, 170, 70),
    "blue": (50, 80, 220),
    "yellow": (235, 210, 60),
    "purple": (150, 60, 180),
    "white": (240, 240, 240),
}
SHAPES = ("circle", "square", "triangle", "star")
SIDES = {"above": (0, -1), "below": (0, 1), "left of": (-1, 0), "right of": (1, 0)}
"""Which way the first shape lies, seen from the second."""

WORDS = ("", "a", *COLORS, *SHAPES, "above", "below", "left", "right", "of")
"""The net's vocabulary; word 0 begins and ends every caption."""

SIDE = 48
_FINER = 8


@dataclass(frozen=True)
class Scene:
    """Shapes by name ("red circle"), and how the first lies to the second; "" for one alone."""

    things: tuple[str, ...]
    side: str = ""

    def captions(self) -> list[str]:
        """All that is true and complete."""
        if len(self.things) == 1:
            return [f"a {self.things[0]}"]
        first, second = self.things
        x, y = SIDES[self.side]
        (back,) = (name for name, way in SIDES.items() if way == (-x, -y))
        return [f"a {first} {self.side} a {second}", f"a {second} {back} a {first}"]


def draw_scene(random: np.random.Generator) -> tuple[np.ndarray, Scene]:
    """A picture (SIDE, SIDE, 3), blue first, and what is on it."""
    base = random.uniform(40, 130, 3) + random.uniform(-30, 30) * np.linspace(-1, 1, SIDE)[:, None]
    picture = np.clip(np.repeat(base[:, np.newaxis], SIDE, 1), 0, 255)
    things = [
        f"{random.choice(list(COLORS))} {random.choice(SHAPES)}"
        for _ in range(random.integers(1, 3))
    ]
    side, places = "", [random.uniform(0.3, 0.7, 2) * SIDE]
    if len(things) == 2:
        side = str(random.choice(list(SIDES)))
        across = np.array([1, 1]) - np.abs(SIDES[side])
        middle = SIDE / 2 + across * random.uniform(-0.2, 0.2) * SIDE + random.uniform(-3, 3, 2)
        apart = np.array(SIDES[side]) * SIDE * random.uniform(0.22, 0.26)
        slip = across * random.uniform(-0.1, 0.1) * SIDE
        places = [middle + apart + slip, middle - apart - slip]
    for thing, place in zip(things, places, strict=True):
        color, shape = thing.split()
        _draw(picture, shape, np.array(COLORS[color], float), place, random)
    noisy = picture + random.normal(0, 6, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[:, :, ::-1], Scene(tuple(things), side)


def _draw(
    picture: np.ndarray,
    shape: str,
    color: np.ndarray,
    place: np.ndarray,
    random: np.random.Generator,
) -> None:
    radius = random.uniform(0.15, 0.21) * SIDE
    corners, first = {"circle": (40, 0), "square": (4, 45), "triangle": (3, 90), "star": (10, 90)}[
        shape
    ]
    tilt = np.deg2rad(random.uniform(-10, 10) - first)
    angles = tilt + np.arange(corners) * (2 * np.pi / corners)
    lengths = np.full(corners, radius)
    if shape == "star":
        lengths[1::2] *= 0.45
    points = place + lengths[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mask = np.zeros(picture.shape[:2], np.uint8)
    fixed = np.round(points * 2**_FINER).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _FINER)
    share = mask[..., np.newaxis] / 255
    shade = color * random.uniform(0.8, 1.05)
    picture[...] = picture * (1 - share) + shade * share
