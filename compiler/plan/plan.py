"""A compiled graph as plain data: what an executor runs, and what an artifact holds.

Numbers, texts, and tuples of them; no graph, node or value. Whatever follows from a shape (types of
buffers, arguments, grids, lengths of copies) stands in the steps and buffers; where the buffers lie
is made from them by :func:`compiler.plan.memory.place_buffers`. A *kernel* is one text. The same
graph at another batch or image size launches the same kernels with other arguments, and may choose
other tile configurations; and what some shapes split to fill a device takes a second kernel there,
which adds up the parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from compiler.kernel import Config, Kernel
from ir.ports import PortKey, Role
from ir.types import TensorType


@dataclass(frozen=True, slots=True)
class PlanBuffer:
    """Memory for a value, for what a view shows of it, and for results that take its place."""

    name: str
    type: TensorType


@dataclass(frozen=True, slots=True)
class PlanPort:
    """A buffer that the caller binds. An output that is a variable has its input's buffer."""

    role: Role
    name: str
    buffer: int

    @property
    def key(self) -> PortKey:
        return PortKey(self.role, self.name)


@dataclass(frozen=True, slots=True)
class Ref:
    """An argument that is the address of a buffer."""

    buffer: int


@dataclass(frozen=True, slots=True)
class PartRef:
    """An argument that is the address of so many bytes in a buffer: what :class:`Moving` is in one
    turn."""

    buffer: int
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Moving:
    """An argument that is another address in each turn of a repetition: of ``nbytes`` in a buffer,
    which begin at ``start`` in the first turn, and ``stride`` bytes further in each next one.

    ``cycle``: so many bytes behind the begin of the buffer they begin there again; 0: never.
    ``first``, ``last``: other buffers that take its place in the first and in the last turn.
    """

    buffer: int
    start: int
    stride: int
    nbytes: int
    cycle: int = 0
    first: int | None = None
    last: int | None = None

    def at(self, turn: int, turns: int) -> Ref | PartRef:
        if turn == 0 and self.first is not None:
            return Ref(self.first)
        if turn == turns - 1 and self.last is not None:
            return Ref(self.last)
        offset = self.start + self.stride * turn
        return PartRef(self.buffer, offset % self.cycle if self.cycle else offset, self.nbytes)

    @property
    def buffers(self) -> tuple[int, ...]:
        return tuple(b for b in (self.buffer, self.first, self.last) if b is not None)


PlanArgument = Ref | PartRef | Moving | int | float
"""A launch in a plan holds no parts, one of the plain steps nothing that moves."""


@dataclass(frozen=True, slots=True)
class PlanLaunch:
    """One call of a kernel in a tile configuration: arguments in the order of its parameters, and
    the grid.

    ``label`` is the readable name (``conv1_relu1``; of kernels that share a launch all names),
    ``location`` the (first) layer that it came from. A grid with a 0 is not launched.
    """

    kernel: int
    config: Config
    arguments: tuple[PlanArgument, ...]
    grid: tuple[int, int, int]
    writes: tuple[int, ...]
    label: str
    location: str = ""

    @property
    def uses(self) -> tuple[int, ...]:
        """Buffers that it reads or writes."""
        given = [a.buffer for a in self.arguments if isinstance(a, Ref | PartRef)]
        moving = [b for a in self.arguments if isinstance(a, Moving) for b in a.buffers]
        return (*given, *moving, *self.writes)

    def at(self, turn: int, turns: int) -> PlanLaunch:
        """What it is in one of the turns of a repetition."""
        moved = (a.at(turn, turns) if isinstance(a, Moving) else a for a in self.arguments)
        return replace(self, arguments=tuple(moved))

    def __str__(self) -> str:
        return f"kernel {self.label} (from {self.location or 'unknown'})"


@dataclass(frozen=True, slots=True)
class HostTensor:
    """What a host op reads or writes: a buffer, as a tensor of a type."""

    buffer: int
    type: TensorType


@dataclass(frozen=True, slots=True)
class HostStep:
    """A node of the graph that runs on the host, between segments. What it does is no data: the
    executor is given the op. If that is DYNAMIC, what follows is planned again for the sizes that
    come out."""

    node: int
    op: str
    inputs: tuple[HostTensor, ...]
    outputs: tuple[HostTensor, ...]
    location: str = ""

    @property
    def writes(self) -> tuple[int, ...]:
        return tuple(tensor.buffer for tensor in self.outputs)

    @property
    def uses(self) -> tuple[int, ...]:
        return tuple(tensor.buffer for tensor in (*self.inputs, *self.outputs))


