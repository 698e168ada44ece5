"""A plan with launches put together, and the launches that its kernels are compiled of."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from compiler.kernel import Config, Kernel, Launch, Scratch
from compiler.kernels.launch import Light
from compiler.kernels.task import AsNumber
from compiler.plan.arena import lower_bound
from compiler.plan.memory import lifetimes
from compiler.plan.plan import Plan, PlanLaunch, Repeat, Step
from ir.ports import Role
from ir.size import Size

from .body import BundlePart
from .bundle import bundle_of
from .limits import SMALLEST, WORTH, more_memory, most_held
from .order import Candidate, advanced, delayed


class _Kind(enum.Enum):
    """Of light launches, in the order in which they are put together."""

    COPIES = enum.auto()  # what others read
    RESULTS = enum.auto()  # what only ports show, of what is made here
    SUMS = enum.auto()  # of parts


@dataclass(frozen=True, slots=True)
class _Item:
    """A step of a plan with what is launched in it; of kernels that are to share it: their items.
    Its step then tells no more than which buffers it uses."""

    step: Step
    launches: tuple[Launch, ...] = ()
    parts: tuple[_Item, ...] = ()


def with_bundles(
    plan: Plan, launches: Sequence[Launch], number: AsNumber, *, frugal: bool = False
) -> tuple[Plan, tuple[Launch, ...]]:
    """The plan with fewer launches, and these.

    Copies and the like run before the first of them is needed, sums of parts when the last part
    is there, and small kernels that make what ports alone show when all they read is there. A
    launch changes its place only where no step between uses what it writes, or writes what it
    uses. Where that takes too much memory, fewer wait for each other.

    Args:
        plan: of any sizes, its buffers without places. launches: of its kernels, in order.
        number: what sizes are: they decide how much is held.
        frugal: the plan may need no more memory than before.
    """
    items = _items(plan, launches)
    light = any(isinstance(launch.light, Light) for launch in launches)
    before, most = (_peak(plan, items, number), most_held(plan)) if light else (0, 0)
    allowed = before if frugal else before + more_memory(before)
    while most >= SMALLEST:
        chosen = _chosen(plan, items, number, most)
        if _peak(plan, chosen, number) <= allowed:
            return _planned(plan, [_bundle(item) if item.parts else item for item in chosen])
        most //= 2
    return plan, tuple(launches)


def _peak(plan: Plan, items: Sequence[_Item], number: AsNumber) -> int:
    """The most bytes of the arena that are in use at one time."""
    found = lifetimes(replace(plan, steps=tuple(item.step for item in items)))
    return lower_bound([replace(each, size=number(each.size)) for each in found])


def _chosen(plan: Plan, items: Sequence[_Item], number: AsNumber, most: int) -> list[_Item]:
    """The items, with some put together."""
    found = list(items)
    for kind in _Kind:
        choose = advanced if kind is _Kind.COPIES else delayed
        candidates = dict(_candidates(plan, found, kind, number))
        gone: set[int] = set()
        together: dict[int, _Item] = {}
        for numbers in choose([item.step for item in found], candidates, most):
            gone.update(numbers)
            place = numbers[0] if choose is advanced else numbers[-1]
            together[place] = _together([found[n] for n in numbers])
        each = enumerate(found)
        found = [together.get(n, item) for n, item in each if n in together or n not in gone]
    return found


def _together(parts: Sequence[_Item]) -> _Item:
    steps = [part.step for part in parts if isinstance(part.step, PlanLaunch)]
    used = tuple(argument for step in steps for argument in step.arguments)
    written = tuple(dict.fromkeys(number for step in steps for number in step.writes))
    step = PlanLaunch(0, Config(()), used, (1, 1, 1), written, "")
    return _Item(step, parts=tuple(parts))


def _items(plan: Plan, launches: Sequence[Launch]) -> list[_Item]:
    coming = iter(launches)
    items = []
    for step in plan.steps:
        count = len(step.launches) if isinstance(step, Repeat) else isinstance(step, PlanLaunch)
        items.append(_Item(step, tuple(next(coming) for _ in range(count))))
    return items


def _candidates(
    plan: Plan, items: Sequence[_Item], kind: _Kind, number: AsNumber
) -> Iterable[tuple[int, Candidate]]:
    """Light launches of a kind."""
    bound = plan.bound
    completed = _completed(plan, items, number)
    for place, item in enumerate(items):
        if not isinstance(item.step, PlanLaunch) or item.parts:
            continue
        (launch,) = item.launches
        parts = [a for a in launch.arguments if isinstance(a, Scratch)]
        written = set(item.step.writes)
        light = launch.light
        read = set(item.step.uses) - written
        last = not parts and written <= bound and not read <= bound
        own = _Kind.SUMS if parts else _Kind.RESULTS if last else _Kind.COPIES
        if not isinstance(light, Light) or own is not kind:
            continue
        waiting = read if last else written
        sizes = {n: plan.buffers[n].type.nbytes for n in written | waiting}
        if any(isinstance(nbytes, Size) for nbytes in sizes.values()):
            continue  # at other sizes it may be large, and other kernels would be compiled
        waits = [s.nbytes for s in parts] or [sizes[n] for n in waiting - bound]
        held = sum(map(number, waits))
        if held <= WORTH:
            task, config = light.ways.task, launch.config
            names = tuple(name for name, _ in config.constants)
            like = launch.kernel.entry, names, config.num_stages, task.wide, task.node.direction
            done = 0 if kind is _Kind.COPIES else completed[place]
            yield place, Candidate(like, held, len(launch.arguments), done)


def _completed(plan: Plan, items: Sequence[_Item], number: AsNumber) -> list[int]:
    """Before each item, bytes of diffs that nobody adds to any more."""
    last = {buffer: place for place, item in enumerate(items) for buffer in item.step.writes}
    diffs = {port.buffer for port in plan.outputs if port.role is Role.GRADIENT}
    made = [0] * (len(items) + 1)
    for buffer in diffs & last.keys():
        made[last[buffer] + 1] += number(plan.buffers[buffer].type.nbytes)
    return list(accumulate(made))


def _bundle(item: _Item) -> _Item:
    """The launch that its parts become."""
    parts = []
    for part in item.parts:
        assert isinstance(part.step, PlanLaunch)
        parts.append(BundlePart(part.launches[0], part.step.arguments))
    launch, arguments = bundle_of(parts)
    writes, place = item.step.writes, str(launch.location)
    step = PlanLaunch(0, launch.config, arguments, launch.grid, writes, launch.label, place)
    return _Item(step, (launch,))


def _planned(plan: Plan, items: Sequence[_Item]) -> tuple[Plan, tuple[Launch, ...]]:
    """Kernels are numbered anew: not all are left."""
    kernels: dict[Kernel, int] = {}

    def numbered(step: PlanLaunch, launch: Launch) -> PlanLaunch:
        return replace(step, kernel=kernels.setdefault(launch.kernel, len(kernels)))

    steps: list[Step] = []
    for item in items:
        step = item.step
        if isinstance(step, PlanLaunch):
            step = numbered(step, item.launches[0])
        elif isinstance(step, Repeat):
            inner = zip(step.launches, item.launches, strict=True)
            step = replace(step, launches=tuple(numbered(*each) for each in inner))
        steps.append(step)
    launches = tuple(launch for item in items for launch in item.launches)
    return replace(plan, kernels=tuple(kernels), steps=tuple(steps)), launches
