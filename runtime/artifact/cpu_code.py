"""What a CPU runs of an artifact without a compiler: plans and shared libraries, for each baseline.

A *baseline* is a set of instructions (:mod:`compiler.instructions`); kernels, and how they want
weights to lie, depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from compiler.instructions import UNKNOWN, instructions_named
from compiler.plan.codec import from_json, to_json
from compiler.plan.plan import HostStep, Plan
from compiler.plan.saved import plan_from_json, plan_to_json, symbols_in_data
from compiler.plan.saved_sizes import saved_plan_at
from compiler.plan.sizes import with_numbers

from ..cpu.launches import INTERFACE
from .code import ReadMember, launched
from .container import json_bytes, json_value

CPU_CODE = "cpu.json"
_ROOM = "cpu"


@dataclass(frozen=True, slots=True)
class SharedLibrary:
    """``code``: its bytes. ``functions``: the kernels that are in it, by their entries."""

    code: bytes
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CpuCode:
    """Of one baseline.

    ``once`` makes of the weights what ``plan`` reads of them; both are for all sizes. ``pool`` is
    the library with the threads. ``compiler`` made the libraries, as it calls itself. ``saved``:
    ``once`` and ``plan`` at the sizes of the export, where they were read from a file.
    """

    instructions: str
    compiler: str
    once: Plan
    plan: Plan
    pool: bytes
    libraries: tuple[SharedLibrary, ...]
    saved: tuple[Plan, Plan] | None = field(default=None, compare=False, repr=False)

    def at(self, sizes: Mapping[str, int]) -> CpuCode:
        """The same for these sizes alone."""
        once, plan = (with_numbers(each, sizes) for each in (self.once, self.plan))
        return replace(self, once=once, plan=plan)

    @property
    def nbytes(self) -> int:
        """Of machine code."""
        return len(self.pool) + sum(len(library.code) for library in self.libraries)


@dataclass(frozen=True, slots=True)
class _Library:
    file: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CpuEntry:
    """What ``cpu.json`` says of a baseline: names of members, and how they are called
    (:data:`runtime.cpu.launches.INTERFACE`)."""

    instructions: str
    interface: int
    compiler: str
    once: str
    plan: str
    pool: str
    libraries: tuple[_Library, ...]


def plan_member(instructions: str) -> str:
    """The name of a baseline's plan."""
    return f"{_ROOM}/{instructions}/plan.json"


def cpu_members(codes: Sequence[CpuCode]) -> dict[str, bytes]:
    """By name of the member; none where there is no code."""
    members: dict[str, bytes] = {}
    entries = []
    for code in codes:
        room = f"{_ROOM}/{code.instructions}"
        members[f"{room}/once.json"] = json.dumps(plan_to_json(code.once)).encode()
        members[plan_member(code.instructions)] = json.dumps(plan_to_json(code.plan)).encode()
        members[f"{room}/pool.so"] = code.pool
        libraries = []
        for number, library in enumerate(code.libraries):
            libraries.append(_Library(f"{room}/{number:04d}.so", library.functions))
            members[libraries[-1].file] = library.code
        once, plan, pool = (f"{room}/{name}" for name in ("once.json", "plan.json", "pool.so"))
        found = code.instructions, INTERFACE, code.compiler, once, plan, pool
        entries.append(CpuEntry(*found, tuple(libraries)))
    if entries:
        members[CPU_CODE] = json_bytes(to_json(tuple(entries)))
    return members


def read_entries(data: bytes) -> list[CpuEntry]:
    """The baselines. Raises ValueError."""
    entries: tuple[CpuEntry, ...] = from_json(tuple[CpuEntry, ...], json_value(data), CPU_CODE)
    names = [entry.instructions for entry in entries]
    for name in names:
        if instructions_named(name) is UNKNOWN or names.count(name) > 1:
            raise ValueError(f"{name!r:.60} is no baseline, or there twice")
    return list(entries)


def read_cpu_code(entry: CpuEntry, sizes: Mapping[str, int], read: ReadMember) -> CpuCode:
    """A baseline's code, whose numbers are held against the sizes of the export.

    Raises ValueError.
    """
    once, plan = (_read_plan(read(name)) for name in (entry.once, entry.plan))
    saved = _at_saved(once, sizes), _at_saved(plan, sizes)
    libraries = tuple(SharedLibrary(read(each.file), each.functions) for each in entry.libraries)
    there = {name for library in libraries for name in library.functions}
    for each in (once, plan):
        for launch in launched(each):
            if each.kernels[launch.kernel].entry not in there:
                raise ValueError(f"there is no code for {launch}")
    pool = read(entry.pool)
    return CpuCode(entry.instructions, entry.compiler, once, plan, pool, libraries, saved)


def _read_plan(data: bytes) -> Plan:
    plan = plan_from_json(json_value(data))
    for step in plan.steps:
        if isinstance(step, HostStep):
            raise ValueError(f"it calls back to the host: {step.op}")
    return plan


def _at_saved(plan: Plan, sizes: Mapping[str, int]) -> Plan:
    """Held against the sizes of the export. Raises ValueError."""
    told = {symbol.key: symbol.value for symbol in symbols_in_data(plan)}
    if not told.items() <= sizes.items():
        raise ValueError(f"its sizes are {told}, those of the manifest {dict(sizes)}")
    return saved_plan_at(plan, sizes, as_saved=True)
