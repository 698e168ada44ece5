"""Instructions of CPUs, as far as machine code is made for them.

Sets have the names of the x86-64 psABI's levels. A CPU of a set runs the code of those that follow
it in the list and have its machine.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Instructions(NamedTuple):
    """``needs``: what Linux calls them. ``options``: what gcc and clang call them. ``vector``: the
    bytes of a vector register, of which there are ``registers``. ``vectors``: what people call
    the instructions on vectors."""

    name: str
    machine: str
    needs: frozenset[str]
    options: tuple[str, ...]
    vector: int
    registers: int
    vectors: str = ""

    @property
    def shown(self) -> str:
        """For people: ``x86-64-v3 (AVX2)``."""
        return f"{self.name} ({self.vectors})" if self.vectors else self.name


def _x86(name: str, vectors: str, vector: int, registers: int, *words: str) -> Instructions:
    """``words``: Linux's name, a colon, the compilers' where it is another."""
    pairs = [word.partition(":") for word in words]
    options = tuple(f"-m{other or name}" for name, _, other in pairs)
    needs = frozenset(p[0] for p in pairs)
    return Instructions(name, "x86_64", needs, options, vector, registers, vectors)


_V2 = ("sse4_2:sse4.2", "popcnt", "cx16")
_V3 = (*_V2, "avx2", "fma", "f16c", "bmi1:bmi", "bmi2", "abm:lzcnt", "movbe")
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

INSTRUCTIONS = (
    _x86("x86-64-v4", "AVX-512", 64, 32, *_V4),
    _x86("x86-64-v3", "AVX2", 32, 16, *_V3),
    _x86("x86-64-v2", "SSE4.2", 16, 16, *_V2),
    _x86("x86-64", "SSE2", 16, 16),
    Instructions("aarch64", "aarch64", frozenset(), (), 16, 32, "NEON"),
)

UNKNOWN = Instructions("any", "", frozenset(), (), 16, 16)
"""Of other CPUs: what a compiler makes unasked."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def instructions_of(machine: str, able: Collection[str]) -> Instructions:
    """The first set that a CPU has all of. ``able``: what Linux says it can."""
    machine = _MACHINES.get(machine.lower(), machine.lower())
    fitting = (i for i in INSTRUCTIONS if i.machine == machine and i.needs.issubset(able))
    return next(fitting, UNKNOWN)


def instructions_named(name: str) -> Instructions:
    """The set of a name; ``UNKNOWN`` for one that is none's."""
    return next((i for i in INSTRUCTIONS if i.name == name), UNKNOWN)
