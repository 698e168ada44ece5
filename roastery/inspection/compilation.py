"""``roastery compile``: what a net becomes, stage by stage."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.binary import Binary
from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Kernel, Launch
from compiler.kernel_nodes import kernel_nodes
from compiler.options import CompileOptions
from compiler.partitions import in_one
from compiler.pipeline import Dump, GraphCompiler, Lower, Observer, verify_each
from compiler.plan.footprint import footprint
from compiler.plan.memory import least_memory
from compiler.plan.tables import file_names, kernel_files, memory_table, step_table
from compiler.plan_cache.kept_effort import KeptEffort
from compiler.plan_cache.plan_store import PlanStore
from compiler.triton.lower import lower_node
from frontends.lowering.input_sizes import BATCH
from frontends.prototxt import Message, to_text
from ir.byte_size import byte_size
from ir.graph import Direction, Graph
from ir.graph_sizes import Substitution
from ir.location import Location
from ir.op import Property
from ir.ops.fusion import Fused
from ir.printable import printable
from ir.program import NetProgram
from ir.size import Evaluation
from ir.text import format_graph
from ir.text_table import text_table

from ..bench.lone_group import places_found
from ..files.atomic_file import atomic_path


@dataclass(frozen=True)
class Compilation:
    """A net with everything the compiler made of it.

    Attributes:
        graph: the whole graph before the passes. trains: whether backward is in it.
        constants: what runs once, before it: what follows from the parameters alone.
    """

    program: NetProgram
    options: CompileOptions
    constants: Graph
    graph: Graph
    compiled: CompiledGraph
    trains: bool


def compile_program(
    program: NetProgram,
    options: CompileOptions,
    *,
    backward: bool | None = None,
    dump: Path | None = None,
    observers: Sequence[Observer] = (),
) -> Compilation:
    """Compile a lowered net without compiling its kernels: the graph that a command would run.

    With backward that is `train`'s; without, that of `test`, `export` and `time`, in which what
    follows from the parameters alone is computed once.

    Args:
        options: what is asked of the compiler, see :mod:`roastery.devices.compile_options`.
        backward: differentiate; None: in phase TRAIN, where there is a loss and something to learn.
        dump: a folder for the stages as text; those of an earlier call are removed.
        observers: see what each pass makes; of all passes that are tried.
    """
    trains = program.trains if backward is None else backward
    constants, graph = in_one(program, options, trains)
    observers = list(observers)
    if dump is not None:
        _clear(dump)
        observers += [verify_each, Dump(dump, "pass_")]
    # Who looks on sees all that was tried.
    kept = None if observers else KeptEffort(graph, options, PlanStore())
    compiled = GraphCompiler(graph, _lower(options), options, observers, kept).at(program.values)
    return Compilation(program, options, constants, graph, compiled, trains)


def _lower(options: CompileOptions) -> Lower:
    if options.target.kind == "cpu":
        from compiler.c.lower import lower_to_c

        return lower_to_c
    return functools.partial(lower_node, keep=True)  # predictions and dumps look at all kernels


def _clear(folder: Path) -> None:
    """Remove the stages that an earlier call wrote: this one may have fewer, of other names."""
    if not (folder / "launches.txt").is_file():
        return
    graphs = "graph_of_any_size.ir", "graph_with_backward.ir", "graph_frozen.ir"
    others = (
        "graph_constants.ir",
        "predicted.txt",
        "pass_[0-9][0-9]_*.ir",
        "kernels/*.py",
        "kernels/*.c",
        "ptx/sm_*/*.ptx",
    )
    for pattern in (*graphs, *others):
        for path in folder.glob(pattern):
            path.unlink()


def write_dump(folder: Path, net: Message, result: Compilation) -> None:
    """Write the stages that no pass wrote: the net, the graphs, kernels, launches, memory."""
    write_stage(folder / "net.prototxt", to_text(net))
    write_stage(folder / "graph_lowered.ir", format_graph(result.program.graph))
    if result.program.general is not None:
        write_stage(folder / "graph_of_any_size.ir", format_graph(result.program.symbolic().graph))
    if result.trains:
        write_stage(folder / "graph_with_backward.ir", format_graph(result.graph))
    else:
        write_stage(folder / "graph_frozen.ir", format_graph(result.graph))
    if result.constants.nodes:
        write_stage(folder / "graph_constants.ir", format_graph(result.constants))
    plan = result.compiled.plan
    write_stage(folder / "memory.txt", memory_table(plan))
    write_stage(folder / "launches.txt", step_table(plan))
    write_stage(folder / "summary.txt", summary(result))
    texts = _checked_texts(result) if result.options.target.kind == "cpu" else _texts(result)
    for name, text in zip(kernel_files(plan), texts, strict=True):
        write_stage(folder / "kernels" / name, text)


def _texts(result: Compilation) -> Iterator[str]:
    """Each kernel's, after its first user."""
    return (users[0].readable() for users in result.compiled.kernels.values())


