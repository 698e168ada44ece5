"""``benchmarks/gpu.py`` without a GPU: its pieces, how they go on, what they find, its tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import benchmarks.gpu as gpu
import benchmarks.predicted.nets as nets_module
import benchmarks.zoo.captioner as captioner_module
import benchmarks.zoo.fcn8s as fcn8s_module
from benchmarks.gpu_contest.cases import COMPILED, EAGER, PRECISIONS, ROASTERY, Case, cases
from benchmarks.gpu_contest.contender import arrays_of, measure, net_of
from benchmarks.gpu_contest.errors import errors
from benchmarks.gpu_contest.order import telling_first
from benchmarks.gpu_contest.pieces import LIMIT, Piece, planned
from benchmarks.gpu_contest.running import run_pieces
from benchmarks.gpu_contest.state import State
from benchmarks.gpu_contest.tables import report
from benchmarks.torch_nets import TorchNet
from runtime.backends.reference import ReferenceBackend
from tests.support.fake_gpu import FakeGpu

ROOT = Path(__file__).parents[2]


# --- pieces -----------------------------------------------------------------------------------


def test_all_that_is_measured() -> None:
    found = list(cases())
    assert len({case.key for case in found}) == len(found) == 9 * 3 * 3
    assert {c.batch for c in found if c.trains} == {64, 8}
    pieces = planned()
    assert len({piece.name for piece in pieces}) == len(pieces)
    assert all(piece.seconds <= LIMIT < 9 * 60 for piece in pieces)
    stages = [piece.stage for piece in pieces]
    assert stages == sorted(stages, key=["check", "time", "kernels"].index)
    contenders = [piece.contender for piece in pieces if piece.stage == "time"]
    first = contenders.index(COMPILED)
    assert set(contenders[:first]) == {ROASTERY, EAGER} and set(contenders[first:]) == {COMPILED}
    compiled = [p.case.net for p in pieces if p.contender == COMPILED and p.case]
    assert {*compiled[: 2 * 3 * 3]} == {"resnet50", "mobilenet"}
    assert len(compiled) == len(found)


def test_some_of_it() -> None:
    pieces = planned(["time"], ["lenet"], ["tf32"], [COMPILED])
    assert [piece.name for piece in pieces] == [
        f"time-lenet-{kind}-tf32-{who}"
        for kind in ("b1-inference", "b64-inference", "b64-training")
        for who in ("roastery", "eager")
    ]


def test_a_dry_run_lists_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "found"
    words = ["--dry-run", "--only", "time", "--net", "lenet", f"--folder={folder}"]
    assert gpu.main(words) == 0
    assert capsys.readouterr().out.endswith("27 of 27 pieces are left, about 38 minutes\n")
    assert not folder.exists()
    pieces = planned(["time"], ["lenet"])
    State(folder).finish(pieces[0], {"single": 1.0})
    assert gpu.main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"  done  {pieces[0].name}\n") and "26 of 27" in out


def test_what_tells_most_comes_first() -> None:
    everything = planned()
    pieces = telling_first(everything)
    assert {piece.name for piece in pieces} == {piece.name for piece in everything}
    names = [piece.name for piece in pieces]
    spent, there = 0.0, 0
    for one in pieces:
        beside = 1 if one.measures else 4
        spent += one.seconds / beside
        there += spent <= 9 * 60
    assert {f"time-resnet50-b64-training-{p}-{who}" for p in PRECISIONS
            for who in ("roastery", "eager")} <= {*names[:there]}  # fmt: skip
    assert {"time-resnet50-b64-training-tf32-compiled", "errors-resnet50-b16"} <= {*names[:there]}
    assert "check-layers" in names[:8] and pieces[-1].contender == COMPILED
    assert all(one.seconds < one.most < LIMIT for one in pieces)


def test_without_a_gpu() -> None:
    none = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "benchmarks/gpu.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=none)
    assert done.returncode == 1
    assert done.stdout.startswith("device cuda is not there") and "--dry-run" in done.stdout
    assert "Traceback" not in done.stderr


# --- running ----------------------------------------------------------------------------------


def piece(name: str, code: str, attempts: int = 2, seconds: float = 0.1) -> Piece:
    command = (sys.executable, "-c", code, "{file}")
    return Piece(name, "time", command, seconds, attempts)


WRITES = "import sys; open(sys.argv[1], 'w').write('{\"single\": 2.5}'); print('said')"
HANGS = "import time; time.sleep(60)"


def test_what_is_done_is_done_once(tmp_path: Path) -> None:
    state, told = State(tmp_path), list[str]()
    pieces = [piece("one", WRITES), piece("two", "raise SystemExit('no such net')")]
    assert run_pieces(pieces, state, 60, told.append) == []
    record = state.record(pieces[0])
    assert record is not None and record["single"] == 2.5 and record["output"] == "said\n"
    failed = state.record(pieces[1])
    assert failed is not None and failed["failed"] == "ended with 1: no such net"
    assert told[1] == "one: done" and "no such net" in told[-1]
    told.clear()
    assert run_pieces(pieces, State(tmp_path), 60, told.append) == []
    assert told == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.json", "two.json"]


def test_what_was_cut_off_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    pieces = [piece("hangs", HANGS), piece("one", WRITES)]
    began = time.monotonic()
    for attempt in (1, 2):
        left = run_pieces(pieces, State(tmp_path), 0.5, lambda text: None)
        assert [p.name for p in left] == (["hangs", "one"] if attempt == 1 else ["one"])
    assert time.monotonic() - began < 30
    assert run_pieces(pieces, State(tmp_path), 60, lambda text: None) == []
    record = State(tmp_path).record(pieces[0])
    assert record is not None and "repeatedly" in record["failed"]


def test_a_piece_with_little_time_left_is_not_held_against(tmp_path: Path) -> None:
    pieces = [piece("slow", "import time; time.sleep(0.4)"), piece("hangs", HANGS)]
    for _ in range(3):
        (tmp_path / "slow.json").unlink(missing_ok=True)
        assert run_pieces(pieces, State(tmp_path), 1.0, lambda text: None)
    assert State(tmp_path).begun(pieces[1]) == 0


def test_interrupting_costs_no_attempt(tmp_path: Path) -> None:
    hangs = piece("hangs", "print(flush=True); " + HANGS)

    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pieces([hangs], State(tmp_path), 60, interrupt)
    assert State(tmp_path).begun(hangs) == 0


def test_checks_run_beside_each_other(tmp_path: Path) -> None:
    """Until what measures times comes, and not longer than the whole has."""
    meet = (
        "import pathlib, sys, time; there = pathlib.Path(sys.argv[2])\n"
        "(there / sys.argv[3]).touch(); end = time.monotonic() + 30\n"
        "while len(list(there.iterdir())) < 2 and time.monotonic() < end: time.sleep(0.01)\n"
        "sys.exit(len(list(there.iterdir())) != 2)"
    )
    place = tmp_path / "met"
    place.mkdir()
    checks = [
        Piece(n, "check", (sys.executable, "-c", meet, "{file}", str(place), n), 0.1) for n in "ab"
    ]
    state, timed = State(tmp_path / "found"), piece("timed", WRITES)
    assert run_pieces([*checks, timed], state, 60, lambda text: None, beside=2) == []
    assert ["failed" in (state.record(one) or {}) for one in (*checks, timed)] == [False] * 3


def test_others_run_where_one_has_too_little_time(tmp_path: Path) -> None:
    before = piece("before", "import time; time.sleep(1.1)")
    long, short = piece("long", WRITES, seconds=100), piece("short", WRITES)
    for passing, left in ((False, [long, short]), (True, [long])):
        state = State(tmp_path / str(passing))
        pieces = [before, long, short]
        assert run_pieces(pieces, state, 10, lambda text: None, passing=passing) == left


def test_interrupting_ends_what_runs_beside_each_other(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getpid(), flush=True); " + HANGS
    hang = [Piece(n, "check", (sys.executable, "-c", code), 0.1) for n in "ab"]
    state, told = State(tmp_path), list[str]()

    def tell(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_pieces(hang, state, 600, tell, beside=2)
    assert time.monotonic() - began < 30
    assert [state.begun(one) for one in hang] == [0, 0]
    assert all(state.is_left(one) for one in hang)


def test_a_killed_call_leaves_nothing_running(tmp_path: Path) -> None:
    """And the next one goes on."""
    here = tmp_path / "pid"
    code = f"import os; open({str(here)!r}, 'w').write(str(os.getpid()) + chr(10)); {HANGS}"
    script = (
        "import sys; from pathlib import Path\n"
        "from benchmarks.gpu_contest.pieces import Piece\n"
        "from benchmarks.gpu_contest.running import run_pieces\n"
        "from benchmarks.gpu_contest.state import State\n"
        f"pieces = [Piece(name, 'time', (sys.executable, '-c', code, '{{file}}'), 0.1)"
        f" for name, code in (('one', {WRITES!r}), ('hangs', {code!r}))]\n"
        "run_pieces(pieces, State(Path(sys.argv[1])), 600, print)"
    )
    folder = tmp_path / "found"
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=ROOT) as call:
        until = time.monotonic() + 60
        while not (here.is_file() and here.read_text().endswith("\n")):
            assert time.monotonic() < until
            time.sleep(0.02)
        call.kill()
    child = int(here.read_text())
    while Path(f"/proc/{child}/cmdline").is_file() and _runs(child):
        assert time.monotonic() < until
        time.sleep(0.02)
    state, hangs = State(folder), piece("hangs", WRITES)
    assert state.record(piece("one", WRITES)) is not None and state.begun(hangs) == 1
    assert run_pieces([hangs], state, 60, lambda text: None) == []
    assert (state.record(hangs) or {})["single"] == 2.5


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_failed_is_tried_again_when_asked(tmp_path: Path) -> None:
    pieces = [piece("one", WRITES), piece("two", "raise SystemExit('no such net')")]
    state = State(tmp_path)
    assert run_pieces(pieces, state, 60, lambda text: None) == []
    state.forget_failures(pieces)
    assert [state.is_left(one) for one in pieces] == [False, True]


def test_one_call_at_a_time(tmp_path: Path) -> None:
    with State(tmp_path).alone() as first:
        with State(tmp_path).alone() as second:
            assert (first, second) == (True, False)
    with State(tmp_path).alone() as third:
        assert third


def test_damaged_files_are_made_again(tmp_path: Path) -> None:
    one = piece("one", WRITES)
    for text in ("", "{", "[]", "\x00"):
        (tmp_path / "one.json").write_text(text)
        (tmp_path / "one.attempts").write_text(text)
        state = State(tmp_path)
        assert state.is_left(one) and state.begun(one) == 0
        assert run_pieces([one], state, 60, lambda text: None) == []


# --- tables -----------------------------------------------------------------------------------


def test_tables_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, pieces = State(tmp_path), planned(nets=["lenet", "resnet50"], precisions=["tf32"])
    times = {ROASTERY: 2.0, EAGER: 3.0, COMPILED: 1.0}
    for one in pieces:
        if one.contender and one.case:
            scale = 10.0 if one.case.net == "resnet50" else 1.0
            spent = scale * times[one.contender]
            early = {"early": {"single": 0.9 * spent}} if one.case.batch == 1 else {}
            memory = {"planned" if one.contender == ROASTERY else "peak": int(spent * 1e8)}
            state.finish(one, {"single": spent, "queued": spent / 2, "memory": memory, **early})
        elif one.stage == "kernels" and one.case and one.case.net == "lenet":
            row = {"microseconds": 10.0, "least": 8.0, "predicted": 9.0}
            state.finish(one, {"rows": [{**row, "label": "conv1", "entry": "conv"}]})
        elif one.name == "check-layers":
            state.finish(one, {"failed": "ended with 1: there are mismatches"})
    text = report(pieces, state)
    lines = text.splitlines()
    assert "check-layers: ended with 1: there are mismatches" in lines
    row = next(line for line in lines if line.startswith("ResNet-50 b64 training"))
    assert row.split() == ["ResNet-50", "b64", "training", "10", "15", "1.5", "5", "0.5"]
    one = next(line for line in lines if line.startswith("ResNet-50 b1 "))
    assert one.split()[-5:] == ["20", "30", "1.5", "10", "0.5"], "single passes at batch 1"
    assert "training: 1.50 times as fast as PyTorch eager; least of 2 1.50: ResNet-50 b64" in text
    assert "1 launches, 0.01 ms, 80% of the roofline; predicted 0.01 ms" in text
    assert "ResNet-50 b1, tf32 20 18 0.90" in " ".join(text.split())
    assert "  others: 0.01 ms, 80% of the roofline" in text
    assert any(line.split()[:5] == ["ResNet-50", "b64", "training,", "tf32", "2"] for line in lines)
    assert "pieces are left: the same command goes on with them" in lines[-1]
    words = ["--report", f"--folder={tmp_path}", "--net", "lenet", "resnet50"]
    assert gpu.main([*words, "--precision", "tf32"]) == 1  # a check failed
    assert f"wrote {tmp_path / 'tf32.svg'}" in capsys.readouterr().out
    assert (tmp_path / "tf32.svg").read_text().startswith("<?xml")
    assert (tmp_path / "report.txt").read_text() == text
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert gpu.main([*words, "--precision", "tf32"]) == 1
    assert "no picture: " in capsys.readouterr().out


# --- contenders -------------------------------------------------------------------------------


def test_a_contender_of_ours() -> None:
    backend = FakeGpu(1 << 26).backend()
    for trains in (False, True):
        found = measure(Case("lenet", 1, trains), ROASTERY, backend, seconds=0.01)
        assert found["single"] > 0 and found["queued"] > 0
        planned_memory = found["memory"]["planned"]
        assert 1.7e6 * (3 if trains else 1) < planned_memory < 10e6
        if trains:
            assert found["memory"]["taken"] == pytest.approx(planned_memory, rel=0.05)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_contender_of_theirs(precision: str) -> None:
    for trains in (False, True):
        case = Case("lenet", 2, trains, precision)
        found = measure(case, EAGER, None, device="cpu", seconds=0.01)
        assert found["single"] > 0 and json.dumps(found)


def test_torch_compile_takes_a_net_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the prototxt is left in what it looks into."""
    import torch

    compile = torch.compile

    def traced(function: Any, mode: str) -> Any:
        assert mode == "max-autotune"
        return compile(function, backend="eager", fullgraph=True)

    monkeypatch.setattr(torch, "compile", traced)
    for trains in (False, True):
        case = Case("lenet", 1, trains, "tf32")
        found = measure(case, COMPILED, None, device="cpu", seconds=0.01)
        assert found["single"] > 0


