"""The files of a net in C."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import resources

from compiler.instructions import INSTRUCTIONS
from compiler.plan.plan import Plan, PlanPort
from ir.printable import printable
from ir.types import BOOL, F32, I32, U32, TensorType

from ..directives import DIAGNOSTICS, compiler_options
from ..spelling import RESERVED
from ..support import pool_source, prelude
from .instructions import compiler_check, machine_check
from .kernels import kernel_functions
from .names import c_string, comment_text, identifier
from .net import CNet
from .pictures import DECODER, decoder, pictures_source
from .places import CPlaces
from .seal import sealed
from .steps import plan_table
from .weights import weights_file

EXAMPLES = ("main.c", "Makefile")
"""Files that people are meant to change."""

EXAMPLE = "example_net"
"""What stands in templates for the net's name."""

_TEMPLATES = ("begin.c", "plan.c", "end.c", "net.h", "main.c", "pictures.c", "pictures.h")
_TYPES = {F32: "float32", I32: "int32", U32: "uint32", BOOL: "bool8"}
_HOLE = re.compile(r"@(\w+)@")
_IF_PICTURES = re.compile(r"^@if pictures@\n(.*?)^@end@\n", re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r"^#include <.*\n|^#define _GNU_SOURCE\n", re.MULTILINE)


def net_identifier(name: str) -> str:
    """What files, functions and types of a net are named after."""
    texts = [prelude(2), pool_source(), *map(_template, _TEMPLATES)]
    return identifier(name, {*re.findall(r"\w+", " ".join(texts)), *RESERVED} - {"net"})


def c_folder(net: CNet) -> dict[str, bytes]:
    """Files by name: NET.c, NET.h, NET.weights, NET_weights.S, main.c, Makefile; of a net that
    takes pictures also pictures.c, pictures.h, NET_pictures.c and what decodes them."""
    plan = net.compiled.plan
    places = CPlaces(plan, net.variables)
    source = _source(net, plan, places)
    identity = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "little")
    texts = {
        f"{net.name}.c": source.replace("@identity@", f"UINT64_C({identity:#x})"),
        f"{net.name}.h": _filled("net.h", net, _header(plan, places)),
        f"{net.name}_weights.S": _filled("weights.S", net),
        "main.c": _filled("main.c", net, _usage(plan, places)),
        "Makefile": _filled("makefile.mk", net),
    }
    files = {name: text.encode() for name, text in texts.items()}
    files |= {name: sealed(files[name]) for name in EXAMPLES}
    if net.pictures is not None:
        files["pictures.c"] = _template("pictures.c").encode()
        files["pictures.h"] = _template("pictures.h").encode()
        files[f"{net.name}_pictures.c"] = pictures_source(net.pictures, _headline(net)).encode()
        files[DECODER] = decoder()
    return {**files, f"{net.name}.weights": weights_file(places, identity)}


def _source(net: CNet, plan: Plan, places: CPlaces) -> str:
    names, kernels = kernel_functions(net.compiled)
    count, table = plan_table(plan, places, names)
    threads = _INCLUDE.sub("", pool_source())
    parts = [
        _filled("begin.c", net),
        _title("What C lacks that kernels compute with"),
        f"#pragma GCC diagnostic push\n{DIAGNOSTICS}",
        _INCLUDE.sub("", prelude(net.lanes)),
        _title("Kernels"),
        kernels,
        _title("Threads"),
        threads,
        "#pragma GCC diagnostic pop",
        _title("The plan"),
        _filled("plan.c", net),
        f"static const plan_step plan[] = {{\n{table}\n}};\n",
        _numbers(places, count),
        *(
            f"const {net.name}_tensor {net.name}_{kind}[] = {{\n{_tensors(plan, ports)}\n}};"
            for kind, ports in (("inputs", places.inputs), ("outputs", places.outputs))
        ),
        _title("The interface"),
        machine_check(net.instructions),
        _filled("end.c", net),
    ]
    return "\n".join(parts)


