"""Nets and solvers as prototxt, the IR's text, and lists."""

from __future__ import annotations

from pathlib import Path

from ir.text import format_graph
from ir.text_reader import parse_graph
from roastery.reading import nets
from roastery.reading.image_sizes import read_image_sizes
from roastery.reading.solver_settings import read_solver_file, solver_config
from roastery.tools.upgrade_files import upgrade_net_text, upgrade_solver_text
from tests.support import sample_nets
from tests.support.layer_cases import all_cases
from tests.support.lowering import program_of

from ..inputs import Sample, one_file
from ..targets import Target, register
from .places import texts


def _nets(room: Path) -> list[Sample]:
    small = [sample_nets.residual(), sample_nets.inception(), sample_nets.recurrent()]
    layers = [case.prototxt for case in all_cases()]
    recorded = [text for _, text in texts("nets/*.prototxt", "upgrades/in/v2*.prototxt")]
    whole = [text for text in recorded if _lowers(room, text)]
    return [one_file("net.prototxt", text) for text in small + whole + layers]


def _lowers(room: Path, text: str) -> bool:
    (room / "net.prototxt").write_text(text)
    try:
        _read_net(room / "net.prototxt")
    except Exception:
        return False  # needs a database; its own readers are fuzzed elsewhere
    return True


def _read_net(path: Path) -> object:
    message = nets.read_net(path)
    for phase in ("TRAIN", "TEST"):
        program_of(message, phase)
    return None


def _solvers(room: Path) -> list[Sample]:
    found = texts("log_runs/*solver.prototxt", "upgrades/in/solver_*.prototxt")
    return [
        one_file("s.prototxt", text)
        for name, text in found
        if name != "solver_both_fields.prototxt"
    ]


def _read_solver(path: Path) -> object:
    return solver_config(read_solver_file(path).message)


def _old_nets(room: Path) -> list[Sample]:
    wrong = ("v0_bad_type.prototxt", "v0_padding_into_relu.prototxt")
    found = texts("upgrades/in/v[01]_*.prototxt")
    return [one_file("old.prototxt", text) for name, text in found if name not in wrong]


def _upgrade(path: Path) -> object:
    upgrade_net_text(path, path.with_name("new.prototxt"))
    return None


def _old_solvers(room: Path) -> list[Sample]:
    return [s for s in _solvers(room) if b"solver_type" in s.files["s.prototxt"]]


def _upgrade_solver(path: Path) -> object:
    upgrade_solver_text(path, path.with_name("new.prototxt"))
    return None


def _graphs(room: Path) -> list[Sample]:
    samples = []
    for text in (sample_nets.residual(), sample_nets.recurrent()):
        program = program_of(nets.net_from_text(text), "TRAIN")
        samples.append(one_file("graph.txt", format_graph(program.graph)))
    return samples


def _read_graph(path: Path) -> object:
    return parse_graph(path.read_text("utf-8", "surrogateescape"))


def _image_sizes(room: Path) -> list[Sample]:
    lines = "".join(f"picture_{i} {100 + i} {640 - 7 * i}\n" for i in range(30))
    return [one_file("sizes.txt", lines), one_file("sizes.txt", "a 1 1")]


register(Target("sizes of images", _image_sizes, read_image_sizes, "text"))
register(Target("net prototxt", _nets, _read_net, "text"))
register(Target("solver prototxt", _solvers, _read_solver, "text"))
register(Target("upgrade of nets", _old_nets, _upgrade, "text", leaves=("new.prototxt",)))
register(
    Target("upgrade of solvers", _old_solvers, _upgrade_solver, "text", leaves=("new.prototxt",))
)
register(Target("IR text", _graphs, _read_graph, "text", clean=(ValueError,)))
