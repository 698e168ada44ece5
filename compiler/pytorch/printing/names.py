"""How Python spells names of layers and blobs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

_LONGEST = 40

_MODULE_ATTRIBUTES = """
add_module apply bfloat16 bool buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict
to to_empty train training type xpu zero_grad T_destination
"""

ATTRIBUTES = frozenset([*_MODULE_ATTRIBUTES.split(), "load", "multipliers", "param_groups"])
"""What a module has, so that no layer can be called it."""

VARIABLES = frozenset(("self", "torch", "nn", "F", "load_model"))
"""What stands for something else in ``forward``."""


def python_name(name: str) -> str:
    """A name as Python can have it; ``x`` before a digit, ``_`` behind a word of Python's."""
    found = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:_LONGEST].rstrip("_") or "x"
    if found[0].isdigit():
        found = f"x{found}"
    return f"{found}_" if keyword.iskeyword(found) or keyword.issoftkeyword(found) else found


def class_name(name: str) -> str:
    """``conv2_3x3`` as a class: ``Conv2_3x3``."""
    found = python_name(name)
    return found[0].upper() + found[1:]


class PythonNames:
    """PythonNames of one kind, each given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def fresh(self, name: str) -> str:
        """The name as an identifier, or with a number behind it."""
        base = found = python_name(name)
        number = 2
        while found in self.taken:
            found, number = f"{base}_{number}", number + 1
        self.taken.add(found)
        return found
