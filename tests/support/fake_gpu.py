"""A CUDA executor on a driver made of Python: groups of ops are run by the reference.

Everything but the kernels is real: places, copies, captured launches, both sides of memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
from fake_cuda import FakeCuda

from compiler.binary import HIDDEN, Binary, Resources
from compiler.kernel import Config, Kernel, Launch, Parameter
from compiler.options import CompileOptions
from compiler.triton.compile import Job
from ir.graph import Graph, Node
from ir.graph_sizes import Substitution, named_sizes
from ir.interpret import run_node
from ir.ops.fusion import Fused, InWhole
from ir.size import value_of
from ir.types import TensorType
from runtime.cuda.backend import CudaBackend

Body = Callable[..., None]


class FakeGpu:
    """One fake GPU. ``compiled`` lists the kernels that were compiled for it."""

    def __init__(self, memory: int = 1 << 24, capability: int = 90) -> None:
        self.fake = FakeCuda(capability, memory=memory)
        self.compiled: list[Job] = []
        self._nodes: dict[str, Node] = {}
        self._count = 0

    def backend(self, early: bool | None = None) -> CudaBackend:
        """An executor whose kernels are the reference of their groups."""
        driver = self.fake.driver()
        return CudaBackend(0, driver=driver, compile=self.compile, lower=self.lower, early=early)

    def lower(
        self,
        node: Node,
        options: CompileOptions,
        number: Callable[[int], int] = value_of,
        known: object = None,
    ) -> list[Launch]:
        """One launch per group."""
        own = _numbered(node, number)
        source = f"{own.op!r} {[str(v.type) for v in own.inputs]}"
        self._nodes[source] = own
        values = (*node.inputs, *node.outputs)
        parameters = tuple(
            Parameter(f"p{i}", "pointer", v.type.dtype, divisible=True)
            for i, v in enumerate(values)
        )
        kernel = Kernel("group", source, parameters)
        label = node.outputs[0].name
        return [Launch(kernel, Config(()), values, (1, 1, 1), label, node.location, node.outputs)]

    def compile(self, jobs: Sequence[Job], progress: object = None) -> list[Binary]:
        return [self.install(job, self._body(self._nodes[job.kernel.source])) for job in jobs]

    def install(self, job: Job, body: Body) -> Binary:
        """A binary whose launches call ``body(grid, *arguments)``."""
        self.compiled.append(job)
        self._count += 1
        image = b"\x7fELF" + struct.pack("<I", self._count)
        kinds = (*(p.kind for p in job.kernel.parameters), *HIDDEN)
        self.fake.by_image[image] = (kinds, body)
        return Binary(
            entry=job.kernel.entry,
            architecture=job.architecture,
            num_warps=job.config.num_warps,
            arguments=kinds,
            scratch=(0, 1),
            resources=Resources(16, 0, 0, 0),
            triton="3.9.0",
            cubin=image,
            ptx="",
            early=job.early,
        )

    def _body(self, node: Node) -> Body:
        count = len(node.inputs)

        def run(grid: object, *addresses: int) -> None:
            held = self._held(node, addresses)
            results = [np.array(r) for r in run_node(node, held[:count])]  # may overwrite an input
            for array, result in zip(held[count:], results, strict=True):
                array[...] = result

        return run

    def _held(self, node: Node, addresses: Sequence[int]) -> list[np.ndarray]:
        """Operands and results where memory has them: in their layouts, and in larger tensors."""
        assert isinstance(node.op, Fused)
        values, places = (*node.inputs, *node.outputs), node.op.places
        return [
            self._array(address, value.type, places.get(number, ()))
            for number, (address, value) in enumerate(zip(addresses, values, strict=False))
        ]

    def _array(self, address: int, type: TensorType, places: Sequence[InWhole]) -> np.ndarray:
        first, whole = [0] * len(type.shape), list(type.shape)
        for place in places:
            first[place.axis] += place.start
            whole[place.axis] = place.extent
        order = list(range(len(whole)))
        if type.layout is not None:
            assert not any(part.block for part in type.layout.parts), "GPUs have no blocks"
            order = [part.axis for part in type.layout.parts]
        array = self.fake.array(address, tuple(whole[axis] for axis in order), type.dtype.numpy)
        ends = map(sum, zip(first, type.shape, strict=True))
        return array.transpose(np.argsort(order))[(..., *map(slice, first, ends))]


def _numbered(node: Node, number: Callable[[int], int]) -> Node:
    """The node where sizes, those in expressions as well, are what ``number`` says."""
    _, sizes = named_sizes(Graph("", (), (node,), ()))
    return Substitution({name: number(size) for name, size in sizes.items()}).node(node)
