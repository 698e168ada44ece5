"""What is tried: ranges and lists of values of a solver's fields."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from frontends.prototxt import Message
from frontends.schema.registry import message_type
from frontends.schema.types import INTEGER_RANGES, EnumType, FieldType, MessageType
from ir.errors import RoasteryError

from ..reading.solver_settings import HONOURED

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(?:(log|lin):)?({_NUMBER})\.\.({_NUMBER})")
_WIDE = 10
"""Of a range whose ends are so many times apart each order of magnitude is tried as often."""

#: Of so many different trials at most those that are missing are looked for one by one.
_MOST = 10_000

#: What a search itself decides: it tests as often as it compares, and writes no snapshots.
_OWN = frozenset(
    {"snapshot", "snapshot_prefix", "snapshot_after_train", "test_interval", "test_initialization"}
)

_TRUE, _FALSE = frozenset({"1", "t", "true", "y", "yes"}), frozenset({"0", "f", "false", "n", "no"})


def searchable_fields() -> dict[str, FieldType]:
    """The fields of a solver that values can be tried of: Caffe's, and those that are honoured."""
    solver = message_type("SolverParameter")
    return {
        field.name: field
        for field in solver
        if field.name not in _OWN
        and (field.number is not None or field.name in HONOURED)
        and not isinstance(solver.resolve(field), MessageType)
    }


@dataclass(frozen=True, slots=True)
class TriedRange:
    """All numbers from ``low`` to ``high``; ``log``: by orders of magnitude."""

    low: float
    high: float
    log: bool
    whole: bool

    def __str__(self) -> str:
        return f"{'log' if self.log else 'lin'}:{self.low:g}..{self.high:g}"

    @property
    def size(self) -> float:
        """How many values there are."""
        return self.high - self.low + 1 if self.whole else math.inf

    @property
    def first(self) -> Any:
        """One that can be tried."""
        return int(self.low) if self.whole else self.low

    def values(self) -> Iterable[Any]:
        """All of them, of whole numbers."""
        return range(int(self.low), int(self.high) + 1)

    def suggest(self, name: str, trial: Any) -> Any:
        """A value, by an Optuna trial."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True, slots=True)
class TriedValues:
    """Values as they were written; a single one is always taken."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return ",".join(self.words)

    @property
    def size(self) -> float:
        """How many values there are."""
        return len(self.words)

    @property
    def first(self) -> Any:
        """One that can be tried."""
        return self.words[0]

    def values(self) -> Iterable[Any]:
        """All of them."""
        return self.words

    def suggest(self, name: str, trial: Any) -> Any:
        """A value, by an Optuna trial."""
        return trial.suggest_categorical(name, self.words)


class SearchSpace:
    """What is tried of which fields.

    Args:
        texts: by field: ``1e-4..1e-1`` (by orders of magnitude where that is wide; ``lin:`` and
            ``log:`` say which), ``SGD,Adam``, or one value that all trials have. The values of
            a repeated field are joined by ``+``: ``1000+2000,500+1500``.

    Raises RoasteryError for what cannot be meant.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        fields = searchable_fields()
        self.tried: dict[str, TriedRange | TriedValues] = {
            name: _tried(fields[name], text) for name, text in texts.items()
        }
        if not any(tried.size > 1 for tried in self.tried.values()):
            raise RoasteryError(
                "there is nothing to search for",
                hint="name a field of the solver and what to try: --base_lr=1e-4..1e-1, "
                "--type=SGD,Adam",
            )
        for name, tried in self.tried.items():
            if isinstance(tried, TriedValues):
                for word in tried.words:
                    self.apply(Message("SolverParameter"), {name: word})
            else:
                for end in (tried.low, tried.high):
                    value = int(end) if tried.whole else end
                    self.apply(Message("SolverParameter"), {name: value})

    @property
    def size(self) -> float:
        """How many different trials there can be."""
        return math.prod(tried.size for tried in self.tried.values())

    def untried(self, tried: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The first values that were not tried; None where all were, or there are too many."""
        if self.size > _MOST:
            return None
        known = [dict(values) for values in tried]
        for values in itertools.product(*(each.values() for each in self.tried.values())):
            found = dict(zip(self.tried, values, strict=True))
            if found not in known:
                return found
        return None

    def texts(self) -> dict[str, str]:
        """What is tried, in words that are the same for the same ranges."""
        return {name: str(tried) for name, tried in self.tried.items()}

    def first(self) -> dict[str, Any]:
        """A value for each field, with which nets can be built."""
        return {name: tried.first for name, tried in self.tried.items()}

    def suggest(self, trial: Any) -> dict[str, Any]:
        """A value for each field, by an Optuna trial."""
        return {name: tried.suggest(name, trial) for name, tried in self.tried.items()}

    def apply(self, solver: Message, values: Mapping[str, Any]) -> None:
        """Set the fields of a solver. Raises RoasteryError for a value that a field cannot hold."""
        fields = searchable_fields()
        for name, value in values.items():
            _set(solver, fields[name], value)


