"""``roastery opt``: passes on graphs as text."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.options import CompileOptions
from compiler.passes import registry, rewrite
from compiler.pipeline import run_passes
from ir.text import format_graph, parse_graph
from roastery.cli.main import main

ROOT = Path(__file__).parents[2]
NET = """graph net {
  input %x: f32[2,3] data
  input %w: f32[4,3] parameter
  %ip: f32[2,4] = matmul(%x, %w) transpose_b=true   # ip net.prototxt:3:1
  %same: f32[2,4] = map(%ip) {add(a0, 0.0)}         # relu net.prototxt:9:1
  %y: f32[2,4] = map(%same) {max(a0, 0.0)}          # relu net.prototxt:9:1
  %z: f32[2,4] = map(%y) {exp(a0)}                  # exp net.prototxt:15:1
  output %z: f32[2,4] result
}
"""
WRONG = """
from dataclasses import replace
from compiler.passes.registry import register
from ir import expr as e
from ir.ops.pointwise import Map

@register("lose_relu")
def lose_relu(graph, context):
    '''Forget the zero.'''
    nodes = [
        replace(n, op=Map((e.arg(0),)))
        if n.op.name == "map" and n.op.exprs[0].op == "max"
        and context.fuel.take("lose_relu: {}", n) else n
        for n in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))

@register("unasked")
def unasked(graph, context):
    '''Rewrite, whether there is fuel or not.'''
    return lose_relu(graph, type(context)())

@register("drops_output")
def drops_output(graph, context):
    '''Lose an output.'''
    if context.fuel.take("drops_output: {}", graph.nodes[-1]):
        return replace(graph, outputs=())
    return graph

@register("invalid")
def invalid(graph, context):
    '''Lose a node that is needed.'''
    if context.fuel.take("invalid: {}", graph.nodes[0]):
        return replace(graph, nodes=graph.nodes[1:])
    return graph

@register("fails")
def fails(graph, context):
    '''Fail.'''
    if context.fuel.take("fails: {}", graph.nodes[0]):
        raise KeyError("oh")
    return graph

@register("forgets")
def forgets(graph, context):
    '''Forget to return the graph.'''
    context.fuel.take("forgets: {}", graph.nodes[0])

@register("refuses")
def refuses(graph, context):
    '''Refuse what it has done itself.'''
    from ir.errors import RoasteryError
    if context.fuel.take("refuses: {}", graph.nodes[0]):
        raise RoasteryError("no such graph")
    return graph

