"""What an artifact says of pictures: how they become its input, and what its classes are called."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from compiler.plan.codec import from_json
from runtime.pictures import Preprocessing

from .container import json_bytes, json_value

PICTURES = "pictures.json"
MEAN = "mean.f32"  # as many little-endian numbers as the input has for one picture
MOST_LABELS = 100_000


@dataclass(frozen=True)
class Pictures:
    """``labels``: names of classes by their numbers; "": it has none."""

    preprocessing: Preprocessing | None = None
    labels: tuple[str, ...] = ()

    def name_of(self, number: int) -> str:
        """What a class is called; by its number where it has no name."""
        name = self.labels[number] if 0 <= number < len(self.labels) else ""
        return name or f"class {number}"


NO_PICTURES = Pictures()


def picture_members(pictures: Pictures) -> dict[str, bytes]:
    """The members that say it; none where there is nothing to say."""
    members: dict[str, bytes] = {}
    said: dict[str, object] = {}
    rules = pictures.preprocessing
    if rules is not None:
        said["preprocessing"] = {
            "input": rules.input,
            "image_size": rules.image_size and list(rules.image_size),
            "channel_swap": list(rules.channel_swap),
            "raw_scale": float(rules.raw_scale),
            "mean": MEAN if rules.mean_image is not None else [float(v) for v in rules.mean],
            "input_scale": float(rules.input_scale),
        }
        if rules.mean_image is not None:
            members[MEAN] = np.ascontiguousarray(rules.mean_image, "<f4").tobytes()
    if pictures.labels:
        said["labels"] = list(pictures.labels)
    return {PICTURES: json_bytes(said), **members} if said else {}


@dataclass(frozen=True)
class _Rules:
    """A :class:`Preprocessing` as it is written."""

    input: str
    image_size: tuple[int, int] | None
    channel_swap: tuple[int, ...]
    raw_scale: float
    mean: tuple[float, ...]
    input_scale: float


def read_pictures(read: Callable[[str], bytes], shapes: Mapping[str, tuple[int, ...]]) -> Pictures:
    """Inverse of :func:`picture_members`; ``shapes`` are those of the inputs.

    Raises ValueError for what says nothing that can be meant.
    """
    said = json_value(read(PICTURES))
    if not isinstance(said, dict) or not said.keys() <= {"preprocessing", "labels"}:
        raise ValueError(f"{PICTURES} is no object of preprocessing and labels")
    labels: tuple[str, ...] = from_json(tuple[str, ...], said.get("labels", []), PICTURES)
    if len(labels) > MOST_LABELS:
        raise ValueError(f"{PICTURES} names {len(labels)} classes; {MOST_LABELS} are the limit")
    rules = said.get("preprocessing")
    if rules is None:
        return Pictures(None, labels)
    if not isinstance(rules, dict):
        raise ValueError(f"{PICTURES}: preprocessing is no object")
    with_image = rules.get("mean") == MEAN
    found: _Rules = from_json(_Rules, {**rules, **({"mean": []} if with_image else {})}, PICTURES)
    made = Preprocessing(
        found.input,
        found.image_size,
        found.channel_swap,
        found.raw_scale,
        found.mean,
        found.input_scale,
    )
    if found.input not in shapes:
        raise ValueError(f"{PICTURES}: there is no input {found.input!r:.80}")
    if with_image:
        made = replace(made, mean_image=_mean_image(read(MEAN), shapes[found.input]))
    made.check(shapes[found.input])
    return Pictures(made, labels)


def _mean_image(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    wanted = 4 * math.prod(shape[1:])
    if len(data) != wanted:
        raise ValueError(f"{MEAN} has {len(data)} bytes, {list(shape[1:])} wants {wanted}")
    return np.frombuffer(data, "<f4").astype(np.float32).reshape(shape[1:])
