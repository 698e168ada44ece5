"""Extents that a kernel has as quotients are whole only with their factor."""

from __future__ import annotations

import numpy as np

import roastery
from frontends.prototxt import parse_text
from ir import expr as e
from tests.support.c_kernels import needs_compiler

MAPS = ((2, 3, 4), (3, 2, 2))  # boxes of a position, rows, columns


@roastery.layer("TestJoinedMaps", bottoms=4)
def joined_maps(ctx):  # type: ignore[no-untyped-def]
    """Rows of 3 values of all maps, as lengths that follow from the maps' other inputs."""
    b, flat = ctx.b, []
    for values, places in zip(ctx.bottoms[:2], ctx.bottoms[2:], strict=True):
        count, channels, height, width = places.shape
        length = height * width * (channels // 4) * 3
        flat.append(b.reshape(b.transpose(values, (0, 3, 2, 1)), (count, length)))
    rows = b.concat(flat, 1)
    rows = b.reshape(rows, (rows.shape[0], rows.shape[1] // 3, 3))
    return b.transpose(b.map(e.arg(0) * 2.0, rows), (0, 2, 1))


def declared(name: str, shape: tuple[int, ...]) -> str:
    dims = " ".join(f"dim: {extent}" for extent in shape)
    return (
        f'layer {{ name: "{name}" type: "Input" top: "{name}" '
        f"input_param {{ shape {{ {dims} }} }} }}\n"
    )


@needs_compiler
def test_a_factor_stays_with_the_quotient_it_makes_whole() -> None:
    shapes = {f"v{i}": (2, 3, boxes, h * w) for i, (boxes, h, w) in enumerate(MAPS)}
    shapes |= {f"p{i}": (2, 4 * boxes, h, w) for i, (boxes, h, w) in enumerate(MAPS)}
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    text = "".join(declared(*item) for item in shapes.items())
    text += f'layer {{ name: "j" type: "TestJoinedMaps" {bottoms} top: "y" }}'
    rng = np.random.default_rng(0)
    inputs = {name: rng.random(shape).astype(np.float32) for name, shape in shapes.items()}
    found = {
        device: roastery.compile(parse_text(text, "NetParameter"), device=device)(**inputs)["y"]
        for device in ("reference", "cpu")
    }
    np.testing.assert_array_equal(found["cpu"], found["reference"])
