"""What a backend makes of a graph: kernels, and launches of them.

They hold plain data, so that an exported artifact can be written from them and read back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ir.graph import Value
from ir.location import Location
from ir.types import DType

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
    """One tile configuration a kernel owns; a shape picks among a short list."""

    constants: tuple[tuple[str, int], ...]  # constexpr arguments: (("BLOCK", 1024),)
    num_warps: int = 4
    num_stages: int = 2

    def __getitem__(self, name: str) -> int:
        return next(value for known, value in self.constants if known == name)

    def having(self, name: str, value: int) -> Config:
        """With one more constant."""
        return replace(self, constants=(*self.constants, (name, value)))


class LazyText:
    """A field that is a text, or what makes it when it is first asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, instance: object, owner: type | None = None) -> str:
        if instance is None:
            return ""  # the default
        value: str | Callable[[], str] = instance.__dict__[self._name]
        if not isinstance(value, str):
            value = instance.__dict__[self._name] = value()
        return value

    def __set__(self, instance: object, value: str | Callable[[], str] | LazyText) -> None:
        # Left out, the value is the class's own default: this descriptor.
        instance.__dict__[self._name] = "" if isinstance(value, LazyText) else value


@dataclass(frozen=True)
class Kernel:
    """A printed kernel.

    ``source`` is the canonical file (neutral names, no provenance comments): its text is the
    cache key. ``readable`` is the same kernel as it is shown: named after its first user; it is
    printed when it is first asked for.
    """

    entry: str  # function name in ``source``
    source: str
    parameters: tuple[Parameter, ...]
    configs: tuple[Config, ...] = field(compare=False)
    readable: LazyText = field(default=LazyText(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scratch:
    """A temporary buffer that lives from the first to the last launch of one node."""

    number: int
    nbytes: int


Argument = Value | Scratch | int | float


@dataclass(frozen=True, slots=True)
class Launch:
    """One call of a kernel: arguments in the order of its parameters, and the grid.

    ``label`` is the readable name (``conv1_relu1``). A grid with a 0 is not launched.
    """

    kernel: Kernel
    config: int
    arguments: tuple[Argument, ...]
    grid: tuple[int, int, int]
    label: str
    location: Location
    outputs: tuple[Value | Scratch, ...]  # what it writes, for planning and dumps

    @property
    def chosen(self) -> Config:
        return self.kernel.configs[self.config]
