"""Convolutions, their adjoints, and products of matrices."""

from __future__ import annotations

from ir.graph import Node, Value
from ir.ops.convolution import Conv, ConvInputGrad
from ir.ops.matmul import MatMul
from ir.ops.pointwise import Map
from ir.size import Size

from ..maps import only_expression, plain_operands
from ..patterns import Around, EmitNode, OneNode, pattern
from ..registry import expresses
from ..unsupported import Unsupported
from ..writer import Writer


@expresses(Conv, half=True)
def windowed_product(writer: Writer, node: Node) -> list[str]:
    return [convolved(writer, node)]


@expresses(ConvInputGrad, half=True)
def transposed_convolution(writer: Writer, node: Node) -> list[str]:
    return [convolved(writer, node)]


@expresses(MatMul, half=True)
def matmul(writer: Writer, node: Node) -> list[str]:
    return [matrix_product(writer, node)]


def convolved(writer: Writer, node: Node, bias: str = "") -> str:
    """Either convolution, with a bias of one number a channel."""
    op = node.op
    assert isinstance(op, Conv | ConvInputGrad)
    x, w = node.inputs
    if any(isinstance(d, Size) for d in w.shape):
        raise Unsupported("the window of the convolution follows from the size of an input")
    inputs = [writer.of(x), writer.of(w), *([bias] if bias else [])]
    more: list[int] | None = None
    if isinstance(op, ConvInputGrad):
        more = [
            full - (stride * (extent - 1) + dilation * (window - 1) + 1 - 2 * pad)
            for full, extent, window, stride, pad, dilation in zip(
                op.spatial, x.shape[2:], w.shape[2:], op.stride, op.pad, op.dilation, strict=True
            )
        ]
        if any(isinstance(d, Size) for d in more):
            raise Unsupported("what is added behind its result follows from the size of an input")
        more = more if any(more) else None
    return writer.node(
        "Conv" if isinstance(op, Conv) else "ConvTranspose",
        inputs,
        kernel_shape=list(w.shape[2:]),
        strides=list(op.stride),
        pads=[*op.pad, *op.pad],
        dilations=list(op.dilation),
        group=op.group,
        output_padding=more,
    )


def matrix_product(writer: Writer, node: Node, bias: str = "") -> str:
    """A product of matrices, with a bias of one number a column."""
    op = node.op
    assert isinstance(op, MatMul)
    names = list(map(writer.of, node.inputs))
    rank = node.inputs[0].type.rank
    if rank == 2:
        return writer.node(
            "Gemm",
            [*names, *([bias] if bias else [])],
            transA=int(op.transpose_a),
            transB=int(op.transpose_b),
        )
    turned = [*range(rank - 2), rank - 1, rank - 2]
    for i, turns in enumerate((op.transpose_a, op.transpose_b)):
        if turns:
            names[i] = writer.node("Transpose", [names[i]], perm=turned)
    return writer.node("MatMul", names)


@pattern(Map)
def bias(around: Around, node: Node) -> OneNode | None:
    """A contraction and what is added along its channels: Conv, ConvTranspose or Gemm."""
    root = only_expression(node)
    found = plain_operands(node, root, "add") if root is not None else None
    for x, added in (found, found[::-1]) if found else ():
        inner = around.graph.producers.get(x)
        if inner is None or not isinstance(inner.op, Conv | ConvInputGrad | MatMul):
            continue
        rank = x.type.rank
        axis = 1 if not isinstance(inner.op, MatMul) else rank - 1
        if isinstance(inner.op, MatMul) and rank != 2:
            continue
        along = tuple(d if i == axis else 1 for i, d in enumerate(x.shape))
        if isinstance(x.shape[axis], Size) or node.output.shape != x.shape:
            continue
        if added.shape != along or not around.only_read_by(x, node):
            continue
        if added.type.dtype is not x.type.dtype:
            continue
        return OneNode((inner, node), _with_bias(inner, added))
    return None


def _with_bias(inner: Node, added: Value) -> EmitNode:
    def emit(writer: Writer) -> list[str]:
        made = matrix_product if isinstance(inner.op, MatMul) else convolved
        return [made(writer, inner, writer.flat(added))]

    return emit