def _tried(field: FieldType, text: str) -> TriedRange | TriedValues:
    if (match := _RANGE.fullmatch(text.strip())) is not None:
        return _range(field, text, *match.groups())
    if text.startswith(("log:", "lin:")) or ".." in text:
        raise RoasteryError(
            f"--{field.name}={text}: is no range; one is written FROM..TO, such as 1e-4..1e-1"
        )
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    if "" in words:
        raise RoasteryError(f"--{field.name}={text}: a value is empty")
    return TriedValues(words)


def _range(field: FieldType, text: str, scale: str | None, first: str, last: str) -> TriedRange:
    whole = field.kind in INTEGER_RANGES
    if field.repeated or (not whole and field.kind not in ("float", "double")):
        raise RoasteryError(
            f"--{field.name}={text}: {field.name} takes no range; list values: --{field.name}=A,B,C"
        )
    low, high = float(first), float(last)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RoasteryError(f"--{field.name}={text}: a range has finite ends")
    if low >= high:
        raise RoasteryError(f"--{field.name}={text}: a range goes from less to more")
    if whole and not (low.is_integer() and high.is_integer()):
        raise RoasteryError(f"--{field.name}={text}: {field.name} takes whole numbers")
    if scale == "log" and low <= 0:
        raise RoasteryError(f"--{field.name}={text}: a logarithmic range begins above 0")
    log = scale == "log" or (scale is None and low > 0 and high >= _WIDE * low)
    return TriedRange(low, high, log, whole)


def _set(solver: Message, field: FieldType, value: Any) -> None:
    try:
        if not isinstance(value, str):
            solver.set(field.name, value)
        elif field.repeated:
            numbers = field.kind in (*INTEGER_RANGES, "float", "double")
            words = value.split("+") if numbers else [value]
            solver.set(field.name, [_scalar(solver, field, word.strip()) for word in words])
        else:
            solver.set(field.name, _scalar(solver, field, value))
    except ValueError:
        raise RoasteryError(f"--{field.name}: '{value}' is no value of {field.name}") from None
    except RoasteryError as error:
        raise RoasteryError(f"--{field.name}: {error.message}", hint=error.hint) from None


def _scalar(solver: Message, field: FieldType, word: str) -> Any:
    """A value of a field as it is written. Raises ValueError."""
    if isinstance(solver.message_type.resolve(field), EnumType):
        return int(word) if word.isdecimal() else word
    if field.kind in INTEGER_RANGES:
        return int(word)
    if field.kind in ("float", "double"):
        number = float(word)
        if not math.isfinite(number):
            raise ValueError
        return number
    if field.kind == "bool":
        if word.lower() not in _TRUE | _FALSE:
            raise ValueError
        return word.lower() in _TRUE
    return word
