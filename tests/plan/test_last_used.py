"""What is kept of all that was made."""

from __future__ import annotations

import pytest

from compiler.last_used import LastUsed


def test_the_last_ones_are_kept() -> None:
    kept: LastUsed[int, str] = LastUsed(2)
    made: list[int] = []

    def ask(key: int) -> str:
        return kept.get(key, lambda: made.append(key) or str(key))

    assert [ask(key) for key in (1, 2, 1, 3, 1, 2)] == ["1", "2", "1", "3", "1", "2"]
    assert made == [1, 2, 3, 2]  # 3 took the place of 2, which was used before 1
    assert list(kept) == ["1", "2"]


def test_looking_is_no_use() -> None:
    kept: LastUsed[int, str] = LastUsed(2)
    kept.use(1, "one")
    kept.use(2, "two")
    assert kept.find(1) == "one"
    kept.use(3, "three")
    assert kept.find(1) is None


def test_what_cannot_be_made_changes_nothing() -> None:
    kept: LastUsed[int, str] = LastUsed(1)
    kept.use(1, "one")
    with pytest.raises(ZeroDivisionError):
        kept.get(2, lambda: str(1 // 0))
    assert list(kept) == ["one"]
