"""Plans that are kept between runs: read back whole, or compiled anew."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.c.lanes import with_layout
from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.plan_cache import cached_compiler, key
from compiler.plan_cache.cached_compiler import CachedCompiler
from compiler.plan_cache.plan_store import PlanStore
from compiler.target import Target
from ir.graph import Graph
from ir.ops.host import HostCall
from ir.text import parse_graph
from roastery.reading import nets
from tests.support import program_kernels
from tests.support.c_kernels import needs_compiler
from tests.support.lowering import inputs, program_of

OPTIONS = CompileOptions(with_layout(Target("cpu", vector=16, instructions="any", registers=16)))
NET = inputs(x=(2, 3, 8, 8)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { '
    'num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }\n'
    'layer { name: "r" type: "ReLU" bottom: "c" top: "r" }\n'
)


WITH_HOST_CALL = """graph g {
  input %x: f32[3] data
  %y: f32[3] = map(%x) {mul(a0, a0)}
  %z: f32[3] = host_call(%y) label="z" types=(f32[3])
  %w: f32[3] = map(%z) {add(a0, 1.0)}
  output %w: f32[3] result
}"""


class Compilers:
    """Counts how many there are. ``make`` is a new process's."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.count = 0
        self.store = PlanStore(folder, **settings)

    def _compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        self.count += 1
        return GraphCompiler(graph, lower_to_c, options)

    def make(self, graph: Graph, options: CompileOptions = OPTIONS) -> CachedCompiler:
        return CachedCompiler(graph, options, self._compiler, self.store)


@pytest.fixture
def compilers(tmp_path: Path) -> Compilers:
    return Compilers(tmp_path / "plans")


def graph(file: str = "net.prototxt", text: str = NET) -> Graph:
    program = program_of(nets.net_from_text(text, file), "TEST")
    return program_kernels.general(program).graph


def test_what_was_compiled_is_read_back(compilers: Compilers) -> None:
    first = compilers.make(graph()).at()
    again = compilers.make(graph()).at()
    assert compilers.count == 1
    assert again == first and again.kernels == first.kernels


def test_steps_of_a_loop_are_read_back(compilers: Compilers) -> None:
    net = inputs(x=(4, 3, 2), cont=(4, 3)) + (
        'layer { name: "l" type: "LSTM" bottom: "x" bottom: "cont" top: "l" '
        "recurrent_param { num_output: 5 } }\n"
    )
    first = compilers.make(graph(text=net)).at()
    moved = compilers.make(graph("two.prototxt", net)).at()
    assert compilers.count == 1
    assert first.plan.repeats and moved.kernels == first.kernels
    assert moved.plan == GraphCompiler(graph("two.prototxt", net), lower_to_c, OPTIONS).at().plan


def test_places_are_those_of_the_net_at_hand(compilers: Compilers) -> None:
    compilers.make(graph("one.prototxt")).at()
    moved = compilers.make(graph("two.prototxt", "\n\n" + NET)).at()
    assert compilers.count == 1
    fresh = GraphCompiler(graph("two.prototxt", "\n\n" + NET), lower_to_c, OPTIONS).at().plan
    assert moved.plan == fresh
    assert "two.prototxt" in str(moved.plan.launches[0])


def test_other_sizes_have_plans_of_their_own(compilers: Compilers) -> None:
    compiled = compilers.make(graph())
    assert compiled.at({"N": 1, "H": 8, "W": 8}) is compiled.at({"N": 1, "H": 8, "W": 8})
    assert compilers.count == 1
    at_five = compilers.make(graph()).at({"N": 5, "H": 9, "W": 7})
    assert compilers.count == 2
    assert at_five.plan.buffers[0].type.shape == (5, 3, 9, 7)
    compilers.make(graph()).at({"N": 1, "H": 8, "W": 8})
    assert compilers.count == 2


@pytest.mark.parametrize(
    "changed",
    [
        lambda net, options: (net.replace("num_output: 4", "num_output: 5"), options),
        lambda net, options: (net.replace("ReLU", "TanH"), options),
        lambda net, options: (net, replace(options, target=replace(options.target, vector=32))),
        lambda net, options: (net, replace(options, precision="tf32")),
    ],
)
def test_another_net_or_target_has_another_plan(
    compilers: Compilers,
    changed: Callable[[str, CompileOptions], tuple[str, CompileOptions]],
) -> None:
    compilers.make(graph()).at()
    text, options = changed(NET, OPTIONS)
    compilers.make(graph(text=text), options).at()
    assert compilers.count == 2


