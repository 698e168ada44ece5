"""Known nets with an eighth of their channels, on small pictures."""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import captioner
from benchmarks.zoo.fcn8s import fcn8s
from examples.ssd.make_net import deploy as ssd

#: The nets, and the edge of the pictures that they are given here.
KNOWN_NETS: dict[str, tuple[Callable[[], str], int]] = {
    "lenet": (lambda: ZOO["lenet"].text(1, deploy=True), 28),
    "caffenet": (lambda: ZOO["caffenet"].text(1, deploy=True), 67),
    "googlenet": (lambda: ZOO["googlenet"].text(1, deploy=True), 64),
    "resnet50": (lambda: ZOO["resnet50"].text(1, deploy=True), 64),
    "squeezenet": (lambda: ZOO["squeezenet"].text(1, deploy=True), 63),
    "mobilenet": (lambda: ZOO["mobilenet"].text(1, deploy=True), 64),
    "fcn8s": (lambda: fcn8s(1, deploy=True), 40),
    "captioner": (lambda: captioner(1, deploy=True), 0),
    "ssd": (ssd, 64),
}


def _fewer(match: re.Match[str]) -> str:
    """A multiple of 8 channels, or groups, is an eighth of them."""
    count = int(match[2])
    return f"{match[1]}: {count // 8 if count % 8 == 0 else count}"


def small_text(name: str) -> str:
    """One of the nets, in its deploy form, for one picture or sentence."""
    text, edge = KNOWN_NETS[name]
    made = text()
    if name not in ("ssd", "lenet"):
        made = re.sub(r"(num_output|group): (\d+)", _fewer, made)
    # Chance gives each class a fourth.
    made = re.sub(r"confidence_threshold: [0-9.]+", "confidence_threshold: 0.24", made)
    if edge:
        made = re.sub(r"dim: \d+ dim: \d+ \}", f"dim: {edge} dim: {edge} }}", made, count=1)
    return made
