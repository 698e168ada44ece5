"""Variables of list comprehensions, which outlived them."""

from __future__ import annotations

from typing import Any


def keep_variables(node: Any) -> None:
    """``[f(x) for x in y]`` to ``[f(x) for py2_x in y if [x := py2_x]]``, where x is read later.

    Not in the body of a class or inside of a generator, where Python 3 takes no ``:=``.
    """
    loops = _loops(node)
    if not loops or not _takes_walrus(node):
        return
    names = [name for loop in loops for name in _targets(loop.children[1])]
    kept = {name.value for name in names if _read_later(node, name.value)}
    for loop in loops:
        own = [name for name in _targets(loop.children[1]) if name.value in kept]
        if own:
            _keep(loop, own)


def _loops(node: Any) -> list[Any]:
    """The ``for x in y`` of a list comprehension, from the first to the last."""
    found = []
    part = node.children[-1]
    while _begins(part, "for") or _begins(part, "if"):
        if _begins(part, "for"):
            found.append(part)
        part = part.children[-1]
    return found


def _begins(node: Any, word: str) -> bool:
    return bool(node.children) and _is(node.children[0], word)


def _targets(node: Any) -> list[Any]:
    """The names that a ``for`` sets; none where it sets anything else."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    if any(part.type in (syms.power, syms.trailer) for part in node.pre_order()):
        return []
    return [leaf for leaf in node.leaves() if leaf.type == token.NAME]


def _keep(loop: Any, names: list[Any]) -> None:
    from fissix.fixer_util import Name
    from fissix.pytree import Node

    sets = ", ".join(f"{name.value} := py2_{name.value}" for name in names)
    for name in names:
        name.replace(Name(f"py2_{name.value}", prefix=name.prefix))
    condition = Node(_comp_if(), [Name("if", prefix=" "), Name(f"[{sets}]", prefix=" ")])
    if len(loop.children) == 5:
        condition.append_child(loop.children[4].clone())
        loop.children[4].replace(condition)
    else:
        loop.append_child(condition)


def _comp_if() -> int:
    from fissix.pygram import python_symbols as syms

    return int(syms.comp_if)


def _takes_walrus(node: Any) -> bool:
    from fissix.pygram import python_symbols as syms

    below, node = node, node.parent
    while node is not None and node.type not in (syms.funcdef, syms.file_input):
        if node.type in (syms.classdef, syms.lambdef):
            return False
        if _begins(node, "for") and node.type != syms.for_stmt and node.children[3] is below:
            return False  # what another one goes through
        if node.type in (syms.testlist_gexp, syms.argument, syms.dictsetmaker) and any(
            _begins(child, "for") for child in node.children
        ):
            return False
        below, node = node, node.parent
    return True


def _read_later(node: Any, name: str) -> bool:
    """Whether behind the comprehension the name is read before it is set again."""
    from fissix.pygram import python_symbols as syms

    scope = node
    while scope.parent is not None and scope.type != syms.funcdef:
        scope = scope.parent
    behind = False
    for part in scope.pre_order():
        if part is node:
            behind = True
        elif behind and _is(part, name) and _is_variable(part):
            if _inside(part, node) or _bound_by_comprehension(part, name):
                continue
            return not _is_set(part)
    return False


def _inside(leaf: Any, node: Any) -> bool:
    while leaf is not None:
        if leaf is node:
            return True
        leaf = leaf.parent
    return False


def _is_variable(leaf: Any) -> bool:
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    before = leaf.prev_sibling
    if leaf.type != token.NAME or (before is not None and before.type == token.DOT):
        return False
    return not (leaf.parent.type == syms.argument and _is(leaf.next_sibling, "="))


def _bound_by_comprehension(leaf: Any, name: str) -> bool:
    """Whether it stands in a comprehension, generator, function or lambda that sets the name."""
    from fissix.pygram import python_symbols as syms

    node = leaf.parent
    while node is not None:
        if node.type in (syms.lambdef, syms.funcdef) and any(
            _is(part, name) for part in node.children[-3].leaves()
        ):
            return True
        part = node.children[-1] if node.children else None
        while part is not None and (_begins(part, "for") or _begins(part, "if")):
            if part.type in (syms.for_stmt, syms.if_stmt):
                break
            if _begins(part, "for") and any(_is(x, name) for x in part.children[1].leaves()):
                return True
            part = part.children[-1]
        node = node.parent
    return False


def _is_set(leaf: Any) -> bool:
    """Whether the name is the target of a ``for``, an assignment, an import or a handler."""
    from fissix.pygram import python_symbols as syms

    child, node = leaf, leaf.parent
    while node is not None and node.type in (
        syms.exprlist, syms.testlist, syms.atom, syms.testlist_gexp, syms.testlist_star_expr,
    ):  # fmt: skip
        child, node = node, node.parent
    if node is None:
        return False
    if node.type == syms.for_stmt:
        return node.children[1] is child
    if node.type == syms.expr_stmt:
        behind = child.next_sibling
        value = node.children[-1]
        again = any(_is(part, leaf.value) for part in value.leaves())
        return behind is not None and _is(behind, "=") and not again
    return node.type in (
        syms.import_as_name, syms.import_from, syms.import_name, syms.except_clause, syms.with_stmt,
        syms.global_stmt, syms.funcdef, syms.classdef,
    )  # fmt: skip


def _is(leaf: Any, text: str) -> bool:
    return getattr(leaf, "value", None) == text
