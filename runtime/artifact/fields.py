"""Reading JSON of unknown origin: every field with its type and range, or a ValueError."""

from __future__ import annotations

import json
from typing import Any

LARGEST = 1 << 62  # bytes, elements and offsets stay below


def parse_json(data: bytes, where: str) -> Fields:
    """The object in a JSON text. Raises ValueError naming ``where`` for anything else."""
    try:
        return Fields(json.loads(data), where)
    except RecursionError:
        raise ValueError(f"{where}: nested too deeply") from None


class Fields:
    """A JSON object; ``where`` names it in errors."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: an object was expected, not {_shown(value)}")
        self._value = value
        self.where = where

    def _get(self, name: str, kind: type) -> Any:
        value = self._value.get(name)
        if type(value) is not kind:
            raise ValueError(f"{self.where}: {name} must be {kind.__name__}, it is {_shown(value)}")
        return value

    def text(self, name: str) -> str:
        return self._get(name, str)

    def integer(self, name: str, low: int = 0, high: int = LARGEST) -> int:
        return checked_integer(self._get(name, int), f"{self.where}: {name}", low, high)

    def array(self, name: str) -> list[Any]:
        return self._get(name, list)

    def object(self, name: str) -> Fields:
        return Fields(self._get(name, dict), f"{self.where}: {name}")

    def raw(self, name: str) -> dict[str, Any]:
        return self._get(name, dict)

    def __contains__(self, name: str) -> bool:
        return name in self._value


def checked_integer(value: Any, where: str, low: int = 0, high: int = LARGEST) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{where} must be an integer from {low} to {high}, it is {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
