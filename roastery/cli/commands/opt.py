"""``roastery opt``: run passes on a graph as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..compilation import FUEL_FLAG, LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, requested_compilation
from ..say import say

if TYPE_CHECKING:
    from ir.graph import Graph

    from ...opt.comparison import Expected
    from ...opt.running import GraphRunner


def _run(arguments: Arguments) -> int | None:
    from compiler.passes.fuel import Fuel
    from compiler.passes.registry import default_passes, listing

    from ...devices.compile_options import choose_precision, device_options
    from ...opt.bisection import bisect
    from ...opt.graph_file import read_graph
    from ...opt.passes import optimise
    from ...opt.plugin import load_plugin
    from ...opt.running import runner

    for plugin in arguments.plugin:
        load_plugin(plugin)
    if arguments.list:
        print(listing())
        return None
    if arguments.file is None:
        raise UsageError("opt needs FILE (a graph as text); see `roastery opt --help`")
    if arguments.bisect and (arguments.output or arguments.print_each):
        raise UsageError("--bisect writes no graph: leave --output and --print-each out")
    run = runner(arguments.device, choose_precision(arguments.precision))
    options = device_options(run.target, requested_compilation(arguments), _note)
    names, limit = options.passes, options.fuel
    if names is None:
        names = default_passes(options.target)
    graph = read_graph(arguments.file)
    expected = None
    if arguments.check or arguments.bisect:
        expected = _expected(arguments.seed, graph, run, options.precision)
    if arguments.bisect and expected is not None:
        return 0 if bisect(graph, names, expected, say, limit, options) else 1
    fuel = Fuel(limit, _remark, every=arguments.rewrites)
    after = optimise(graph, names, fuel, lambda *step: _observe(arguments, *step), options)
    _write(arguments, after)
    if limit is not None and fuel.spent < limit:
        _remark(f"all {fuel.spent} rewrites made")
    if expected is None:
        return None
    found = expected.differences(after)
    for line in found:
        _remark(line)
    subject = {0: "no output differs", 1: "1 output differs"}.get(
        len(found), f"{len(found)} outputs differ"
    )
    _remark(f"{subject} after {fuel.spent} rewrites")
    return 1 if found else 0


def _remark(text: str) -> None:
    """Beside the graph, which goes to standard output."""
    say(text, sys.stderr)


def _note(remark: str) -> None:
    _remark(f"note: {remark}")


def _expected(seed: int, graph: Graph, run: GraphRunner, precision: str) -> Expected:
    from ...opt.comparison import Expected

    expected = Expected(graph, seed, run, precision)
    for name in expected.unknown():
        _note(f"output '{name}' is no number on random inputs")
    return expected


def _observe(arguments: Arguments, name: str, after: Graph) -> None:
    from ir.text import format_graph

    if arguments.verify:
        _verify(name, after)
    if arguments.print_each:
        print(f"# after {name}: {len(after.nodes)} nodes\n{format_graph(after)}")


def _write(arguments: Arguments, graph: Graph) -> None:
    from ir.text import format_graph

    from ...files.atomic_file import atomic_write

    if arguments.output not in ("", "-"):
        with atomic_write(arguments.output, "w", errors="surrogateescape") as file:
            file.write(format_graph(graph))
    elif not arguments.print_each:
        print(format_graph(graph), end="")


def _verify(name: str, graph: Graph) -> None:
    from compiler.pipeline import verify_each
    from ir.errors import RoasteryError
    from ir.verify import InvalidGraph

    try:
        verify_each(name, graph)
    except InvalidGraph as error:
        problem, _, node = str(error).partition("\n")
        raise RoasteryError(problem, detail=node) from error


COMMAND = Command(
    name="opt",
    summary="Run passes on a graph as text",
    group="Compiling",
    description=(
        "Reads a graph as text, which `roastery compile NET --dump DIR` writes, runs passes on it "
        "and prints what they make of it. With --fuel they stop after so many rewrites, and the "
        "last one is told. --check runs both graphs on random inputs through the reference, in "
        "double precision, and ends with 1 if an output differs; --bisect then finds the first "
        "rewrite that makes one differ. With --device the kernels of what the passes leave run "
        "instead: that finds a fusion of which a kernel is wrong. What is an error follows "
        "--precision."
        "\n\n"
        "`roastery help debugging-passes` finds a wrong pass this way."
    ),
    positionals=(Positional("file", "a graph as text (.ir); - is standard input", required=False),),
    flags=(
        PASSES_FLAG,
        FUEL_FLAG,
        LAYOUT_FLAG,
        PRECISION_FLAG,
        Flag("output", "write the graph to a file", default="", metavar="FILE", short="o"),
        Flag("verify", "check the rules of the IR after every pass", "bool", False),
        Flag("print_each", "print the graph after every pass", "bool", False),
        Flag("rewrites", "tell every rewrite", "bool", False),
        Flag("check", "say which outputs the passes change, and end with 1", "bool", False),
        Flag("bisect", "find the first rewrite that changes an output", "bool", False),
        Flag(
            "device",
            "what runs the graph that the passes leave, for --check and --bisect: reference, or "
            "cpu, cuda, cuda:N, interpret (the GPU kernels on the CPU), which compute in float32",
            default="reference",
            metavar="DEVICE",
        ),
        Flag("seed", "of the random inputs", "int", 0, minimum=0, metavar="N"),
        Flag("list", "list the passes", "bool", False),
        Flag(
            "plugin",
            "run a Python file first, which registers passes of its own",
            repeated=True,
            default=(),
            metavar="FILE",
        ),
    ),
    examples=(
        Example("roastery opt --list", "the passes"),
        Example("roastery opt out/graph_lowered.ir", "the default passes"),
        Example("roastery opt net.ir --passes simplify,fuse --fuel 12", "stop after 12 rewrites"),
        Example("roastery opt net.ir --passes simplify --check -o simple.ir", "the same results?"),
        Example("roastery opt net.ir --bisect", "which rewrite is wrong?"),
        Example("roastery opt net.ir --bisect --device cuda", "which makes a wrong kernel?"),
    ),
    run=_run,
)