@register("leaves")
def leaves(graph, context):
    '''End the program, as if all were well.'''
    if context.fuel.take("leaves: {}", graph.nodes[0]):
        raise SystemExit(0)
    return graph
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def opt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``roastery opt`` in a folder with net.ir and wrong.py: exit code, output, errors."""
    passes = dict(registry.PASSES)
    rules = {op: tuple(of_op) for op, of_op in rewrite.RULES.items()}
    monkeypatch.chdir(tmp_path)
    Path("net.ir").write_text(NET)
    Path("wrong.py").write_text(WRONG)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(registry, "PASSES", dict(passes))
        monkeypatch.setattr(rewrite, "RULES", {op: [*of_op] for op, of_op in rules.items()})
        code = main(["opt", *words])
        return (code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("passes", ["simplify", "fuse", "simplify,fuse", "none", "default"])
def test_it_prints_what_the_passes_make(opt: Run, passes: str) -> None:
    code, out, err = opt("net.ir", "--passes", passes)
    options = CompileOptions(passes=registry.passes_named(passes))
    assert (code, err) == (0, "")
    assert out == format_graph(run_passes(parse_graph(NET), options))
    assert format_graph(parse_graph(out)) == out


def test_it_reads_standard_input_and_writes_a_file(
    opt: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NET.encode())))
    assert opt("-", "-o", "out.ir", "--passes=fuse") == (0, "", "")
    assert opt("out.ir", "--passes=none")[1] == Path("out.ir").read_text()
    assert opt("net.ir", "--passes=fuse")[1] == Path("out.ir").read_text()


def test_every_step_can_be_shown_and_verified(opt: Run) -> None:
    code, out, _ = opt("net.ir", "--passes", "simplify,fuse", "--print-each", "--verify")
    assert code == 0
    shown = re.findall(r"^# after (\w+): (\d) nodes$", out, re.M)
    assert shown == [("simplify", "3"), ("fuse", "1")]
    assert out.count("graph net {") == 2
    code, _, err = opt("net.ir", "--passes=invalid,fuse", "--verify", "--plugin=wrong.py")
    assert code == 1 and "after the pass invalid" in err and "%ip is read before" in err


def test_fuel_stops_and_tells_the_last_rewrite(opt: Run) -> None:
    code, out, err = opt("net.ir", "--fuel=1")
    assert (code, err) == (0, "rewrite 1: simplify: tidy_map of %same (relu, net.prototxt:9)\n")
    assert "%same" not in out and out.count("fused(") == 3
    code, out, err = opt("net.ir", "--fuel=0")
    assert out.count("fused(") == 4 and err == ""
    assert opt("net.ir", "--fuel=99")[2] == "all 3 rewrites made\n"
    assert opt("net.ir", "--fuel=99")[1] == opt("net.ir")[1]


def test_every_rewrite_can_be_told(opt: Run) -> None:
    code, out, err = opt("net.ir", "--rewrites", "-o", "-")
    assert (code, out) == (0, opt("net.ir")[1])
    lines = err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["rewrite 1", "rewrite 2", "rewrite 3"]
    assert all(opt("net.ir", f"--fuel={n}")[2] == f"{lines[n - 1]}\n" for n in (1, 2, 3))


def test_a_check_tells_which_output_differs(opt: Run) -> None:
    code, _, err = opt("net.ir", "--check")
    assert (code, err) == (0, "no output differs after 3 rewrites\n")
    code, out, err = opt("net.ir", "--check", "--passes=lose_relu", "--plugin=wrong.py")
    assert code == 1 and out.startswith("graph net {")
    assert re.match(r"output 'z' \(result\) differs by up to \S+ at \(\d, \d\): \S+ before, ", err)
    assert "1 output differs after 1 rewrites" in err
    code, _, err = opt("net.ir", "--check", "--passes=drops_output", "--plugin=wrong.py")
    assert code == 1 and "output 'z' (result) is gone" in err


@pytest.mark.parametrize(
    ("passes", "rewrite"),
    [
        ("simplify,lose_relu,fuse", "rewrite 2: lose_relu: %y (relu, net.prototxt:9)"),
        ("lose_relu,simplify", "rewrite 1: lose_relu: %y (relu, net.prototxt:9)"),
        ("simplify,fails", "rewrite 2: fails: %ip (ip, net.prototxt:3)"),
        ("simplify,invalid,fuse", "rewrite 2: invalid: %ip (ip, net.prototxt:3)"),
        ("simplify,refuses", "rewrite 2: refuses: %ip (ip, net.prototxt:3)"),
        ("simplify,leaves", "rewrite 2: leaves: %ip (ip, net.prototxt:3)"),
        ("simplify,fuse,drops_output", "rewrite 4: drops_output: %z (ip, net.prototxt:3)"),
    ],
)
def test_bisection_finds_the_rewrite(opt: Run, passes: str, rewrite: str) -> None:
    code, out, err = opt("net.ir", "--bisect", "--plugin=wrong.py", "--passes", passes)
    assert (code, err) == (1, "")
    assert rewrite in out.splitlines()
    assert "\\n" not in out and "hint" not in out


def test_bisection_takes_few_runs_and_shows_the_change(opt: Run) -> None:
    shutil.copytree(ROOT / "examples" / "passes", ".", dirs_exist_ok=True)
    count = 40
    lines = NET.replace("%y)", f"%r{count - 1})").splitlines()
    chain = [
        f"  %r{i}: f32[2,4] = map(%{f'r{i - 1}' if i else 'y'}) "
        f"{{where(gt(a0, 0.0), a0, mul(a0, {3.0 if i == 29 else 0.5}))}}  # relu{i}"
        for i in range(count)
    ]
    Path("long.ir").write_text("\n".join([*lines[:6], *chain, *lines[6:]]))
    # Nothing negative reaches them but what this adds.
    text = Path("long.ir").read_text().replace("{max(a0, 0.0)}", "{sub(a0, 1.0)}")
    Path("long.ir").write_text(text)
    code, out, _ = opt("long.ir", "--bisect", "--plugin=leaky_max.py", "--passes=simplify,fuse")
    assert code == 1
    assert ": simplify: leaky_max of %r29 (relu29)" in out
    assert len(re.findall(r"^(right|wrong) after \d+$", out, re.M)) <= 7
    assert re.search(r"^  -.*%r29.*where.*\n  \+.*%r29.*\{max\(a0, mul\(a0, 3.0\)\)\}", out, re.M)


@pytest.mark.parametrize(("precision", "dtype"), [("bfloat16", "bf16"), ("float16", "f16")])
def test_graphs_of_16_bits(opt: Run, precision: str, dtype: str) -> None:
    """The pass has something to do, and its roundings are no errors."""
    words = ("net.ir", "--check", f"--precision={precision}")
    code, out, err = opt(*words)
    assert (code, err) == (0, "no output differs after 5 rewrites\n")
    assert f"{dtype}[" in out
    Path("relu.ir").write_text(NET.replace("{exp(a0)}", "{add(a0, 1.0)}"))
    passes = ("--passes=lose_relu,fuse,precision", "--plugin=wrong.py")
    code, _, err = opt("relu.ir", *words[1:], *passes)
    assert code == 1 and "1 output differs" in err
    code, out, err = opt("net.ir", f"--precision={precision}", "--passes=simplify")
    assert f"note: precision {precision} has no effect without the pass precision" in err
    assert code == 0 and f"{dtype}[" not in out


def test_bisection_goes_no_further_than_the_fuel(opt: Run) -> None:
    words = ("net.ir", "--bisect", "--passes=simplify,lose_relu", "--plugin=wrong.py")
    assert opt(*words, "--fuel=1")[1] == "right after all 1 rewrites of simplify, lose_relu\n"
    assert opt(*words, "--fuel=2")[0] == 1
    assert "--bisect writes no graph" in refused(opt(*words, "-o", "out.ir"))


def test_a_pass_that_takes_no_fuel_is_told(opt: Run) -> None:
    code, out, _ = opt("net.ir", "--bisect", "--passes=simplify,unasked", "--plugin=wrong.py")
    assert code == 1 and "the pass unasked takes no fuel for what it does" in out
    code, out, _ = opt("net.ir", "--bisect", "--passes=simplify,forgets", "--plugin=wrong.py")
    assert code == 1 and "the pass forgets gives None, not a graph\n" in out


def test_all_well(opt: Run) -> None:
    assert opt("net.ir", "--bisect", "--passes=simplify,fuse") == (
        0,
        "right after all 3 rewrites of simplify, fuse\n",
        "",
    )


# --- mistakes ---------------------------------------------------------------------------


def refused(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert (code, out) == (1, "") and err.startswith("error: ") and "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("matmul", "matmull", "matmull", "unknown op 'matmull'; did you mean matmul?"),
        ("(%same)", "(%some)", "some", "%some is not defined"),
        ("transpose_b", "transpose", "transpose", "matmul has no attribute transpose; it has"),
        ("{exp(a0)}", "{exp(a0, a0)}", "{exp", "exp takes 1 operands, 2 are given"),
        ("{exp(a0)}", "", "map(%y)", "map needs exprs"),
        ("%ip: f32[2,4]", "%ip: f32[2,5]", "%ip:", "graph net: matmul is declared as f32[2,5], "),
        ("%z: f32[2,4] r", "%z: f32[4] r", "z: f32[4]", "%z is f32[2,4], not f32[4]"),
        ("%z: f32[2,4] =", "%ip: f32[2,4] =", "ip: f32[2,4] = map(%y)", "%ip is defined twice"),
        ("f32[2,3] data", "f32[2,3] date", "date", "'date' is not a valid Role"),
    ],
)
def test_a_mistake_in_the_text_is_shown_in_its_place(
    opt: Run, old: str, new: str, place: str, message: str
) -> None:
    text = NET.replace(old, new)
    Path("net.ir").write_text(text)
    before = text[: text.index(place)].split("\n")
    first, excerpt, caret = refused(opt("net.ir", "--passes=fuse")).splitlines()
    assert first.startswith(f"error: net.ir:{len(before)}:{len(before[-1]) + 1}: {message}")
    assert excerpt == "    " + text.splitlines()[len(before) - 1]
    assert caret == " " * (4 + len(before[-1])) + "^"


def test_what_is_no_graph_is_refused(opt: Run) -> None:
    Path("net.prototxt").write_text('layer { name: "a" }')
    err = refused(opt("net.prototxt"))
    assert err.startswith("error: net.prototxt:1:1: 'graph' expected")
    assert "`roastery compile NET --dump DIR` writes graphs" in err
    Path("empty.ir").write_text("")
    assert "empty.ir" in refused(opt("empty.ir"))
    with open("huge.ir", "wb") as file:
        file.truncate(1 << 40)
    assert "'huge.ir' is more than 64 MiB of text" in refused(opt("huge.ir"))
    os.mkfifo("pipe")
    assert "is a pipe" in refused(opt("pipe"))
    assert "there is no" in refused(opt("nowhere.ir"))
    assert "Is a directory" in refused(opt("."))
    assert "FILE" in refused(opt())


def test_an_unknown_pass_lists_all(opt: Run) -> None:
    err = refused(opt("net.ir", "--passes=simplify,fuze"))
    assert "there is no pass 'fuze'" in err
    for name in registry.PASSES:
        assert re.search(rf"^  {name} +\w", err, re.M)


def test_the_list_has_the_plugins_passes(opt: Run) -> None:
    code, out, _ = opt("--list", "--plugin", "wrong.py")
    assert code == 0 and "  lose_relu           Forget the zero\n" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit(0)\n", "SystemExit"),
        ("def f(:\n", "SyntaxError"),
        ('from compiler.passes.registry import register\nregister("fuse")(print)\n', "already"),
    ],
)
def test_a_plugin_that_fails_is_told(opt: Run, text: str, message: str) -> None:
    Path("bad.py").write_text(text)
    err = refused(opt("net.ir", "--plugin=bad.py"))
    assert "the plugin 'bad.py' cannot be loaded" in err and message in err


def test_passes_that_do_not_fit_the_graph(opt: Run) -> None:
    for flags in ([], ["--bisect"], ["--check"]):
        code, out, err = opt("net.ir", "--passes=fuse,differentiate", *flags)
        assert (code, out) == (1, "") and "differentiate before fuse" in err
    twice = refused(opt("net.ir", "--passes=differentiate,differentiate"))
    assert "has a backward already" in twice
    failed = refused(opt("net.ir", "--passes=fails", "--plugin=wrong.py"))
    assert "the pass fails failed: KeyError: 'oh'" in failed
    none = refused(opt("net.ir", "--passes=forgets", "--plugin=wrong.py"))
    assert "the pass forgets gives None, not a graph\n  hint: does it end with `return" in none
    invalid = refused(opt("net.ir", "--passes=invalid", "--verify", "--plugin=wrong.py"))
    assert "after the pass invalid: " in invalid and "\n    %same: f32[2,4] = map(%ip)" in invalid


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_that_nobody_takes_is_no_fault_of_a_pass(opt: Run) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "roastery", "opt", "net.ir", "--print-each"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "error: No space left on device\n")


def test_too_large_to_be_run_is_said_before(opt: Run) -> None:
    Path("net.ir").write_text(NET.replace("[2,", "[20000000000,"))
    assert opt("net.ir", "--passes=fuse")[0] == 0
    assert "of memory" in refused(opt("net.ir", "--check"))


def test_an_output_that_shows_nothing_is_told(opt: Run) -> None:
    Path("net.ir").write_text(NET.replace("{exp(a0)}", "{log(sub(neg(a0), 1.0))}"))
    code, _, err = opt("net.ir", "--check", "-o", "out.ir")
    assert code == 0 and "output 'z' is no number on random inputs" in err


def test_a_host_call_is_stood_in_for(opt: Run) -> None:
    call = '  %h: f32[2,4] = host_call(%y) label="python h" types=(f32[2,4])\n'
    text = NET.replace("  %z:", f"{call}  %z:").replace("map(%y) {exp", "map(%h) {exp")
    Path("net.ir").write_text(text)
    assert opt("net.ir", "--bisect")[0] == 0
    code, out, _ = opt("net.ir", "--bisect", "--passes=lose_relu", "--plugin=wrong.py")
    assert code == 1 and "rewrite 1: lose_relu: %y" in out


def test_what_compile_dumps_is_read_and_means_the_same(tmp_path: Path) -> None:
    net = ROOT / "examples" / "lenet" / "lenet_train_test.prototxt"
    shapes = ("--shape=data=2,1,28,28", "--shape=label=2")
    roastery = [sys.executable, "-m", "roastery"]
    done = subprocess.run(
        [*roastery, "compile", str(net), *shapes, "--dump=out"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    graphs = sorted(tmp_path.glob("out/*.ir"))
    assert {"graph_lowered.ir", "graph_with_backward.ir"} <= {p.name for p in graphs}
    for path in graphs:
        assert format_graph(parse_graph(path.read_text())) == path.read_text()
    whole = tmp_path / "out" / "graph_with_backward.ir"
    done = subprocess.run(
        [*roastery, "opt", str(whole), "--check", "-o", "fused.ir"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"no output differs after \d\d+ rewrites\n", done.stderr)
    last = max(tmp_path.glob("out/pass_*.ir"))
    assert (tmp_path / "fused.ir").read_text() == last.read_text()
