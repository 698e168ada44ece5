"""Parameters of ``lambda`` that are tuples."""

from __future__ import annotations

from typing import Any


def rewrite_lambda(node: Any) -> None:
    """``lambda x, (y, z): e`` to ``lambda x, y_z: (lambda y, z: e)(*y_z)``.

    A tuple that is the only parameter has been rewritten before.
    """
    from fissix.fixer_util import Call, LParen, Name, RParen
    from fissix.pgen2 import token
    from fissix.pytree import Leaf, Node

    if len(node.children) != 4:
        return
    parameters = node.children[1]
    tuples = [each for each in _several(parameters) if _is_tuple(each)]
    for each in tuples:
        names = [leaf.value for leaf in each.leaves() if leaf.type == token.NAME]
        name = "_".join(names)
        inner = each.children[1].clone()
        inner.prefix = " "
        body = node.children[3].clone()
        body.prefix = " "
        made = Node(node.type, [Name("lambda"), inner, Leaf(token.COLON, ":"), body])
        rewrite_lambda(made)
        called = Call(
            Node(_atom(), [LParen(), made, RParen()]),
            [Leaf(token.STAR, "*"), Name(name)],
            prefix=" ",
        )
        node.children[3].replace(called)
        each.replace(Name(name, prefix=each.prefix))


def _several(parameters: Any) -> list[Any]:
    """The parameters one by one."""
    from fissix.pygram import python_symbols as syms

    one = _is_tuple(parameters) or parameters.type not in (syms.varargslist, syms.vfplist)
    return [parameters] if one else list(parameters.children)


def _is_tuple(node: Any) -> bool:
    from fissix.pygram import python_symbols as syms

    return node.type == syms.vfpdef


def _atom() -> int:
    from fissix.pygram import python_symbols as syms

    return int(syms.atom)
