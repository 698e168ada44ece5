"""Transforms of patches on CPUs: a patch of an image at once, channels in the lanes.

It is read once, its columns and then its rows are transformed in registers, and all that it becomes
is written; what is fused behind is computed for each element as it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node
from ir.patches import PatchTransform
from ir.types import TensorType

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access
from ..index import Affine, Base, IterationRange, delinearize, variable
from ..monomial import ONE, Monomial, product
from ..nodes import KernelBody
from ..patches import patch_place, product_access
from ..task import Scheduled, Task
from .nests.emitter import NestEmitter, emission
from .nests.tile import TILE, V


def patch_node(body: Graph, lanes: int) -> Node | None:
    """The transform that a group is about, if vectors of ``lanes`` channels fill its tensors."""
    found = [n for n in body.nodes if n.op.patches]
    if len(found) != 1:
        return None
    (node,) = found
    values = [node.inputs[0], node.output, *(port.value for port in body.outputs)]
    fits = all(v.shape == node.output.shape for v in values[2:]) and all(
        v.shape[1] % lanes == 0 and _lies(v.type, node, lanes) for v in values
    )
    return node if fits else None


def _lies(type: TensorType, node: Node, lanes: int) -> bool:
    """Images in blocks of as many channels as there are lanes; weights, which few kernels make, in
    any order."""
    if node.op.patches and node.op.patches.axis == 0:
        return True
    return type.layout is not None and type.layout.block(1) == lanes


def schedule_patches(task: Task, node: Node, lanes: int) -> Scheduled:
    config = Config((("U", 1), ("V", lanes)))
    return Scheduled(
        [Choice(config)], lambda choice: [_Patches(task, node, choice.config).kernel()]
    )


class _Patches:
    """Programs own a row of patches, of a block of channels."""

    def __init__(self, task: Task, node: Node, config: Config) -> None:
        assert node.op.patches is not None, "it transforms patches"
        self.task, self.node, self.config = task, node, config
        self.transform: PatchTransform = node.op.patches
        self.emitter: NestEmitter = emission(task, task.builder(), config["V"])
        self.builder: KernelBuilder = self.emitter.builder
        self.operand = self.emitter.extents(node.inputs[0].shape)
        self.results = self.emitter.extents(node.output.shape)

    def kernel(self) -> KernelBody:
        builder, lanes = self.builder, self.config["V"]
        image, patches = self.operand, self.results
        if self.transform.to_image:
            image, patches = patches, image
        counts = [image[0], builder.blocks(image[1], lanes), patches[2]]
        program = Base(builder.let(builder.program(), "i", "program"))
        number, block, down = (
            variable(Base(builder.index(place))) for place in delinearize(program, counts)
        )
        with builder.loop(builder.size(patches[3]), hint="patch") as across:
            lane = IterationRange(Base(builder.lanes("V", V), below=lanes), ONE, Monomial.of(lanes))
            channel = block.scaled(Monomial.of(lanes)).plus(Affine(((lane, ONE),)))
            at = (number, channel, down, variable(Base(across)))
            place = self._image_place if self.transform.to_image else self._product_place
            other = self._product_place if self.transform.to_image else self._image_place

            def read(i: int, j: int) -> Expr:
                access = other(i, j, at, self.operand, self.results)
                return self.emitter.emit_guarded(self.node.inputs[0], access)

            for (i, j), value in self._transformed(read):
                self._store(place(i, j, at, self.results, self.operand), value)
        count = product(patches[2:]).size
        why = f"{count} patches per channel, each transformed in registers"
        return self.task.kernel(
            builder, self.node.op.name, TILE, self.config, (product(counts).size, 1), why
        )

    def _image_place(
        self, i: int, j: int, at: Sequence[Affine], extents: Sequence[Monomial], _: object
    ) -> Access:
        """Of an element of a patch, in the image."""
        transform = self.transform
        places: list[Affine] = []
        conditions: list[Expr] = []
        for axis, step in ((2, i), (3, j)):
            pad = transform.pad[axis - 2]
            place = patch_place(transform.step, at[axis], step, pad)
            extent = extents[axis]
            begins = transform.to_image and not step  # of patches the first element is inside
            whole = extent.constant and extent.constant % transform.step == 0
            exact = whole and (transform.to_image or transform.axis == 0)
            if not (begins or exact):
                conditions += self.emitter.inside(place, step < pad, extent)
            places.append(place)
        return Access((*at[:2], *places), tuple(extents)).guarded(*conditions)

    def _product_place(
        self,
        i: int,
        j: int,
        at: Sequence[Affine],
        extents: Sequence[Monomial],
        image: Sequence[Monomial],
    ) -> Access:
        """Of an element of a patch, in the channel of its own."""
        width = len(self.transform.left[0] if self.transform.to_image else self.transform.left)
        here, axis = Access(tuple(at), tuple(extents)), self.transform.axis
        return product_access(i * width + j, image[axis], here, axis)

    def _store(self, at: Access, value: Expr) -> None:
        emitter = self.emitter
        emitter.preset(self.node.output, at, value)
        for port, buffer in self.task.ports:
            where = emitter.address(at, port.value.type)
            result = emitter.emit(port.value, at)
            emitter.store(buffer, port.name, where, result, at.guard)

    def _transformed(
        self, read: Callable[[int, int], Expr]
    ) -> Iterator[tuple[tuple[int, int], Expr]]:
        """``L patch L^T``: the columns of the patch first, as they are read."""
        left, size = self.transform.left, range(self.transform.size)
        columns = []
        for j in size:
            column = [read(i, j) for i in size]
            columns.append([self._sum(row, column) for row in left])
        for i in range(len(left)):
            for j, row in enumerate(left):
                yield (i, j), self._sum(row, [column[i] for column in columns])

    def _sum(self, factors: Sequence[float], values: Sequence[Expr]) -> Expr:
        """Begins with what is not multiplied."""
        total: Expr | None = None
        pairs = [pair for pair in zip(factors, values, strict=True) if pair[0]]
        for factor, value in sorted(pairs, key=lambda pair: abs(pair[0]) != 1):
            term = value if abs(factor) == 1 else value * e.const(abs(factor))
            if total is None:
                total = term if factor > 0 else -term
            else:
                total = total + term if factor > 0 else total - term
        assert total is not None, "no row of a transform is zero"
        return self.builder.let(total, "v")
