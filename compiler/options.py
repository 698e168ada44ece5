"""What was asked of the compiler: made once, and handed down to what decides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .precision import FLOAT32, IEEE, factors_precision
from .target import GENERIC, Target

_LONGEST = 256  # characters of a text that is read again


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What, besides the graph, decides what is compiled.

    Attributes:
        target: the device to compile for.
        precision: how exact numbers are, one of :data:`compiler.precision.PRECISIONS`.
        passes: names of the passes to run, in order; None: those that suit the target.
        fuel: so many rewrites are made, then no more; None: all.
        winograd: whether convolutions of frozen nets may take fewer multiplications, and be less
            exact (:mod:`ir.winograd`), where that is faster.
        memory_budget: bytes that a pass over a net may need at one time, on its device; None: as
            many as what is fastest needs.
        memory_elsewhere: bytes of these that the pass itself does not see: a solver's history.
        recomputes: whether backward on a GPU computes again, for less memory, what costs next to
            nothing (:mod:`compiler.budget`).
    """

    target: Target = GENERIC
    precision: str = FLOAT32
    passes: tuple[str, ...] | None = None
    fuel: int | None = None
    winograd: bool = True
    memory_budget: int | None = None
    memory_elsewhere: int = 0
    recomputes: bool = True

    def __str__(self) -> str:
        """For people: ``tf32, planned for A100 with 108 processors``."""
        device = self.target
        count = f"{device.processors} processor{'s' if device.processors != 1 else ''}"
        return f"{self.precision}, planned for {device.name} with {count}"

    @property
    def factors_precision(self) -> str:
        """How kernels multiply float32 matrices: ``ieee``, ``tf32`` or ``tf32x3``."""
        return factors_precision(self.precision, self.target.precisions)

    def json(self) -> dict[str, Any]:
        """As JSON data: what is compiled is stored with it."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> CompileOptions:
        """Inverse of :meth:`json`, from text of unknown origin; precisions may be later ones.

        What is missing has its default, what is not known is left out. What was compiled before
        there were precisions is ``ieee``. Raises ValueError for what has another type.
        """
        given = {"precision": IEEE}
        given |= {name: value for name, value in data.items() if value is not None}
        target = replace(GENERIC, **_fields(given.pop("target", {}), GENERIC))
        return CompileOptions(
            target, **_fields(given, CompileOptions(passes=(), fuel=0, memory_budget=0))
        )


def _fields(data: Any, example: Any) -> dict[str, Any]:
    """What JSON data says of a dataclass's fields, each of the type that it has in ``example``.

    What is no field is left out. Raises ValueError for another type.
    """
    if not isinstance(data, dict):
        raise ValueError(f"an object was expected, not {data!r:.60}")
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(example) if field.name in data):
        value, usual = data[name], getattr(example, name)
        if isinstance(value, str) and len(value) > _LONGEST:
            raise ValueError(f"{name} is longer than {_LONGEST} characters")
        if isinstance(usual, tuple) and isinstance(value, list):
            value = tuple(value) if all(isinstance(item, str) for item in value) else None
        if type(value) is not type(usual):
            raise ValueError(f"{name} must be {type(usual).__name__}, it is {data[name]!r:.60}")
        found[name] = value
    return found
