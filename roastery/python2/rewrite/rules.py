"""What Python 2 means differently, in trees of fissix: division, methods, strings, exceptions.

Each rule writes a call of a name that begins with ``py2_``; :mod:`roastery.python2.names` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comprehensions import keep_variables
from .exceptions import rewrite_handlers, rewrite_raise
from .literals import rewrite_number, rewrite_string
from .offered import OFFERED, RENAMED_IMPORTS
from .parameters import rewrite_lambda

#: Methods of Python 2 that become calls: the method's name, whether it must be called without
#: arguments, and what is called with the object and the arguments.
_METHODS: dict[str, tuple[bool, str]] = {
    "iteritems": (True, "py2_iteritems"),
    "iterkeys": (True, "py2_iterkeys"),
    "itervalues": (True, "py2_itervalues"),
    "viewitems": (True, "py2_viewitems"),
    "viewkeys": (True, "py2_viewkeys"),
    "viewvalues": (True, "py2_viewvalues"),
    "has_key": (False, "py2_has_key"),
    "next": (True, "py2_next"),
    "sort": (False, "py2_sort"),
    "decode": (False, "py2_decode"),
    "encode": (False, "py2_encode"),
    "tostring": (False, "py2_tostring"),
    "translate": (False, "py2_translate"),
    "join": (False, "py2_join"),
    "ParseFromString": (False, "py2_parse"),
    "MergeFromString": (False, "py2_merge"),
}
#: Methods whose result becomes a list, as it was.
_LISTS = ("keys", "values", "items")


def apply_rules(tree: Any) -> list[tuple[str, int]]:
    """Change the tree; the names of Python 2 that it uses, each with its first line."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    names = _names_used(tree)
    features = tree.future_features
    rules: dict[int, Callable[[Any], None]] = {
        syms.power: _methods,
        syms.comparison: _comparisons,
        syms.subscript: _slice_bounds,
        syms.try_stmt: rewrite_handlers,
        syms.raise_stmt: rewrite_raise,
        syms.lambdef: rewrite_lambda,
        syms.listmaker: keep_variables,
        syms.global_stmt: _no_globals_of_a_module,
        token.NUMBER: rewrite_number,
        token.STRING: lambda leaf: rewrite_string(leaf, "unicode_literals" in features),
    }
    if "division" not in features:
        rules[syms.term] = _division
        rules[syms.expr_stmt] = _divides_in_place
    for node in list(tree.post_order()):
        rule = rules.get(node.type)
        if rule is not None and (node.parent is not None or node is tree):
            rule(node)
    return names


def _names_used(tree: Any) -> list[tuple[str, int]]:
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    found: dict[str, int] = {}
    for leaf in tree.leaves():
        if leaf.type != token.NAME:
            continue
        before = leaf.prev_sibling
        attribute = before is not None and before.type == token.DOT
        after = leaf.next_sibling
        keyword = leaf.parent.type == syms.argument and _is(after, "=")
        if (leaf.value in OFFERED and not attribute and not keyword) or (
            leaf.value in RENAMED_IMPORTS and _imported(leaf, syms)
        ):
            found.setdefault(leaf.value, leaf.lineno)
    return list(found.items())


def _imported(leaf: Any, syms: Any) -> bool:
    node = leaf.parent
    while node is not None:
        if node.type in (syms.import_name, syms.import_from):
            return True
        node = node.parent
    return False


# --- division -------------------------------------------------------------------------


def _division(node: Any) -> None:
    """``a / b`` to ``py2_div(a, b)``, which drops the fraction of whole numbers."""
    from fissix.fixer_util import Call, Name
    from fissix.pytree import Node

    if not any(_is(child, "/") for child in node.children):
        return
    prefix = node.prefix
    children = [child.clone() for child in node.children]
    children[0].prefix = ""
    left = children[0]
    plain = False  # whether left is a product that goes on
    for sign, right in zip(children[1::2], children[2::2], strict=True):
        if _is(sign, "/") and not (_is_float(left) or _is_float(right)):
            left = Call(Name("py2_div"), [left, _comma(sign.prefix.strip(" ")), right])
            if not right.prefix:
                right.prefix = " "
            plain = False
        elif plain:
            left.append_child(sign)
            left.append_child(right)
        else:
            left, plain = Node(node.type, [left, sign, right]), True
    left.prefix = prefix
    node.replace(left)


def _divides_in_place(node: Any) -> None:
    """``x /= b``: ``x = py2_idiv(x, b)``, with what x is made of looked up once."""
    from fissix.fixer_util import Call, Name, String
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms
    from fissix.pytree import Leaf, Node

    if len(node.children) != 3 or not _is(node.children[1], "/="):
        return
    target, _, value = node.children
    prefix, target, value = node.prefix, target.clone(), value.clone()
    target.prefix = ""
    value.prefix = " "
    trailer = target.children[-1] if target.type == syms.power else None
    if trailer is not None and trailer.type == syms.trailer and _is(trailer.children[0], "["):
        key = trailer.children[1].clone()
        trailer.remove()
        if key.type in (syms.subscript, syms.subscriptlist) or _is(key, ":"):
            key.prefix = ""
            brackets = Node(syms.trailer, [Leaf(token.LSQB, "["), key, Leaf(token.RSQB, "]")])
            key = Node(syms.power, [Name("py2_key"), brackets])
        key.prefix = " "
        call = Call(Name("py2_idiv_item"), [target, _comma(), key, _comma(), value])
    elif trailer is not None and _is(trailer.children[0], ".") and not _mangled(trailer):
        name = String(repr(trailer.children[1].value), prefix=" ")
        trailer.remove()
        call = Call(Name("py2_idiv_attribute"), [target, _comma(), name, _comma(), value])
    else:
        again = target.clone()
        call = Node(
            syms.expr_stmt,
            [
                target,
                Leaf(token.EQUAL, "=", prefix=" "),
                Call(Name("py2_idiv"), [again, _comma(), value], prefix=" "),
            ],
        )
    call.prefix = prefix
    node.replace(call)


