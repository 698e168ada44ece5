"""Expressions in which some nodes are exchanged for others."""

from __future__ import annotations

from .expr import Expr, arguments, primitive, walk


def rebuild(root: Expr, replace: dict[Expr, Expr]) -> Expr:
    """``root`` with the nodes in ``replace`` exchanged, simplifications re-applied."""
    if not replace:
        return root
    done = dict(replace)
    for node in walk(root):
        if node in done:
            continue
        if not node.args or all(done[a] is a for a in node.args):
            done[node] = node
        else:
            done[node] = primitive(node.op, *(done[a] for a in node.args))
    return done[root]


def substitute(root: Expr, inputs: dict[int, Expr]) -> Expr:
    """``root`` with ``arg(i)`` replaced by ``inputs[i]``: fusion of two pointwise ops."""
    others = {leaf: inputs[i] for i, leaf in arguments(root).items() if i in inputs}
    return rebuild(root, {leaf: x for leaf, x in others.items() if x is not leaf})


def without_gradient_marks(root: Expr) -> Expr:
    """Drop ``stop`` and ``grad_as``, which mean nothing once backward is built."""
    done: dict[Expr, Expr] = {}
    for node in walk(root):
        if node.op in ("stop", "grad_as"):
            done[node] = done[node.args[0]]
        elif node.args:
            done[node] = primitive(node.op, *(done[a] for a in node.args))
        else:
            done[node] = node
    return done[root]
