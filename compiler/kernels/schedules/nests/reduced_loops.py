"""The loops of a reduction: which keep results apart, which reduce, where the lanes lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Port
from ir.types import TensorType

from ...emitter import Access, Emit, Emitter
from ...expressions import Local, computed, ref
from ...index import ZERO, Affine, Base
from ...monomial import ONE, Monomial, product
from ...reshaping import reshaped
from ...task import Task
from ..reduction import Reduction
from .digits import MemoryDigit, access_of, digits_of, existing, split_places
from .emitter import NestEmitter, emission
from .joined_digits import JoinedDigits, planned
from .programs import SHARE

PARTS = 16  # of a reduction at most


@dataclass(frozen=True, slots=True)
class DigitLoop:
    """A group of digits: its number, and how far it goes. ``block``: see Base.below."""

    number: int
    extent: Monomial
    block: int


class ReducedLoops:
    """Loops along the memory of what is reduced.

    Args:
        splits: parts of each reduction.
        folding: they are those of the kernel that folds the parts.

    Attributes:
        kept: loops of which every turn has results of its own. reduced: the others.
        lane: the loop in the lanes of vectors; none where one result is made at a time.
    """

    def __init__(
        self, task: Task, reduction: Reduction, config: Config, splits: int, folding: bool = False
    ) -> None:
        self.task, self.reduction, self.config = task, reduction, config
        self.splits, self.folding = splits, folding
        self.row = task.op.schedule == "row"
        self.type = _walked(task, reduction)
        groups = self._plan().groups
        self.emitter = emission(task, task.builder(), config["V"])
        self.builder = self.emitter.builder
        self.digits = digits_of(self.emitter, self.type)
        self.groups = groups
        loops = [self._loop(n) for n in range(len(groups))]
        self.kept = [x for x in loops if not self._is_reduced(self.digits[groups[x.number][0]])]
        self.reduced = [x for x in loops if x not in self.kept]
        last = loops[-1] if loops else None
        self.lane = last
        if folding and last in self.reduced:
            self.lane = self.kept[-1] if self.kept else None

    def _loop(self, number: int) -> DigitLoop:
        numbers = self.groups[number]
        block = self.digits[numbers[0]].block if len(numbers) == 1 else 0
        return DigitLoop(number, product(self.digits[n].extent for n in numbers), block)

    def _is_reduced(self, digit: MemoryDigit) -> bool:
        return digit.axis in self.reduction.axes

    def _plan(self) -> JoinedDigits:
        def write(
            emitter: NestEmitter, digits: list[MemoryDigit], places: Sequence[Affine]
        ) -> list[Affine]:
            at = existing(emitter, self.type, access_of(emitter, self.type, digits, places))
            for node in self.reduction.nodes:
                emitter.emit(node.inputs[0], at)
                dtype = computed(node.output.type.dtype)
                emitter.given[node.output] = same(ref(Local("r", "", dtype)))
            written = []
            for port, own in self.results(emitter, at):
                emitter.emit(port.value, own)
                written.append(emitter.address(own, port.value.type))
            if self.splits > 1:
                written.append(_numbered(digits, places, self._is_reduced))
            return written

        def apart(a: MemoryDigit, b: MemoryDigit) -> bool:
            return self._is_reduced(a) != self._is_reduced(b)

        return planned(self.task, self.type, write, self.config["V"], apart)

    # --- places -----------------------------------------------------------------------

    def access(self, bases: dict[int, Base], inside: tuple[Expr, ...]) -> Access:
        """The element at some places. ``bases``: of loops, by number; others are at 0."""
        nowhere = Base(e.const(0), below=1)
        all_bases = [bases.get(n, nowhere) for n in range(len(self.groups))]
        places = split_places(self.digits, self.groups, all_bases)
        for number, numbers in enumerate(self.groups):
            if number not in bases:
                for digit in numbers:
                    places[digit] = ZERO
        at = access_of(self.emitter, self.type, self.digits, places)
        return existing(self.emitter, self.type, at).guarded(*inside)

    def is_whole(self, port: Port) -> bool:
        """Whether an output has as many elements as what is reduced."""
        return self.row and port.value.shape == self.reduction.shape

    def results(self, emitter: Emitter, at: Access) -> Iterator[tuple[Port, Access]]:
        """Of each output the element that is made of what is reduced there."""
        for port, _ in self.task.ports:
            yield port, at if self.is_whole(port) else self._result(emitter, at, port)

    def _result(self, emitter: Emitter, at: Access, port: Port) -> Access:
        axes = self.reduction.axes
        own = Access(
            tuple(ZERO if a in axes else c for a, c in enumerate(at.coordinates)),
            tuple(ONE if a in axes else x for a, x in enumerate(at.extents)),
            at.guard,
        )
        shape = self.reduction.nodes[0].output.shape
        return own if port.value.shape == shape else reshaped(emitter, own, shape, port.value.shape)

    # --- parts ------------------------------------------------------------------------

    def parts(self) -> int:
        """Into how many parts the sizes at hand cut each reduction."""
        number = self.task.number
        kept, reduced = (
            number(product(x.extent for x in loops).size) for loops in (self.kept, self.reduced)
        )
        programs = -(-kept // max(self.config["V"], 1)) if self.lane in self.kept else kept
        longest = max((number(x.extent.size) for x in self.reduced), default=1)
        if programs >= PARTS or kept * reduced < 8 * SHARE:
            return 1
        most = min(PARTS // programs, longest, kept * reduced // (4 * SHARE))
        return max(1, most)

    @property
    def split(self) -> DigitLoop | None:
        """What is cut into parts."""
        if self.splits == 1 or self.folding:
            return None
        return max(self.reduced, key=lambda x: self.task.number(x.extent.size))


def _walked(task: Task, reduction: Reduction) -> TensorType:
    """What lies in memory as most of what is reduced does, or parts of it do."""
    types = [port.value.type for port in task.body.inputs]
    found = [type for type in types if type.shape == reduction.shape]
    parts = [type for type in types if _is_part(type, reduction.shape)]
    found.sort(key=lambda type: type.layout is None)
    found += [TensorType(reduction.shape, layout=type.layout) for type in parts]
    return found[0] if found else TensorType(reduction.shape)


def _is_part(type: TensorType, shape: Sequence[int]) -> bool:
    """Whether it is blocks of some channels of a tensor."""
    if type.layout is None or type.rank != len(shape):
        return False
    others = [axis for axis, (a, b) in enumerate(zip(type.shape, shape, strict=True)) if a != b]
    return len(others) == 1 and type.layout.block(others[0]) > 1


def _numbered(
    digits: Sequence[MemoryDigit], places: Sequence[Affine], reduced: Callable[[MemoryDigit], bool]
) -> Affine:
    """The number of a result, as memory counts them."""
    total = ZERO
    for digit, place in zip(digits, places, strict=True):
        if not reduced(digit):
            total = total.scaled(digit.extent).plus(place)
    return total


def same(result: Expr) -> Emit:
    """The same wherever it is asked for."""
    return lambda emitter, access: result
