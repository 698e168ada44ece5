"""Memory plans of whole graphs: views, in-place results, variables, outputs, temporaries."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.kernel import Config, Kernel, Launch, Scratch
from compiler.options import CompileOptions
from compiler.passes.fuse import fuse
from compiler.pipeline import compile_graph, run_passes
from compiler.plan.assignment import Assignment
from compiler.plan.plan import Copy, HostStep, Plan
from compiler.plan.tables import memory_table, step_table
from ir.graph import Graph, Node, Role
from ir.interpret import run_graph
from ir.ops.fusion import Fused
from ir.text import parse_graph
from tests.support.planned_run import planned, run_planned


def plan_of(text: str) -> tuple[Graph, Plan]:
    graph = fuse(parse_graph(text))
    plan = planned(graph)
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(p.value.shape).astype(np.float32) for p in graph.inputs]
    for a, b in zip(run_graph(graph, inputs), run_planned(graph, plan, inputs), strict=True):
        np.testing.assert_array_equal(a, b)
    return graph, plan


Place = tuple[str, int | None]


def places(graph: Graph, plan: Plan) -> dict[str, Place]:
    """Of every value: in which port's buffer, or where in the arena."""
    offsets = plan.memory.offsets
    return {
        value.name: ("port", number) if number in plan.bound else ("arena", offsets[number])
        for value, number in Assignment(graph).number.items()
    }


def place(graph: Graph, plan: Plan, name: str) -> Place:
    return places(graph, plan)[name]


def copied(plan: Plan) -> list[str]:
    """Names of the outputs that are left to be copied, in order."""
    names = {port.buffer: port.name for port in plan.outputs}
    return [names[step.target] for step in plan.steps if isinstance(step, Copy)]


def test_a_dying_operand_is_overwritten() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[8,8] data
      input %w: f32[8,8] parameter
      %a: f32[8,8] = matmul(%x, %w)  # a
      %s: f32[8,1] = reduce(%a) kind="sum" axes=(1)  # s
      %b: f32[8,8] = map(%a, %s) {div(a0, a1)}  # b
      %c: f32[8,8] = matmul(%b, %w)  # c
      output %c: f32[8,8] result
    }""")
    assert place(graph, plan, "a") == place(graph, plan, "b")
    assert plan.memory.nbytes == 256  # the sums stay in the kernel that divides by them


def test_rows_with_two_results_overwrite_nothing() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[8,8] data
      %a: f32[8,8] = matmul(%x, %x)  # a
      %s: f32[8,1] = reduce(%a) kind="sum" axes=(1)  # s
      %b: f32[8,8] = map(%s) {add(a0, 1.0)} shape=(8,8)  # b
      %c: f32[8,8] = map(%a, %s) {div(a0, a1)}  # c
      %d: f32[8,8] = map(%b, %c) {exp(add(a0, sqrt(a1)))}  # d
      %e: f32[8,8] = matmul(%b, %c)  # e
      %f: f32[8,8] = matmul(%e, %d)  # f
      output %f: f32[8,8] result
    }""")
    (rows,) = (n for n in graph.nodes if isinstance(n.op, Fused) and n.op.schedule == "row")
    whole = [v for v in rows.outputs if v.shape == (8, 8)]
    assert len(whole) > 1
    assert all(place(graph, plan, v.name) != place(graph, plan, "a") for v in whole)


def test_an_operand_read_elsewhere_is_not_overwritten() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[8,8] data
      %a: f32[8,8] = matmul(%x, %x)  # a
      %t: f32[8,8] = transpose(%a) order=(1,0)  # t
      %b: f32[8,8] = map(%a, %t) {add(a0, a1)}  # b
      %c: f32[8,8] = matmul(%b, %b)  # c
      output %c: f32[8,8] result
    }""")
    assert place(graph, plan, "a") != place(graph, plan, "b")


def test_an_operand_read_elsewhere_under_another_name_is_not_overwritten() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[8,8] data
      %a: f32[8,8] = matmul(%x, %x)  # a
    backward:
      %p: f32[8,8] = map(%a) {exp(a0)}  # p
      %v: f32[2,32] = reshape(%a) shape=(2,32)  # v
      %t: f32[32,2] = transpose(%v) order=(1,0)  # t
      %u: f32[8,8] = reshape(%t) shape=(8,8)  # u
      %b: f32[8,8] = map(%p, %u) {add(a0, a1)}  # b
      %c: f32[8,8] = matmul(%b, %b)  # c
      output %c: f32[8,8] result
    }""")
    assert [v.name for n in graph.nodes for v in n.inputs if n.outputs[0].name == "b"] == ["a", "v"]
    assert place(graph, plan, "a") != place(graph, plan, "b")


