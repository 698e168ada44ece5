"""Winograd's transforms on CPUs: a tile of an image at once, channels in the lanes.

A patch is read once, its columns and then its rows are transformed in registers, and all that it
becomes is written; what is fused behind is computed for each element as it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node
from ir.ops.winograd import WinogradInput, WinogradOutput
from ir.winograd import Matrix, inputs_of, matrices

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access
from ..index import Affine, Base, IterationRange, delinearize, variable
from ..monomial import ONE, Monomial, product
from ..nodes import KernelBody
from ..rules.winograd import patch_place, product_access
from ..task import Scheduled, Task
from .nest import TILE, NestEmitter, V, emission


def tiled_node(body: Graph, lanes: int) -> Node | None:
    """The transform of images that a group is about, if its tensors lie in blocks of ``lanes``
    channels that nothing fills up."""
    found = [n for n in body.nodes if isinstance(n.op, WinogradInput | WinogradOutput)]
    if len(found) != 1:
        return None
    (node,) = found
    types = [node.inputs[0].type, *(port.value.type for port in body.outputs)]
    shapes = {port.value.shape for port in body.outputs}
    fits = shapes == {node.output.shape} and all(
        t.layout is not None and t.layout.block(1) == lanes and t.shape[1] % lanes == 0
        for t in types
    )
    return node if fits and _channels(node) % lanes == 0 else None


def schedule_winograd(task: Task, node: Node, lanes: int) -> Scheduled:
    config = Config((("U", 1), ("V", lanes)))
    return Scheduled([Choice(config)], lambda choice: [_Tiles(task, node, choice.config).kernel()])


def _channels(node: Node) -> int:
    """Of the image on one side of the transform."""
    image = node.inputs[0] if isinstance(node.op, WinogradInput) else node.output
    return image.shape[1]


class _Tiles:
    """Programs own a row of tiles, of a block of channels."""

    def __init__(self, task: Task, node: Node, config: Config) -> None:
        self.task, self.node, self.config = task, node, config
        self.emitter: NestEmitter = emission(task, task.builder(), config["V"])
        self.builder: KernelBuilder = self.emitter.builder
        self.inputs = self.emitter.extents(node.inputs[0].shape)
        self.results = self.emitter.extents(node.output.shape)

    def kernel(self) -> KernelBody:
        builder, op, lanes = self.builder, self.node.op, self.config["V"]
        is_input = isinstance(op, WinogradInput)
        image, tiles = (self.inputs, self.results) if is_input else (self.results, self.inputs)
        counts = [image[0], builder.blocks(image[1], lanes), tiles[2]]
        program = Base(builder.let(builder.program(), "i", "program"))
        places = [variable(Base(builder.index(p))) for p in delinearize(program, counts)]
        with builder.loop(builder.size(tiles[3]), hint="tile") as across:
            lane = Base(builder.lanes("V", V), below=lanes)
            inside = Affine(((IterationRange(lane, ONE, Monomial.of(lanes)), ONE),))
            channel = places[1].scaled(Monomial.of(lanes)).plus(inside)
            at = Access((places[0], channel, places[2], variable(Base(across))), image)
            (self._input if is_input else self._output)(at)
        why = f"{product(tiles[2:]).size} tiles per channel, each transformed in registers"
        grid = (product(counts).size, 1)
        return self.task.kernel(builder, op.name, TILE, self.config, grid, why)

    def _input(self, at: Access) -> None:
        """``at``: image, channel, and tile."""
        op, emitter = self.node.op, self.emitter
        assert isinstance(op, WinogradInput)
        (x,) = self.node.inputs
        t = inputs_of(op.tile)

        def read(i: int, j: int) -> Expr:
            places: list[Affine] = []
            conditions: list[Expr] = []
            for axis, step in ((2, i), (3, j)):
                pad = op.pad[axis - 2]
                place = patch_place(op.tile, at.coordinates[axis], step, pad)
                conditions += emitter.inside(place, step < pad, self.inputs[axis])
                places.append(place)
            access = Access((*at.coordinates[:2], *places), self.inputs)
            return emitter.emit_guarded(x, access.guarded(*conditions))

        here = Access(at.coordinates, self.results)
        channels = self.inputs[1]
        for (i, j), value in self._transformed(matrices(op.tile).inputs, read):
            self._store(
                product_access(emitter, i * t + j, at.coordinates[1], channels, here), value
            )

    def _output(self, at: Access) -> None:
        op, emitter = self.node.op, self.emitter
        assert isinstance(op, WinogradOutput)
        (x,) = self.node.inputs
        t = inputs_of(op.tile)
        here = Access(at.coordinates, self.inputs)

        def read(i: int, j: int) -> Expr:
            channels = self.results[1]
            place = product_access(emitter, i * t + j, at.coordinates[1], channels, here)
            return emitter.emit(x, place)

        for (i, j), value in self._transformed(matrices(op.tile).results, read):
            places: list[Affine] = []
            conditions: list[Expr] = []
            for axis, step in ((2, i), (3, j)):
                place = patch_place(op.tile, at.coordinates[axis], step, 0)
                extent = self.results[axis]
                if step and (extent.constant is None or extent.constant % op.tile):
                    conditions += emitter.inside(place, False, extent)
                places.append(place)
            access = Access((*at.coordinates[:2], *places), self.results)
            self._store(access.guarded(*conditions), value)

    def _store(self, at: Access, value: Expr) -> None:
        emitter = self.emitter
        emitter.preset(self.node.output, at, value)
        for port, buffer in self.task.ports:
            where = emitter.address(at, port.value.type)
            result = emitter.emit(port.value, at)
            emitter.store(buffer, port.name, where, result, at.guard)

    def _transformed(
        self, matrix: Matrix, read: Callable[[int, int], Expr]
    ) -> list[tuple[tuple[int, int], Expr]]:
        """``L patch L^T``: the columns of the patch first, as they are read."""
        size = range(len(matrix[0]))
        columns = []
        for j in size:
            column = [read(i, j) for i in size]
            columns.append([self._sum(row, column) for row in matrix])
        return [
            ((i, j), self._sum(row, [column[i] for column in columns]))
            for i in range(len(matrix))
            for j, row in enumerate(matrix)
        ]

    def _sum(self, factors: Sequence[float], values: Sequence[Expr]) -> Expr:
        total: Expr | None = None
        for factor, value in sorted(
            zip(factors, values, strict=True), key=lambda pair: abs(pair[0]) != 1
        ):
            if factor == 0:
                continue
            term = value if abs(factor) == 1 else value * e.const(abs(factor))
            if total is None:
                total = term if factor > 0 else -term
            else:
                total = total + term if factor > 0 else total - term
        assert total is not None, "no row of a transform is zero"
        return self.builder.let(total, "v")
