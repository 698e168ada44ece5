"""An artifact on the CPU by the machine code that is in it, as the ``cpu`` executor runs it."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping

from compiler.instructions import INSTRUCTIONS, instructions_named
from compiler.kernel import Kernel
from compiler.plan.plan import Plan
from compiler.plan.saved_sizes import saved_plan_at
from ir.errors import RoasteryError
from ir.ports import PortKey, Role
from runtime.cpu.graph import CpuGraph
from runtime.cpu.launcher import CLauncher
from runtime.cpu.pool import Pool
from runtime.cpu.shared_code import function_address, load_code
from runtime.memory.buffers import Buffer

from .bound import ArtifactMemory, BoundArtifact
from .cpu_code import CpuCode, plan_member
from .errors import ArtifactError
from .planned import sizes_key
from .reader import Artifact


def best_baseline(there: Mapping[str, object], machine: str) -> str | None:
    """Of the baselines that are there, the one with the most of what a CPU has; None: it runs none.

    ``machine``: its instructions.
    """
    own = instructions_named(machine)
    if own not in INSTRUCTIONS:
        return None
    fitting = (i.name for i in INSTRUCTIONS[INSTRUCTIONS.index(own) :] if i.machine == own.machine)
    return next((name for name in fitting if name in there), None)


class CompiledRunner:
    """By up to so many threads. Raises RoasteryError where the system does not load the code."""

    def __init__(self, artifact: Artifact, code: CpuCode, threads: int) -> None:
        self._plan, self._saved = code.plan, artifact.manifest.sizes
        assert code.saved is not None, "it was read from a file"
        once, self._plan_as_saved = code.saved
        self._layouts = artifact.layouts(plan_member(code.instructions))
        artifact.finish()  # nothing of a damaged file runs
        self._launcher = CLauncher(_Functions(code), _pool(code.pool), threads)
        self.memory = ArtifactMemory(artifact)
        self.memory.computed = self._computed(once)

    def bind(self, sizes: Mapping[str, int]) -> BoundArtifact:
        plan = self._plan_as_saved if sizes == self._saved else self._at(sizes)
        inputs, outputs = (
            {port.key: plan.buffers[port.buffer].type for port in ports}
            for ports in (plan.inputs, plan.outputs)
        )
        asked = sum(type.nbytes for type in (inputs | outputs).values())
        self.memory.require(asked + plan.memory.nbytes)
        buffers = self.memory.buffers(inputs, outputs, sizes)
        return CpuGraph(plan, {}, self._launcher, *buffers), *buffers

    def _at(self, sizes: Mapping[str, int]) -> Plan:
        try:
            return saved_plan_at(self._plan, sizes, memory=self._layouts.get(sizes_key(sizes)))
        except ValueError as error:
            path = self.memory.path
            raise ArtifactError(path, f"its plan cannot have {dict(sizes)}: {error}") from error

    def _computed(self, plan: Plan) -> dict[PortKey, Buffer]:
        """What kernels read of the weights, in the order in which they read it."""
        types = {port.key: plan.buffers[port.buffer].type for port in (*plan.inputs, *plan.outputs)}
        self.memory.require(sum(type.nbytes for type in types.values()) + plan.memory.nbytes)
        inputs = {port.key: self.memory.weight(port.key, types[port.key]) for port in plan.inputs}
        outputs = {port.key: Buffer(types[port.key]) for port in plan.outputs}
        CpuGraph(plan, {}, self._launcher, inputs, outputs).run()
        return {PortKey(Role.PARAMETER, key.name): buffer for key, buffer in outputs.items()}


class _Functions:
    """Where the functions of kernels are."""

    def __init__(self, code: CpuCode) -> None:
        self._addresses: dict[str, int] = {}
        for library in code.libraries:
            loaded = load_code(library.code)
            for name in library.functions:
                self._addresses[name] = _address(loaded, name)

    def __getitem__(self, kernel: Kernel) -> int:
        return self._addresses[kernel.entry]


def _address(library: ctypes.CDLL, name: str) -> int:
    try:
        return function_address(library, name)
    except AttributeError:
        raise RoasteryError(f"compiled kernels lack the function {name!r:.60}") from None


@functools.cache
def _pool(code: bytes) -> Pool:
    """One for all artifacts of a process that have the same."""
    return Pool(load_code(code))