def test_what_is_read_late_as_a_view_is_kept_that_long() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[8,8] data
      %a: f32[8,8] = matmul(%x, %x)  # a
      %v: f32[4,16] = reshape(%a) shape=(4,16)  # v
      %b: f32[8,8] = matmul(%x, %x) transpose_a=true  # b
      %c: f32[8,8] = matmul(%b, %b)  # c
      %d: f32[4,4] = matmul(%v, %v) transpose_b=true  # d
      output %c: f32[8,8] result
      output %d: f32[4,4] result
    }""")
    assert place(graph, plan, "a") != place(graph, plan, "b")


def test_a_view_lies_where_its_source_lies() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[4,4] data
      %a: f32[4,4] = matmul(%x, %x)  # a
      %v: f32[16,1] = reshape(%a) shape=(16,1)  # v
      %u: f32[2,8] = reshape(%x) shape=(2,8)  # u
      %s: f32[16] = reshape(%u) shape=(16)  # s
      %w: f32[2,8] = reshape(%s) shape=(2,8)  # w
      %b: f32[16,16] = matmul(%v, %v) transpose_b=true  # b
      %c: f32[2,2] = matmul(%w, %w) transpose_b=true  # c
      output %b: f32[16,16] result
      output %c: f32[2,2] result
    }""")
    assert place(graph, plan, "v") == place(graph, plan, "a")
    assert place(graph, plan, "w") == place(graph, plan, "s") == place(graph, plan, "x")
    assert place(graph, plan, "b")[0] == "port"


def test_gradients_are_added_where_they_lie() -> None:
    graph, plan = plan_of("""graph net {
      input %x: f32[4,3] data
      input %g: f32[4,2] seed
      input %w.diff: f32[2,3] gradient "w"
    backward:
      %d: f32[2,3] = matmul(%g, %x) transpose_a=true  # ip
      %sum: f32[2,3] = map(%w.diff, %d) {add(a0, a1)}  # ip
      output %sum: f32[2,3] gradient "w"
    }""")
    assert place(graph, plan, "sum") == place(graph, plan, "w.diff")
    assert not copied(plan) and plan.memory.nbytes == 0


def test_what_is_read_for_all_images_is_not_written_over_for_one() -> None:
    """A batch that only happens to be 1."""
    graph = fuse(
        parse_graph("""graph net {
          size N = 1
          input %p: f32[1,4] data
          input %x: f32[N,4] data
          input %w: f32[4,4] parameter
          %shift: f32[1,4] = matmul(%p, %w)  # a
          %sum: f32[N,4] = map(%x, %shift) {add(a0, a1)}  # b
          %y: f32[N,4] = matmul(%sum, %w)  # c
          output %y: f32[N,4] result
        }""")
    )
    number = {value.name: buffer for value, buffer in Assignment(graph).number.items()}
    assert number["sum"] != number["shift"]


UPDATE = """graph update {
  input %data: f32[10] parameter
  input %diff: f32[10] gradient
  input %history: f32[10] state
  input %rate: f32[1] hyper
update:
  %h: f32[10] = map(%history, %diff, %rate) {add(mul(0.9, a0), mul(a2, a1))}
  %d: f32[10] = map(%data, %h) {sub(a0, a1)}
  output %d: f32[10] state "data"
  output %h: f32[10] gradient "diff"
  output %h: f32[10] state "history"
}
"""


def test_an_update_runs_in_place() -> None:
    graph, plan = plan_of(UPDATE)
    assert len(graph.nodes) == 1
    assert place(graph, plan, "d") == place(graph, plan, "data")
    assert copied(plan) == ["history"]


def test_a_variable_that_is_read_later_is_copied_at_the_end() -> None:
    graph, plan = plan_of("""graph net {
      input %old: f32[4,4] state "variable"
      %new: f32[4,4] = matmul(%old, %old)  # a
      %y: f32[4,4] = matmul(%new, %old)  # b
      output %y: f32[4,4] result
      output %new: f32[4,4] state "variable"
    }""")
    assert place(graph, plan, "new")[0] == "arena"
    assert copied(plan) == ["variable"]


def test_a_matmul_does_not_overwrite_what_it_reads() -> None:
    _, plan = plan_of("""graph net {
      input %old: f32[4,4] state "variable"
      %new: f32[4,4] = matmul(%old, %old)
      output %new: f32[4,4] state "variable"
    }""")
    assert copied(plan) == ["variable"]


def test_outputs_may_show_inputs_and_each_other() -> None:
    _, plan = plan_of("""graph net {
      input %x: f32[4] data
      input %s: f32[4] state "variable"
      %y: f32[4] = map(%x) {exp(a0)}
      output %x: f32[4] result "same"
      output %y: f32[4] result
      output %y: f32[4] result "twin"
      output %s: f32[4] result "before"
      output %y: f32[4] state "variable"
    }""")
    assert copied(plan) == ["same", "twin", "before", "variable"]


