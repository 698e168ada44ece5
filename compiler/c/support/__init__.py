"""C that stands before kernels: what the language lacks."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def support(name: str) -> str:
    """The text of a file of this folder."""
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def prelude(lanes: int) -> str:
    """For kernels on vectors of so many elements; 1: on scalars alone."""
    functions = support("functions.h")
    parts = [support("scalars.h"), functions]
    if lanes > 1:
        parts += [f"#define LANES {lanes}\n", support("vectors.h"), functions]
    return "\n".join([*parts, support("random.h")])


def pool_source() -> str:
    """The threads that run kernels; all of it is static."""
    return support("pool.c").replace('#include "pool.h"\n', support("pool.h"))


def shared_pool_source() -> str:
    """A file of its own: one pool for a process."""
    return f"{pool_source()}\n{support('shared_pool.c')}"