def _numbers(places: CPlaces, steps: int) -> str:
    state = places.nbytes - (places.state_at or 0)
    return f"""enum {{ STEPS = {steps} }};
static const size_t ARENA_BYTES = {places.arena}, WEIGHTS_BYTES = {places.nbytes};
static const size_t STATE_AT = {places.state_at}, STATE_BYTES = {state};
static const uint64_t NET_IDENTITY = @identity@;
"""


def _tensors(plan: Plan, ports: Sequence[PlanPort]) -> str:
    rows = []
    for port in ports:
        type = plan.buffers[port.buffer].type
        shape = ", ".join(map(str, type.shape)) or "0"
        numbers = f"{type.rank}, {{{shape}}}, {type.size}, {type.nbytes}"
        rows.append(f"    {{{c_string(port.name)}, {c_string(_TYPES[type.dtype])}, {numbers}}},")
    return "\n".join([*rows, "    {NULL, NULL, 0, {0}, 0, 0}"])


def _header(plan: Plan, places: CPlaces) -> dict[str, str]:
    ports = [*places.inputs, *places.outputs]
    types = [plan.buffers[port.buffer].type for port in ports]
    lines = [
        f" *     {kind}[{number}]  {printable(port.name)}: {_shown(plan.buffers[port.buffer].type)}"
        for kind, group in (("inputs", places.inputs), ("outputs", places.outputs))
        for number, port in enumerate(group)
    ]
    return {
        "inputs": str(len(places.inputs)),
        "outputs": str(len(places.outputs)),
        "rank": str(max([1, *(type.rank for type in types)])),
        "memory": f"{places.arena:,}",
        "tensors": comment_text("\n".join(lines)),
        "input_list": _memory(places.inputs),
        "output_list": _memory(places.outputs),
    }


def _memory(ports: Sequence[PlanPort]) -> str:
    names = [re.sub(r"\W+", "_", port.name, flags=re.ASCII) for port in ports[:3]]
    return ", ".join([*names, "..."] if len(ports) > 3 else names)


def _shown(type: TensorType) -> str:
    return f"{_TYPES[type.dtype]} [{', '.join(map(str, type.shape))}], {type.nbytes:,} bytes"


def _usage(plan: Plan, places: CPlaces) -> dict[str, str]:
    words = [f"{printable(port.name)}.npy" for port in places.inputs]
    if len(words) > 1:
        words = [f"{printable(p.name)}={w}" for p, w in zip(places.inputs, words, strict=True)]
    usage = " ".join(words)
    return {"usage": comment_text(usage), "usage_c": c_string(usage)[1:-1]}


def _filled(template: str, net: CNet, more: Mapping[str, str] | None = None) -> str:
    """A template with what stands between ``@`` signs."""
    instructions = net.instructions
    named = printable(net.compiled.graph.name)
    values = {
        "title": comment_text(_headline(net)),
        "name": comment_text(named),
        "instructions": instructions.name,
        "lanes": str(net.lanes),
        "check": compiler_check(instructions),
        "arch": f"-march={instructions.name}" if instructions.machine == "x86_64" else "",
        "options": compiler_options(instructions),
        "options_of": comment_text(printable(str(net.options))),
        "picture_objects": f"pictures.o {net.name}_pictures.o " if net.pictures else "",
        "picture_header": " pictures.h" if net.pictures else "",
        "others": ", ".join(i.name for i in INSTRUCTIONS if i is not instructions),
        **(more or {}),
    }
    text = _IF_PICTURES.sub(lambda part: part[1] if net.pictures else "", _template(template))
    text = text.replace(EXAMPLE.upper(), net.name.upper())
    text = text.replace(EXAMPLE, net.name)
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)


def _headline(net: CNet) -> str:
    named = printable(net.compiled.graph.name)
    return f"{net.name}: the net '{named}' in C, made by Roastery {net.version}."


def _title(text: str) -> str:
    return f"\n/* {f'---- {text} '.ljust(92, '-')} */\n"


@functools.cache
def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")
