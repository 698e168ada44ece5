"""The best of several first."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Config


def preferring(best: Config, configs: Sequence[Config]) -> list[Config]:
    return [best, *(c for c in configs if c is not best)]