def test_other_sources_of_the_compiler_have_other_plans(
    compilers: Compilers, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilers.make(graph()).at()
    for module in (key, cached_compiler):
        monkeypatch.setattr(module, "digest_at_start", lambda: "of another release")
    compilers.make(graph()).at()
    assert compilers.count == 2
    # The files are no longer those that the process began with: nothing is kept.
    compilers.make(graph()).at()
    assert compilers.count == 3


@pytest.mark.parametrize("options", [replace(OPTIONS, fuel=99), replace(OPTIONS, passes=())])
def test_what_passes_are_asked_for_run(compilers: Compilers, options: CompileOptions) -> None:
    for count in (1, 2):
        compilers.make(graph(), options).at()
        assert compilers.count == count


def test_ops_of_others_are_not_kept(compilers: Compilers) -> None:
    class Theirs(HostCall):
        pass

    before = parse_graph(WITH_HOST_CALL)
    nodes = [
        replace(n, op=Theirs(n.op.label, n.op.types)) if isinstance(n.op, HostCall) else n
        for n in before.nodes
    ]
    for count in (1, 2):
        compilers.make(replace(before, nodes=tuple(nodes))).at()
        assert compilers.count == count


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: b"x" + data,
    ],
)
def test_damaged_plans_are_made_anew(
    compilers: Compilers,
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    first = compilers.make(graph()).at()
    (path,) = (tmp_path / "plans").iterdir()
    good = path.read_bytes()
    path.write_bytes(damage(good))
    with caplog.at_level(logging.WARNING, "roastery.cache"):
        for _ in range(2):
            assert compilers.make(graph()).at() == first
    assert compilers.count == 2 and path.read_bytes() == good
    assert caplog.messages == [f"the cache of plans is damaged, and made anew: {path}"]


def test_a_plan_under_another_name_is_none(compilers: Compilers, tmp_path: Path) -> None:
    compilers.make(graph()).at()
    compilers.make(graph(text=NET.replace("ReLU", "TanH"))).at()
    one, two = (tmp_path / "plans").iterdir()
    two.write_bytes(one.read_bytes())
    compilers.make(graph()).at()
    compilers.make(graph(text=NET.replace("ReLU", "TanH"))).at()
    assert compilers.count == 3


def test_a_folder_that_others_can_write_is_not_used(compilers: Compilers, tmp_path: Path) -> None:
    compilers.make(graph()).at()
    folder = tmp_path / "plans"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    folder.chmod(0o770)
    compilers.make(graph()).at()
    assert compilers.count == 2


def test_those_used_longest_ago_make_room(tmp_path: Path) -> None:
    compilers = Compilers(tmp_path / "plans")
    compilers.make(graph()).at()
    (path,) = (tmp_path / "plans").iterdir()
    os.utime(path, (1, 1))
    few = Compilers(tmp_path / "plans", most_bytes=path.stat().st_size + 10)
    few.make(graph(text=NET.replace("ReLU", "TanH"))).at()
    assert not path.exists() and len([*(tmp_path / "plans").iterdir()]) == 1


def test_host_steps_call_what_the_graph_at_hand_has(compilers: Compilers) -> None:
    def made(factor: float) -> Graph:
        before = parse_graph(WITH_HOST_CALL)
        nodes = tuple(
            replace(n, op=replace(n.op, forward=lambda given: [given[0] * factor]))
            if isinstance(n.op, HostCall)
            else n
            for n in before.nodes
        )
        return replace(before, nodes=nodes)

    for factor in (2.0, 3.0):
        plan = compilers.make(made(factor)).at()
        (op,) = plan.hosts.values()
        (result,) = op.reference([np.ones(3, np.float32)], op.infer([]))
        assert result[0] == factor
    assert compilers.count == 1


SCRIPT = """
import sys
import numpy as np
import roastery
net = roastery.compile(sys.argv[1], device="cpu", freeze=True)
print(repr(float(net(x=np.ones((2, 3, 8, 8)))["r"].sum())), "compiler.pipeline" in sys.modules)
"""


@needs_compiler
def test_a_warm_start_does_without_the_compiler(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    environment = {**os.environ, "ROASTERY_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", SCRIPT, str(path)]
    said = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    cold, warm = (line.split() for line in said)
    assert cold[0] == warm[0]
    assert (cold[1], warm[1]) == ("True", "False")
