"""What may be chosen of a kernel, as data, and who chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from compiler.kernel import Config

if TYPE_CHECKING:
    from ir.graph import Graph

    from .expressions import DotKind
    from .products import ProductShape
    from .schedules.reduction import Reduction


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to compute a group.

    ``splits``: parts that the work of every result is in; a second kernel, whose configuration is
    ``second``, adds them up. ``group``: so many tiles of a product, one below the other, run beside
    each other: they share the columns that they read, and the cache.
    """

    config: Config
    splits: int = 1
    second: Config | None = None
    group: int = 1

    def shares(self, steps: int) -> tuple[int, int]:
        """Of so many steps those that one part takes at most, and the number of parts then."""
        share = -(-steps // self.splits)
        return share, -(-steps // share) if self.splits > 1 else 1


class Beside(NamedTuple):
    """What the kernel of a product does with its tile besides writing it.

    Attributes:
        summed: it sums over it. Where the depth is split other kernels do, which read the result.
        crowded: it reads tensors for that: large tiles lack the registers.
    """

    summed: bool = False
    crowded: bool = False


ALONE = Beside()


class Heuristic(Protocol):
    """Says how groups may be computed on a device, the best way first.

    What has a body here, a target has only if it gains by it.
    """

    @property
    def unrolled(self) -> int:
        """Loops of up to so many turns in all are unrolled."""

    @property
    def one_thread(self) -> bool:
        """Whether a program is one thread, which reads again what it has written."""

    def flat(self, body: Graph, count: int) -> Sequence[Config]:
        """``BLOCK`` elements per program, of ``count``."""

    def channels(self, rows: int, channels: int) -> Sequence[Config]:
        """Tiles of ``A`` rows of channels and ``B`` of these, in groups with windows over images
        with the channels last. Nothing where blocks of elements are as good."""
        return []

    def channel_rows(self, body: Graph, rows: int, channels: int) -> Sequence[Config]:
        """Likewise, in groups without windows that read values of channels."""
        return []

    def tap_sums(self, rows: int, channels: int, narrow: bool = False) -> Sequence[Choice]:
        """Likewise, of which as many are summed up for every tap of a window; without a second
        configuration. ``narrow``: elements have 16 bits."""
        return []

    def reduce(self, reduction: Reduction, inputs: int) -> Sequence[Choice]:
        """Tiles of ``A`` x ``B`` elements, as the reduction's kind has them."""

    def fold(self, parts: int) -> Sequence[Config]:
        """Of the kernel that folds so many parts of every result of a product's kernel: tiles of
        ``A`` parts x ``B`` results. Nothing where no product's kernel reduces."""
        return []

    def row(self, reduction: Reduction) -> Sequence[Config]:
        """Likewise, for rows that are never split."""

    def contract(
        self, shape: ProductShape, strided: bool, factors: DotKind, beside: Beside = ALONE
    ) -> Sequence[Choice]:
        """Tiles of ``M`` rows and ``N`` columns, in steps of ``K`` along the depth. Each of
        :meth:`flat` is a way to have the second configuration.

        ``strided``: index arithmetic takes registers that large tiles lack."""

    def single(
        self, configs: Sequence[Config], length: int, lanes: bool = False
    ) -> Sequence[Config]:
        """Of an op's own kernel, which says what it can be; it walks along ``length`` by BLOCK.

        ``lanes``: elements of a block have nothing to do with each other."""