def _checked_texts(result: Compilation) -> Iterator[str]:
    """Of kernels in C, with a check of the group that they compute a part of."""
    from compiler.c.checked_file import checked_file

    lower = _lower(result.options)
    graph, values = result.compiled.graph, result.program.values
    at, number = Substitution(_few_images(result.program)), Evaluation(values).size
    kernels = list(kernel_nodes(graph))
    nodes = dict.fromkeys((*graph.nodes, *kernels))
    makers = {at.value(value): at.node(node) for node in nodes for value in node.outputs}
    told: set[Kernel] = set()
    for node in kernels:
        launches = lower(node, result.options, number, {})
        new = [i for i, launch in enumerate(launches) if launch.kernel not in told]
        told.update(launch.kernel for launch in launches)
        known = places_found(at.node(node), makers) if new else {}
        for i in new:
            yield checked_file(node, launches, i, at, known)


def _few_images(program: NetProgram) -> Mapping[str, int]:
    """Sizes for checks. The reference is slow: two images, where there may be any number."""
    values = program.values
    few = {name: min(value, 2) if name == BATCH else value for name, value in values.items()}
    conditions = program.sizes.scope.conditions if program.sizes else ()
    return values if Evaluation(few).failing(conditions) else few


def write_ptx(folder: Path, launches: Sequence[Launch], binaries: Sequence[Binary]) -> None:
    """Write the PTX of every kernel in every configuration, each named after its first launch.

    ``binaries``: those of ``jobs_of(launches, ...)``, in this order.
    """
    labels: dict[tuple[Kernel, Config], str] = {}
    for launch in launches:
        labels.setdefault((launch.kernel, launch.config), launch.label)
    for name, binary in zip(file_names(labels.values()), binaries, strict=True):
        write_stage(folder / f"sm_{binary.architecture.capability}" / f"{name}.ptx", binary.ptx)


def write_stage(path: Path, text: str) -> None:
    """A file that appears whole; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, durable=False) as partial:
        partial.write_text(text, encoding="utf-8")


def summary(result: Compilation, unrun: Collection[str] = ()) -> str:
    """Layers and the kernels they became, parameters, and memory.

    Args:
        unrun: layers that run on the host, and whose code was not asked what it does.
    """
    program, compiled = result.program, result.compiled
    ahead, behind = _kernels_of_layers(compiled.graph)
    rows = [("layer", "type", "top", "parameters", "forward", "backward")]
    for layer in program.layers:
        if not layer.is_written:
            continue
        shape = "x".join(map(str, layer.top_values[0].shape)) if layer.top_values else ""
        count = sum(program.variables[c].type.size for c in layer.variables)
        rows.append(
            (
                layer.name,
                layer.type,
                shape,
                f"{count:,}" if count else "",
                " ".join(ahead.get(_place(layer.location), ())),
                " ".join(behind.get(_place(layer.location), ())),
            )
        )
    shown = text_table(rows if result.trains else [r[:5] for r in rows])
    blobs = sum(v[-1].type.nbytes for v in program.blobs.values())
    plan = compiled.plan
    needed = footprint(plan)
    parameters = sum(c.type.size for c in program.parameters)
    once = len(result.constants.outputs)
    lines = [
        f"{printable(program.name) or 'net'}, phase {program.phase}, "
        + ("forward and backward" if result.trains else "forward, with parameters that stay"),
        f"{len(program.layers)} layers -> {plan.launch_count} launches of "
        f"{len(compiled.kernels)} kernels ({printable(str(result.options))})",
        f"{parameters:,} parameters ({_size(parameters * 4)})"
        + (f"; {once} tensors are computed from them once" if once else ""),
        f"memory planned {_size(plan.memory.nbytes)}; "
        f"all blobs{' and diffs' if result.trains else ''} "
        f"{_size(blobs * (2 if result.trains else 1))}; lower bound of any plan "
        f"{_size(least_memory(plan))}",
        f"peak {byte_size(needed.total)}: {needed}",
    ]
    hosts = [
        f"  {printable(n.location.layer) or n.op.name} runs on the host ({n.op.name}"
        f"{', not run here' if n.location.layer in unrun else ''})"
        for n in compiled.graph.nodes
        if n.op.properties & (Property.HOST | Property.DYNAMIC)
    ]
    sizes = [] if program.sizes is None else [printable(s) for s in program.sizes.sentences()]
    return shown + "\n" + "\n".join([*lines, *sizes, *hosts]) + "\n"


_Place = tuple[str, str, int, int]


def _place(location: Location) -> _Place:
    """A layer by its name and where it stands: several may have one name."""
    return location.layer, location.file, location.line, location.column


def _kernels_of_layers(graph: Graph) -> tuple[dict[_Place, list[str]], dict[_Place, list[str]]]:
    """Labels of the groups that hold a node of each layer, forward and backward."""
    ahead: dict[_Place, list[str]] = {}
    behind: dict[_Place, list[str]] = {}
    for node in kernel_nodes(graph):
        if not isinstance(node.op, Fused):
            continue
        found = ahead if node.direction is Direction.FORWARD else behind
        for layer in dict.fromkeys(_place(n.location) for n in node.op.body.nodes):
            found.setdefault(layer, []).append(node.op.label)
    return ahead, behind


def _size(nbytes: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if nbytes < 1024:
            return f"{nbytes:.0f} {unit}" if unit == "bytes" else f"{nbytes:.1f} {unit}"
        nbytes /= 1024
    return f"{nbytes:.2f} GiB"