def test_errors_of_a_net() -> None:
    found = errors(Case("lenet", 2, True), ReferenceBackend(), "cpu")
    assert found.keys() == {"PyTorch float32", "PyTorch tf32", "Roastery float32", "Roastery ieee"}
    for row in found.values():
        assert 0 <= row["loss"] < 1e-5 and 0 < row["diff"] < 1e-4 and row["worst"]


@pytest.mark.parametrize("name", ["fcn8s", "captioner"])
def test_nets_in_pytorch_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few channels and words."""
    monkeypatch.setattr(captioner_module, "WORDS", 30)
    monkeypatch.setattr(captioner_module, "WIDTH", 8)
    monkeypatch.setattr(captioner_module, "STEPS", 4)
    monkeypatch.setattr("benchmarks.measured_net._CLASSES", {"fcn8s": 21, "captioner": 30})
    monkeypatch.setattr(fcn8s_module, "SIDE", 32)
    text = nets_module.NETS[name]

    def small(batch: int, *, deploy: bool = False) -> str:
        return text(batch, deploy=deploy).replace("num_output: 4096", "num_output: 16")

    monkeypatch.setitem(nets_module.NETS, name, small)
    chosen = net_of(Case(name, 2, True))
    arrays = arrays_of(chosen)
    net = chosen.built(ReferenceBackend(), "ieee")
    theirs = TorchNet(chosen.message, chosen.program, arrays, "cpu")
    loss = theirs.loss()
    np.testing.assert_allclose(float(loss.detach()), net.forward_backward(), rtol=1e-4)
    loss.backward()
    for parameter in (c.name for c in chosen.program.variables.values() if c.learns):
        expected = theirs.weights[parameter].grad.numpy()
        scale = max(float(np.abs(expected).max()), 1e-6)
        found = net.store.diff[parameter].array
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-3, err_msg=parameter)
