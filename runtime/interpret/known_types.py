"""Spares Triton's interpreter making types anew: most of what is left of the time of an index.

Each operation on tiles makes the type of its result, and of that the attributes of a tensor: lists
of sizes, names, checks. They follow from the type of the elements and the sizes, so they are made
once. Shapes that are spread over each other are compared as lists of numbers, what has the type
that it is cast to is left as it is, and the type that two numbers are computed in is looked up.
"""

from __future__ import annotations

import functools
from typing import Any

_OF_TENSORS = "_attributes_of_tensors"


@functools.cache
def keep_known_types() -> None:
    """Once for the process, which interprets."""
    import triton.language as tl
    from triton.language.semantic import TritonSemantic
    from triton.runtime import interpreter

    _keep_tiles(tl.core)
    _keep_tensors(tl.core)
    _spread_quickly(tl.core, TritonSemantic)
    _cast_what_differs(TritonSemantic)
    compute: Any = TritonSemantic.computation_type_impl
    TritonSemantic.computation_type_impl = functools.cache(compute)

    spell: Any = interpreter._get_np_dtype
    spelled: dict[str, Any] = {}

    def numpy_type(kind: Any) -> Any:
        found = spelled.get(kind.name)
        if found is None:
            found = spelled[kind.name] = spell(kind)
        return found

    interpreter._get_np_dtype = numpy_type


def _keep_tiles(core: Any) -> None:
    make: Any = core.block_type.__init__
    known: dict[object, dict[str, Any]] = {}

    def make_tile(self: Any, element: Any, shape: Any) -> None:
        sizes = shape.values if type(shape) is core.tuple else shape
        key = (element.name, getattr(element, "address_space", None), *sizes)
        if not all(type(size) is int for size in sizes):
            make(self, element, shape)
            return
        found = known.get(key)
        if found is None:
            make(self, element, shape)
            found = known[key] = {**vars(self), _OF_TENSORS: {}}
        vars(self).update(found)

    core.block_type.__init__ = make_tile


def _keep_tensors(core: Any) -> None:
    make: Any = core.tensor.__init__
    numbers: dict[str, dict[str, Any]] = {}

    def make_tensor(self: Any, handle: Any, type: Any) -> None:
        found = vars(type).get(_OF_TENSORS)
        if found is None:
            if type.is_block() or type.is_ptr():
                make(self, handle, type)
                return
            found = numbers.setdefault(type.name, {})
        if not found:
            make(self, None, type)
            found.update(vars(self))
        vars(self).update(found)
        self.handle = handle

    core.tensor.__init__ = make_tensor


def _spread_quickly(core: Any, semantic: Any) -> None:
    spread: Any = semantic.broadcast_impl_value

    def spread_quickly(self: Any, left: Any, right: Any) -> Any:
        one, other = left.type, right.type
        if not one.is_block():
            if not other.is_block():
                return left, right
            return filled(self, left, other), right
        if not other.is_block():
            return left, filled(self, right, one)
        mine, theirs = one.shape.values, other.shape.values
        if mine == theirs:
            return left, right
        if len(mine) != len(theirs) or any(
            a != b and 1 not in (a, b) for a, b in zip(mine, theirs, strict=True)
        ):
            return spread(self, left, right)
        shape = [b if a == 1 else a for a, b in zip(mine, theirs, strict=True)]
        return tile(self, left, mine, shape), tile(self, right, theirs, shape)

    def filled(self: Any, number: Any, like: Any) -> Any:
        kind = like.with_element_ty(number.type.scalar)
        return self.make_tensor(self.builder.create_splat(kind, number.handle), kind)

    def tile(self: Any, operand: Any, sizes: list[int], shape: list[int]) -> Any:
        if sizes == shape:
            return operand
        kind = core.block_type(operand.type.scalar, shape)
        return self.make_tensor(self.builder.create_broadcast(operand.handle, shape), kind)

    semantic.broadcast_impl_value = spread_quickly


def _cast_what_differs(semantic: Any) -> None:
    cast: Any = semantic.cast

    def cast_what_differs(self: Any, operand: Any, kind: Any, *rest: Any, **named: Any) -> Any:
        if operand.dtype is kind:
            return operand
        return cast(self, operand, kind, *rest, **named)

    semantic.cast = cast_what_differs
