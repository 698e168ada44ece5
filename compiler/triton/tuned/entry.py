"""One measured choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from compiler.kernels.choice import Choice
from compiler.plan.codec import from_json, to_json

_MOST_NAME = 200  # characters of a label that is kept


@dataclass(frozen=True, slots=True)
class TunedEntry:
    """Of a group of ops.

    Attributes:
        choice: what took the least time.
        kernels: :func:`.key.kernels_digest` of its launches.
        microseconds: that these took. modelled: what the model's first choice took.
        label: of a group that it was measured for, for people.
    """

    choice: Choice
    kernels: str
    microseconds: float
    modelled: float
    label: str = ""

    def json(self) -> dict[str, Any]:
        return {
            "choice": to_json(self.choice),
            "kernels": self.kernels,
            "microseconds": self.microseconds,
            "modelled": self.modelled,
            "label": self.label[:_MOST_NAME],
        }

    @staticmethod
    def from_json(data: Any, where: str) -> TunedEntry:
        """Inverse of :meth:`json`. Raises ValueError for whatever it does not write."""
        match data:
            case {
                "choice": choice,
                "kernels": str(kernels),
                "microseconds": int() | float() as best,
                "modelled": int() | float() as modelled,
                "label": str(label),
            } if len(label) <= _MOST_NAME:
                found = from_json(Choice, choice, f"{where}.choice")
                return TunedEntry(found, kernels, float(best), float(modelled), label)
        raise ValueError(f"{where} is no measured choice")