@dataclass(frozen=True, slots=True)
class Copy:
    """The first ``nbytes`` of a buffer, copied to the begin of another one."""

    source: int
    target: int
    nbytes: int

    @property
    def writes(self) -> tuple[int, ...]:
        return (self.target,)

    @property
    def uses(self) -> tuple[int, ...]:
        return (self.source, self.target)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Launches that run one after the other, ``turns`` times: the steps of a loop. Of one turn to
    the next addresses change, and nothing else."""

    turns: int
    launches: tuple[PlanLaunch, ...]

    @property
    def writes(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(b for launch in self.launches for b in launch.writes))

    @property
    def uses(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(b for launch in self.launches for b in launch.uses))

    @property
    def moving(self) -> set[int]:
        """Buffers of which a turn uses a part."""
        given = (a for launch in self.launches for a in launch.arguments)
        return {a.buffer for a in given if isinstance(a, Moving)}

    def unrolled(self) -> Iterator[PlanLaunch]:
        for turn in range(self.turns):
            for launch in self.launches:
                yield launch.at(turn, self.turns)


Step = PlanLaunch | HostStep | Copy | Repeat
PlainStep = PlanLaunch | HostStep | Copy
Segment = list[PlanLaunch | Copy]
"""Steps that run one after the other without the host: captured as one CUDA graph."""


@dataclass(frozen=True, slots=True)
class ArenaLayout:
    """Where buffers lie: of each the first byte in the arena (None: the caller binds it), and the
    bytes of the arena."""

    offsets: tuple[int | None, ...] = ()
    nbytes: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs, in order, and in which memory. Kernels, buffers and steps are named by number."""

    name: str
    kernels: tuple[Kernel, ...]
    buffers: tuple[PlanBuffer, ...]
    inputs: tuple[PlanPort, ...]
    outputs: tuple[PlanPort, ...]
    steps: tuple[Step, ...]
    memory: ArenaLayout = ArenaLayout()

    @property
    def bound(self) -> set[int]:
        """The buffers that the caller binds."""
        return {port.buffer for port in (*self.inputs, *self.outputs)}

    def bytes_of(self, argument: Ref | PartRef) -> int:
        """That a kernel may look at there."""
        if isinstance(argument, PartRef):
            return argument.nbytes
        return self.buffers[argument.buffer].type.nbytes

    @property
    def launches(self) -> tuple[PlanLaunch, ...]:
        """Those of a repetition once."""
        found: list[PlanLaunch] = []
        for step in self.steps:
            if isinstance(step, Repeat):
                found += step.launches
            elif isinstance(step, PlanLaunch):
                found.append(step)
        return tuple(found)

    @property
    def launch_count(self) -> int:
        """How many launches run."""
        again = sum((repeat.turns - 1) * len(repeat.launches) for repeat in self.repeats)
        return len(self.launches) + again

    @property
    def repeats(self) -> tuple[Repeat, ...]:
        return tuple(step for step in self.steps if isinstance(step, Repeat))

    @property
    def plain_steps(self) -> Iterator[PlainStep]:
        """What runs, with repetitions written out."""
        for step in self.steps:
            if isinstance(step, Repeat):
                yield from step.unrolled()
            else:
                yield step

    @property
    def parts(self) -> list[Segment | HostStep]:
        """The plain steps, those between two host steps together."""
        return self.parts_between(())[0]

    def parts_between(self, stops: Collection[int]) -> list[list[Segment | HostStep]]:
        """The parts up to the end of each of some steps, by number, and the rest."""
        found: list[list[Segment | HostStep]] = [[]]
        for number, step in enumerate(self.steps):
            for plain in step.unrolled() if isinstance(step, Repeat) else (step,):
                last = found[-1][-1] if found[-1] else None
                if isinstance(plain, HostStep):
                    found[-1].append(plain)
                elif isinstance(last, list):
                    last.append(plain)
                else:
                    found[-1].append([plain])
            if number in stops:
                found.append([])
        return found

    @property
    def complete_after(self) -> dict[str, int]:
        """The number of the step after which this plan adds nothing more to the diff of each
        variable (the last that writes it; -1: none does). From there on the diff is complete, but
        where another plan of the same pass adds to it: who runs several knows which is the last."""
        last = {buffer: i for i, step in enumerate(self.steps) for buffer in step.writes}
        outputs = [port for port in self.outputs if port.role is Role.GRADIENT]
        return {port.name: last.get(port.buffer, -1) for port in outputs}

    @property
    def results_after(self) -> int:
        """The number of the step after which all results are there (-1: there are none). Of a
        training pass that is the end of forward."""
        results = {port.buffer for port in self.outputs if port.role is Role.RESULT}
        wrote = (i for i, step in enumerate(self.steps) if not results.isdisjoint(step.writes))
        return max(wrote, default=-1)