def _mangled(trailer: Any) -> bool:
    name = trailer.children[1].value
    return name.startswith("__") and not name.endswith("__")


def _is_float(node: Any) -> bool:
    """Whether it is a number with a fraction, or ``float(...)``: there nothing is dropped."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    if node.type == token.NUMBER:
        text = node.value.lower()
        return not text.startswith("0x") and any(sign in text for sign in ".ej")
    return (
        node.type == syms.power
        and len(node.children) == 2
        and _is(node.children[0], "float")
        and _is(node.children[1].children[0], "(")
    )


def _slice_bounds(node: Any) -> None:
    """``x[a:b]`` to ``x[py2_index(a):py2_index(b)]``: numpy took floats there."""
    from fissix.fixer_util import Call, Name
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as syms

    for child in list(node.children):
        bound = child.children[-1] if child.type == syms.sliceop else child
        whole = bound.type == token.NUMBER and not _is_float(bound)
        if whole or bound.type == token.COLON or _is(bound, "None"):
            continue
        if bound.type == syms.factor and bound.children[-1].type == token.NUMBER:
            continue
        if bound.type == syms.power and str(bound.children[0]).strip() in ("int", "len"):
            continue
        prefix, inner = bound.prefix, bound.clone()
        inner.prefix = ""
        bound.replace(Call(Name("py2_index"), [inner], prefix=prefix))


def _comparisons(node: Any) -> None:
    """``x == []`` to ``py2_equal(x, [])``: of an array numpy said False, and now refuses."""
    from fissix.fixer_util import Call, Name

    if len(node.children) != 3:
        return
    left, sign, right = node.children
    if not (_is(sign, "==") or _is(sign, "!=")):
        return
    if "[]" not in (str(left).strip(), str(right).strip()):
        return
    prefix, left, right = node.prefix, left.clone(), right.clone()
    left.prefix = ""
    name = "py2_equal" if _is(sign, "==") else "py2_unequal"
    node.replace(Call(Name(name), [left, _comma(), right], prefix=prefix))


# --- methods --------------------------------------------------------------------------


def _methods(node: Any) -> None:
    """``d.iteritems()`` to ``py2_iteritems(d)``, ``d.keys()`` to ``py2_list(d.keys())`` ..."""
    from fissix.fixer_util import Call, Name, parenthesize
    from fissix.pygram import python_symbols as syms
    from fissix.pytree import Node

    at = 1
    while at + 1 < len(node.children):
        dot, call = node.children[at], node.children[at + 1]
        name = _method(dot, call, syms)
        inner = call.children[1:-1] if name else []
        prefix = node.prefix
        new = None
        if name in _LISTS and not inner:
            taken = [child.clone() for child in node.children[: at + 2]]
            taken[0].prefix = ""
            new = Call(Name("py2_list"), [Node(syms.power, taken)])
        elif _concerned(name, node.children[:at], inner):
            taken = [child.clone() for child in node.children[:at]]
            taken[0].prefix = ""
            subject = taken[0] if len(taken) == 1 else Node(syms.power, taken)
            arguments = [child.clone() for child in inner]
            if len(arguments) == 1 and _is_generator(arguments[0]):
                arguments = [parenthesize(arguments[0])]
            if arguments:
                arguments = [_comma(), *arguments]
                arguments[1].prefix = arguments[1].prefix or " "
            new = Call(Name(_METHODS[name][1]), [subject, *arguments])
        if new is None:
            at += 1
            continue
        new.prefix = prefix
        rest = [child.clone() for child in node.children[at + 2 :]]
        if not rest:
            node.replace(new)
            return
        while node.children:
            node.children[0].remove()
        for child in [new, *rest]:
            node.append_child(child)
        at = 1


def _method(dot: Any, call: Any, syms: Any) -> str:
    if dot.type != syms.trailer or call.type != syms.trailer:
        return ""
    if not _is(dot.children[0], ".") or not _is(call.children[0], "("):
        return ""
    return str(dot.children[1].value)


def _is_generator(argument: Any) -> bool:
    """``x for x in y``, which stands for itself where it is the only argument."""
    return len(argument.children) == 2 and str(argument.children[1]).lstrip().startswith("for ")


def _concerned(name: str, owner: list[Any], arguments: list[Any]) -> bool:
    """Whether a call of a method of that name may mean something else now."""
    from fissix.pgen2 import token

    if name not in _METHODS or (_METHODS[name][0] and arguments):
        return False
    if name == "join":  # as os.path.join is, too
        return owner[-1].type == token.STRING and _one(arguments)
    if name == "translate":
        return not _one(arguments)
    return name != "sort" or bool(arguments)


def _one(arguments: list[Any]) -> bool:
    """Whether there is one argument."""
    from fissix.pygram import python_symbols as syms

    return len(arguments) == 1 and arguments[0].type != syms.arglist


def _no_globals_of_a_module(node: Any) -> None:
    """``global x`` outside of functions means nothing, and is an error behind a use of x."""
    from fissix.fixer_util import Name
    from fissix.pygram import python_symbols as syms

    around = node.parent
    while around is not None:
        if around.type in (syms.funcdef, syms.classdef):
            return
        around = around.parent
    node.replace(Name("pass", prefix=node.prefix))


def _is(leaf: Any, text: str) -> bool:
    return getattr(leaf, "value", None) == text


def _comma(prefix: str = "") -> Any:
    from fissix.pgen2 import token
    from fissix.pytree import Leaf

    return Leaf(token.COMMA, ",", prefix=prefix)
