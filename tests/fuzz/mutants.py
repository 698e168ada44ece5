"""The n-th input of a reader: the same for the same seed, on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from . import mutate_bytes, mutate_json, mutate_text, mutate_wire
from .inputs import Sample
from .targets import KNOWN, Target

DATA = Path(__file__).parents[1] / "data"

_LARGEST = 1 << 20
"""Bytes of a changed file: what is repeated often enough takes long in any reader."""


@dataclass(frozen=True)
class Mutant:
    """An input, and what was done to it.

    Attributes:
        base: the number of the valid sample that it was made of; None if of none.
        change: "sample" for a valid one as it is, "known" for one that was too much once; "damage"
            for a single flip, cut or blank.
    """

    sample: Sample
    base: int | None
    change: str


def mutant(target: Target, samples: list[Sample], seed: int, number: int, room: Path) -> Mutant:
    """Input ``number``; negative ones are valid, or known. ``room``: a folder to work in."""
    if number <= KNOWN:
        return Mutant(_known(target, samples)[KNOWN - number], None, "known")
    if number < 0:
        base = (-number - 1) % len(samples)
        return Mutant(samples[base], base, "sample")
    rng = Random(f"{seed}/{target.name}/{number}")
    if target.odd is not None and rng.random() < 0.5:
        return Mutant(target.odd(rng, room), None, "odd")
    if target.known and rng.random() < 0.1:
        return _changed_sample(target, rng.choice(_known(target, samples)), None, samples, rng)
    base = rng.randrange(len(samples))
    return _changed_sample(target, samples[base], base, samples, rng)


def _changed_sample(
    target: Target, sample: Sample, base: int | None, samples: list[Sample], rng: Random
) -> Mutant:
    name = rng.choice(sample.targets)
    content = sample.files[name]
    if target.sealed and rng.random() < 0.6:
        damage = rng.choice(mutate_bytes.DAMAGES)
        return Mutant(sample.changed(name, damage(content, rng)), base, "damage")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        content = _changed(target, content, rng, samples)[:_LARGEST]
    return Mutant(sample.changed(name, content), base, "changes")


def _known(target: Target, samples: list[Sample]) -> list[Sample]:
    """The known inputs of a reader, in the places of valid ones."""
    contents = [(DATA / path).read_bytes() for path in target.known]
    return [samples[0].changed(samples[0].targets[0], content) for content in contents]


def _changed(target: Target, content: bytes, rng: Random, samples: list[Sample]) -> bytes:
    if rng.random() < 0.05:
        other = rng.choice(samples)
        donor = other.files[rng.choice(other.targets)]
        return content[: rng.randrange(len(content) + 1)] + donor[rng.randrange(len(donor) + 1) :]
    if target.kind == "wire" and rng.random() < 0.8:
        return mutate_wire.mutate(content, rng)
    if target.kind == "json" and rng.random() < 0.6:
        return mutate_json.mutate(content, rng)
    if target.kind in ("text", "json") and rng.random() < 0.9:
        text = content.decode("utf-8", "surrogateescape")
        text = rng.choice(mutate_text.MUTATORS)(text, rng)
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # another half of a character than those that stand for bytes
            return text.encode("utf-8", "surrogatepass")
    return rng.choice(mutate_bytes.MUTATORS)(content, rng)
