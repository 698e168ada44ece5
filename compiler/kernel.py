"""What a backend makes of a graph: kernels, and launches of them.

They hold plain data, so that an exported artifact can be written from them and read back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ir.location import Location
from ir.types import DType
from ir.value import Value

WIDE = 2**31 - 2**16
"""Elements of a tensor from which on indices have 64 bits (a tile may run past the end)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a kernel, in order.

    ``kind``: ``pointer`` (to elements of ``dtype``), ``i32``, ``i64`` or ``f32``.
    ``divisible``: value (for pointers: address) is declared a multiple of 16.
    """

    name: str
    kind: str
    dtype: DType | None = None
    divisible: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """One of the tile configurations that a kernel is compiled in."""

    constants: tuple[tuple[str, int], ...]  # constexpr arguments: (("BLOCK", 1024),)
    num_warps: int = 4
    num_stages: int = 2

    def __getitem__(self, name: str) -> int:
        return next(value for known, value in self.constants if known == name)

    def having(self, name: str, value: int) -> Config:
        """With one more constant."""
        return replace(self, constants=(*self.constants, (name, value)))


@dataclass(frozen=True, slots=True)
class Kernel:
    """A printed kernel: the name of a function, the text in which it stands, and what it takes.

    ``source`` is the canonical file (neutral names, no provenance comments): its text is the
    cache key.
    """

    entry: str
    source: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Scratch:
    """A temporary buffer that lives from the first to the last launch of one node."""

    number: int
    nbytes: int


Argument = Value | Scratch | int | float


BESIDE = " + "
"""Between the names of kernels that share a launch. None of them holds it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of a kernel in a tile configuration: arguments in the order of its parameters, and
    the grid.

    ``label`` is the readable name (``conv1_relu1``), of several kernels in one :data:`BESIDE`
    between theirs. A grid with a 0 is not launched. ``readable`` prints the kernel as it is shown:
    named after this user of it. ``body`` gives its nodes, made once more if nobody keeps them (a
    :class:`compiler.kernels.nodes.KernelBody`), of which predictions are made. ``light``: of one
    that may share a launch with others, what it is made of
    (:class:`compiler.kernels.launch.Light`). ``parts``: of one that does for others what each would
    do alone, these.
    """

    kernel: Kernel
    config: Config
    arguments: tuple[Argument, ...]
    grid: tuple[int, int, int]
    label: str
    location: Location
    outputs: tuple[Value | Scratch, ...]  # what it writes, for planning and dumps
    readable: Callable[[], str] = field(default=str, compare=False, repr=False)
    body: Callable[[], Any] | None = field(default=None, compare=False, repr=False)
    light: object = field(default=None, compare=False, repr=False)
    parts: tuple[Launch, ...] = ()
