"""What the loop that multiplies is made of: instructions by kind, the widths of its accesses.

Loops are those of control flow: a branch to a block that every way to the branch has passed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .disassembly import Instruction

# By the instruction's name, whole; "NVIDIA CUDA Binary Utilities", Instruction Set Reference.
_KINDS = {
    "HGMMA": "wgmma", "HMMA": "mma", "DMMA": "mma", "FFMA": "fma", "DFMA": "fma64",
    "LDGSTS": "copy", "LDG": "load", "STG": "store", "LD": "load", "ST": "store",
    "ATOMG": "atomic", "ATOM": "atomic", "RED": "atomic", "REDG": "atomic",
    "LDSM": "shared", "LDS": "shared", "STS": "shared", "STSM": "shared",
    "LDL": "spill", "STL": "spill", "LDGDEPBAR": "wait", "DEPBAR": "wait", "BAR": "wait",
    "SYNCS": "wait", "WARPGROUP": "wait", "WARPSYNC": "wait", "BRA": "branch",
}  # fmt: skip
_INTEGERS = (
    "IMAD", "IADD", "LOP", "ISETP", "LEA", "SHF", "SEL", "PRMT", "VIADD", "VIMNMX", "IMNMX",
    "IABS", "PLOP", "P2R", "R2P", "R2UR", "SGXT", "BMSK", "POPC", "FLO", "MOV", "CS2R",
)  # fmt: skip
_UNIFORM = re.compile(r"U(?!TMA)[A-Z]")
_WIDTH = re.compile(r"\.[US]?(8|16|64|128|256)\b")
GLOBAL = ("copy", "load", "store")
PRODUCTS = ("wgmma", "mma", "fma", "fma64")


def kind(instruction: Instruction) -> str:
    """``wgmma``, ``mma``, ``fma``, ``copy`` (to shared memory), ``load``, ``store``, ``shared``,
    ``spill``, ``wait``, ``branch``, ``integer``, ``never`` or ``other``."""
    name = instruction.name
    if not instruction.runs:
        return "never"
    if known := _KINDS.get(name):
        return known
    if name.startswith(_INTEGERS) or _UNIFORM.match(name):
        return "integer"
    return "other"


def width(instruction: Instruction) -> int:
    """Bytes that a thread's access of memory moves."""
    found = _WIDTH.search(instruction.operation)
    return int(found[1]) // 8 if found else 4


@dataclass(frozen=True, slots=True)
class MachineLoop:
    """``instructions``: of its blocks, in order; all code where there is no loop."""

    instructions: tuple[Instruction, ...]

    @property
    def kinds(self) -> Counter[str]:
        return Counter(map(kind, self.instructions))

    @property
    def accesses(self) -> Counter[tuple[str, int]]:
        """Of global memory: how many of each kind and of so many bytes."""
        found = (i for i in self.instructions if kind(i) in GLOBAL)
        return Counter((kind(i), width(i)) for i in found)

    @property
    def products(self) -> str:
        """The kind of instruction that multiplies, the strongest that there is; or ``""``."""
        return next((name for name in PRODUCTS if self.kinds[name]), "")

    @property
    def per_product(self) -> float:
        """Instructions for each that multiplies."""
        return len(self.instructions) / max(self.kinds[self.products], 1)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {name}" for name, count in self.kinds.most_common())
        accesses = ", ".join(f"{n} {name} of {b} bytes" for (name, b), n in self.accesses.items())
        return f"{len(self.instructions)} instructions: {kinds}; {accesses or 'no accesses'}"


def hot_loop(code: Sequence[Instruction]) -> MachineLoop:
    """The innermost loop that multiplies, with the strongest instruction that any loop has and of
    those loops the one with most; without any product the longest innermost loop."""
    loops = [MachineLoop(tuple(code[i] for i in places)) for places in _loops(code)]
    if not loops:
        return MachineLoop(tuple(code))
    strongest = next((k for k in PRODUCTS if any(loop.kinds[k] for loop in loops)), None)
    if strongest is None:
        return max(loops, key=lambda loop: len(loop.instructions))
    return max(loops, key=lambda loop: (loop.kinds[strongest], -len(loop.instructions)))


def _loops(code: Sequence[Instruction]) -> Iterator[list[int]]:
    """The natural loops: places of their instructions, in order."""
    if not code:
        return
    starts = sorted({0} | set(_leaders(code)))
    block_at = {start: number for number, start in enumerate(starts)}
    ends = [*starts[1:], len(code)]
    after: dict[int, list[int]] = {}
    before: defaultdict[int, list[int]] = defaultdict(list)
    for number, end in enumerate(ends):
        last = code[end - 1]
        targets = [last.target] if last.target is not None else []
        if last.falls_through and end < len(code):
            targets.append(end)
        after[number] = [block_at[t] for t in targets if t in block_at]
        for target in after[number]:
            before[target].append(number)
    dominators = _dominators(after, before)
    bodies: defaultdict[int, set[int]] = defaultdict(set)
    for block, targets in after.items():
        for head in targets:
            if block in dominators and head in dominators[block]:
                bodies[head] |= _body(head, block, before)
    for blocks in bodies.values():
        yield [i for block in sorted(blocks) for i in range(starts[block], ends[block])]


def _leaders(code: Sequence[Instruction]) -> Iterator[int]:
    for place, instruction in enumerate(code[:-1]):
        if instruction.target is not None:
            yield instruction.target
        if instruction.target is not None or not instruction.falls_through:
            yield place + 1
    if code and code[-1].target is not None:
        yield code[-1].target


def _dominators(
    after: dict[int, list[int]], before: defaultdict[int, list[int]]
) -> dict[int, set[int]]:
    """Of every block that can be reached from the first: those that every way to it passes."""
    reached, left = {0}, [0]
    while left:
        for target in after[left.pop()]:
            if target not in reached:
                reached.add(target)
                left.append(target)
    found = {block: set(reached) for block in reached} | {0: {0}}
    changed = True
    while changed:
        changed = False
        for block in sorted(reached - {0}):
            passed = set.intersection(*(found[b] for b in before[block] if b in reached)) | {block}
            changed |= passed != found[block]
            found[block] = passed
    return found


def _body(head: int, last: int, before: defaultdict[int, list[int]]) -> set[int]:
    """The blocks from which the loop's last is reached without passing its head."""
    body, left = {head, last}, [last]
    while left:
        block = left.pop()
        if block != head:
            left += [b for b in before[block] if b not in body]
            body.update(before[block])
    return body
