"""Spares Triton's interpreter work whose outcome nobody sees: most of the time of an index.

* Each sum and product of 32-bit integers is computed once more with 64 bits, to tell an overflow.
  Without ``debug``, which nothing sets here, what is found is thrown away.
* Each call of a function inside of a kernel prepares ``triton.language``, all names of it, for
  interpretation. That is done already, since a kernel calls.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any


@functools.cache
def skip_idle_checks() -> None:
    """Once for the process, which interprets."""
    import triton.language as tl
    from triton.runtime import interpreter

    builder: Any = interpreter.interpreter_builder
    builder.options = dataclasses.replace(builder.options, sanitize_overflow=False)
    call: Any = interpreter.InterpretedFunction.__call__

    def quick_call(function: Any, *args: Any, **kwargs: Any) -> Any:
        languages = [m for m in function.fn.__globals__.values() if m is tl or m is tl.core]
        if any(tl.core.is_builtin(language.program_id) for language in languages):
            return call(function, *args, **kwargs)
        return function.rewrite()(*args, **kwargs)

    interpreter.InterpretedFunction.__call__ = quick_call
