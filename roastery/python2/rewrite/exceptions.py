"""``raise`` with commas, and handlers: ``except E, e``, whose ``e`` outlives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CAUGHT = "py2_caught"


def rewrite_raise(node: Any) -> None:
    """``raise E, value, trace`` to ``raise py2_raised(E, value).with_traceback(trace)``.

    A value is the exception itself, the tuple of its arguments, None for none, or the only one.
    What is seen to be a text makes ``raise E("text")``.
    """
    from fissix.fixer_util import ArgList, Attr, Call, Name
    from fissix.pytree import Node

    children = node.children
    if len(children) < 4 or not _is(children[2], ","):
        return
    kind, value = children[1].clone(), children[3].clone()
    trace = children[5].clone() if len(children) == 6 else None
    kind.prefix = value.prefix = ""
    if _is_text(value):
        made = Call(kind, [value])
    else:
        value.prefix = " "
        made = Call(Name("py2_raised"), [kind, _comma(), value])
    if trace is not None and not _is(trace, "None"):
        trace.prefix = ""
        made = Node(made.type, [*Attr(made, Name("with_traceback")), ArgList([trace])])
    made.prefix = " "
    for child in list(children[1:]):
        child.remove()
    node.append_child(made)


def _is_text(value: Any) -> bool:
    """Whether it is a literal, or one that is put together of others: ``"x: %s" % x``."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    if value.type == token.STRING:
        return True
    if value.type == syms.atom:  # some side by side, or one in parentheses
        return all(
            child.type == token.STRING or _is(child, "(") or _is(child, ")") or _is_text(child)
            for child in value.children
        )
    if value.type in (syms.term, syms.arith_expr):
        return _is_text(value.children[0])
    return value.type == syms.power and _is_text(value.children[0])


def rewrite_handlers(node: Any) -> None:
    """``except E, e`` to ``except E as e``; ``e.message`` and ``e[0]`` to what they are now.

    Where the name is used outside of its handlers, and where it is no name (``except IOError,
    (number, text)``), a first line of the handler sets it.
    """
    from fissix.fixer_util import Name
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    children = node.children
    for at, clause in enumerate(children):
        if clause.type != syms.except_clause or len(clause.children) != 4:
            continue
        _, _, sign, target = clause.children
        suite = children[at + 2]
        if _is(sign, ","):
            sign.replace(Name("as", prefix=" "))
        is_name = target.type == token.NAME
        if is_name:
            _members(suite, target.value)
            if not _used_elsewhere(node, target):
                target.prefix = target.prefix or " "
                continue
        target.replace(Name(_CAUGHT, prefix=" "))
        many = target.type in (syms.atom, syms.testlist_gexp)
        target = target.clone()
        target.prefix = ""
        _set_first(suite, target, f"{_CAUGHT}.args" if many else _CAUGHT)


def _set_first(suite: Any, target: Any, value: str) -> None:
    """Put ``target = value`` before a handler's statements."""
    from fissix.fixer_util import Name
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms
    from fissix.pytree import Leaf, Node

    made = Node(
        syms.expr_stmt, [target, Leaf(token.EQUAL, "=", prefix=" "), Name(value, prefix=" ")]
    )
    if suite.type != syms.suite:  # on the line of the clause
        first = suite.children[0] if suite.type == syms.simple_stmt else suite
        made.prefix, first.prefix = first.prefix or " ", " "
        if suite.type == syms.simple_stmt:
            suite.insert_child(0, Leaf(token.SEMI, ";"))
            suite.insert_child(0, made)
        else:
            suite.replace(Node(syms.simple_stmt, [made, Leaf(token.SEMI, ";"), suite.clone()]))
        return
    place = next(at for at, child in enumerate(suite.children) if child.type == token.INDENT)
    following = suite.children[place + 1]
    following.prefix = suite.children[place].value + following.prefix
    suite.insert_child(place + 1, Node(syms.simple_stmt, [made, Leaf(token.NEWLINE, "\n")]))


def _used_elsewhere(node: Any, target: Any) -> bool:
    """Whether the name of a handler stands outside of handlers in the function or module."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    scope = node
    while scope.parent is not None and scope.type not in (syms.funcdef, syms.classdef):
        scope = scope.parent
    for leaf in _outside_handlers(scope, target.value):
        before = leaf.prev_sibling
        if leaf.type != token.NAME or leaf.value != target.value:
            continue
        if before is not None and before.type == token.DOT:
            continue
        if leaf.parent.type == syms.argument and _is(leaf.next_sibling, "="):
            continue
        return True
    return False


def _outside_handlers(node: Any, name: str) -> Iterator[Any]:
    """Leaves below a node that are in no handler of an exception under that name."""
    from fissix.pygram import python_symbols as syms

    children = node.children
    if not children:
        yield node
    skipped = False
    for child in children:
        if child.type == syms.except_clause and len(child.children) == 4:
            target = child.children[3]
            skipped = _is(target, name) or _is(target, _CAUGHT)
            if skipped:
                continue
        elif skipped and not _is(child, ":"):  # its statements
            skipped = False
            continue
        yield from _outside_handlers(child, name)


def _members(suite: Any, name: str) -> None:
    """``e.message`` to ``py2_message(e)``, ``e[0]`` to ``e.args[0]``."""
    from fissix.fixer_util import Call, Dot, Name
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms
    from fissix.pytree import Node

    for power in list(suite.post_order()):
        if power.type != syms.power or not _is(power.children[0], name):
            continue
        trailer = power.children[1]
        if trailer.type != syms.trailer:
            continue
        if _is(trailer.children[0], ".") and _is(trailer.children[1], "message"):
            prefix = power.prefix
            trailer.remove()
            power.children[0].replace(Call(Name("py2_message"), [Name(name)], prefix=prefix))
        elif _is(trailer.children[0], "[") and trailer.children[1].type == token.NUMBER:
            power.insert_child(1, Node(syms.trailer, [Dot(), Name("args")]))


def _is(leaf: Any, text: str) -> bool:
    return getattr(leaf, "value", None) == text


def _comma() -> Any:
    from fissix.pgen2 import token
    from fissix.pytree import Leaf

    return Leaf(token.COMMA, ",")