def test_a_variable_that_is_shown_as_it_was_is_copied_before_it_is_written() -> None:
    _, plan = plan_of("""graph net {
      input %s: f32[4] state
      %t: f32[4] = map(%s) {mul(a0, 2.0)}
      output %t: f32[4] state "s"
      output %s: f32[4] result "before"
    }""")
    assert copied(plan) == ["before", "s"]


def test_an_unchanged_variable_needs_nothing() -> None:
    _, plan = plan_of("""graph net {
      input %s: f32[4] state "variable"
      output %s: f32[4] state "variable"
    }""")
    assert not copied(plan)


def test_variables_that_swap_are_refused() -> None:
    text = """graph net {
      input %a: f32[4] state
      input %b: f32[4] state
      output %a: f32[4] state "b"
      output %b: f32[4] state "a"
    }"""
    with pytest.raises(RuntimeError, match="%a, %b"):
        planned(parse_graph(text))


KERNEL = Kernel("k", "", ())


def test_temporaries_live_during_their_node() -> None:
    graph = parse_graph("""graph net {
      input %x: f32[8,8] data
      %a: f32[8,8] = matmul(%x, %x)  # a
      %b: f32[8,8] = matmul(%a, %a)  # b
      %v: f32[64] = reshape(%b) shape=(64)  # v
      output %v: f32[64] result
    }""")

    def lower(
        node: Node, options: CompileOptions, number: object = None, known: object = None
    ) -> list[Launch]:
        temporary = Scratch(0, 1000)
        arguments = (*node.inputs, temporary)
        at = node.location
        return [Launch(KERNEL, Config(()), arguments, (1, 1, 1), "k", at, (temporary,))]

    compiled = compile_graph(graph, lower, CompileOptions())
    plan = compiled.plan
    (first,), (second,) = (launch.writes for launch in plan.launches)
    assert [plan.buffers[number].name for number in (first, second)] == ["scratch 0", "scratch 1"]
    assert plan.memory.nbytes == 1024 + 256
    assert [len(part) for part in plan.parts] == [2]  # type: ignore[arg-type]


def test_host_calls_cut_segments() -> None:
    graph = parse_graph("""graph net {
      input %x: f32[8] data
      %a: f32[8] = map(%x) {exp(a0)}
      %b: f32[8] = host_call(%a) label="python" types=(f32[8])
      %c: f32[8] = map(%b) {exp(a0)}
      output %c: f32[8] result
    }""")

    def lower(
        node: Node, options: CompileOptions, number: object = None, known: object = None
    ) -> list[Launch]:
        return [Launch(KERNEL, Config(()), (), (1, 1, 1), "k", node.location, node.outputs)]

    compiled = compile_graph(graph, lower, CompileOptions())
    assert [isinstance(part, HostStep) for part in compiled.plan.parts] == [False, True, False]
    assert list(compiled.kernels.values()) == [list(compiled.launches)]


def test_the_table_shows_every_buffer() -> None:
    graph = run_passes(
        parse_graph("""graph net {
          input %x: f32[64,8] data
          %a: f32[64,64] = matmul(%x, %x) transpose_b=true  # a
          %b: f32[64,64] = matmul(%a, %a)  # b
          %c: f32[64,64] = matmul(%b, %b)  # c
          %d: f32[64,64] = matmul(%c, %c)  # d
          output %d: f32[64,64] result
        }"""),
        CompileOptions(),
    )
    assert memory_table(planned(graph)) == (
        "offset  bytes  live  value\n"
        "     0  16384  0..1  %a\n"
        "     0  16384  2..3  %c\n"
        " 16384  16384  1..2  %b\n"
        "arena 32768 bytes; all buffers 49152 bytes (33% saved); lower bound 32768 bytes; "
        "outside the arena 18432 bytes\n"
    )
    assert Role.RESULT in {p.role for p in graph.outputs}


def test_where_diffs_are_complete() -> None:
    """After the last step that writes them, be it a copy; at once, where none does."""
    _, plan = plan_of("""graph net {
      input %x: f32[4,3] data
      input %g: f32[4,2] seed
      input %w.diff: f32[2,3] gradient "w"
      input %v.diff: f32[2,3] gradient "v"
      input %u.diff: f32[2,3] gradient "u"
    backward:
      %d: f32[2,3] = matmul(%g, %x) transpose_a=true  # ip
      %first: f32[2,3] = map(%w.diff, %d) {add(a0, a1)}  # ip
      %e: f32[2,3] = matmul(%g, %x) transpose_a=true  # ip2
      %sum: f32[2,3] = map(%first, %e) {add(a0, a1)}  # ip2
      output %sum: f32[2,3] gradient "w"
      output %sum: f32[2,3] gradient "v"
      output %u.diff: f32[2,3] gradient "u"
    }""")
    assert len(plan.launches) == 2 and len(plan.steps) == 3
    assert plan.complete_after == {"w": 1, "v": 2, "u": -1}
    assert plan.results_after == -1
    assert "diffs complete" in step_table(plan) and step_table(plan).count("\n") == 5
