"""Whose turn it is, where ranks share out a test by whole batches.

So each batch has the very records that a single rank would have, and the numbers of a test do not
depend on how many ranks there are.
"""

from __future__ import annotations

from .share import Share


class Turns:
    """Counts the batches of each test: of batches 0, 1, ... ``turns`` - 1 each goes to the rank
    that is the remainder of its number by the ranks' count. Without turns all batches are own ones.

    A test is over once every rank has had its batches; a rank stands behind the last of them all
    before its next test begins.
    """

    def __init__(self, share: Share) -> None:
        self._share = share
        self._next = 0

    def before(self) -> int:
        """How many batches of other ranks come before the next own one; they count as passed."""
        share = self._share
        if not share.turns:
            return 0
        if share.is_idle:
            raise ValueError(f"a test of {share.turns} batches has none for rank {share.rank}")
        others = (share.rank - self._next) % share.count
        self._next += others
        return others

    def after(self) -> int:
        """How many batches of other ranks come after the own one that was planned: to the next own
        one, or to the end of the test. They count as passed."""
        share = self._share
        if not share.turns:
            return 0
        following = min(self._next + share.count, share.turns)
        others = following - self._next - 1
        self._next = following % share.turns
        return others
