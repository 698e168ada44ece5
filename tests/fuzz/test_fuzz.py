"""The short form: a few inputs of every reader, the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.families.mistakes import ACTS
from tests.fuzz.report import Report
from tests.fuzz.supervisor import Worker
from tests.fuzz.targets import KNOWN, all_targets
from tests.fuzz.verdict import FAILURES, Verdict
from tests.fuzz.worker import Reader

SEED = 1
INPUTS = range(-2, 8)
"""Two valid ones, and eight mutants."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker(SEED)
    yield worker
    worker.close()


@pytest.mark.parametrize("name", sorted(all_targets()))
def test_no_input_gets_past_a_reader(name: str, worker: Worker, tmp_path: Path) -> None:
    known = [KNOWN - i for i in range(len(all_targets()[name].known))]
    for number in (*known, *INPUTS):
        verdict = worker.verdict(name, number)
        if verdict.outcome in FAILURES:
            worker.keep_input(tmp_path / "input")
            pytest.fail(f"{verdict}\nthe input is in {tmp_path / 'input'}")


def test_failures_are_told_apart(tmp_path: Path) -> None:
    """By what happened; and whatever did, the next input is read all the same."""
    worker = Worker(SEED, seconds=2, memory=50 << 20)
    found = {}
    try:
        for number, act in enumerate(ACTS, 1):
            verdict = worker.verdict("self-test", -number)
            found[act] = verdict.outcome
            if act == "raise":
                assert verdict.key == "LookupError in fuzz/families/mistakes.py:_act"
            if act == "abort":
                assert verdict.key == "crash: SIGABRT"
            if act in ("abort", "spin"):
                assert "in _act" in verdict.detail
                worker.keep_input(tmp_path / act)
                assert (tmp_path / act / "what").read_text() == act
    finally:
        worker.close()
    assert found == {
        "refuse": "invalid", "raise": "exception", "claim": "memory", "take": "memory",
        "abort": "crash", "write": "wrote", "spin": "hang", "read": "read",
    }  # fmt: skip


def test_a_loss_is_noticed(worker: Worker) -> None:
    verdicts = [worker.verdict("careless self-test", number) for number in range(20)]
    assert {v.outcome for v in verdicts if v.change == "damage"} == {"loss"}
    assert {v.outcome for v in verdicts if v.change == "changes"} == {"read"}


def test_mutants_are_the_same_again(tmp_path: Path) -> None:
    readers = [Reader(tmp_path / str(i), SEED) for i in range(2)]
    for name in ("solver prototxt", "Datum", "JSON log (parse_log)", "IDX in gzip"):
        for number in range(8):
            first, again = (reader.make(name, number) for reader in readers)
            assert first == again


def test_a_report_counts_and_names_causes() -> None:
    report = Report()
    report.add(Verdict("a", 0, "", "read", 0.5, 3))
    report.add(Verdict("a", 1, "", "refused"))
    report.add(Verdict("b", 2, "", "hang", 11.0, 0, "x.py", "hang"))
    text = report.markdown("make fuzz", 1.0, 7)
    assert "3 inputs over 2 readers in 1.0 minutes (seed 7), 1 failures." in text
    assert "| a | 2 | 1 | 1 | 0 | 0.50 | 3 |" in text
    assert "b, 1 x hang (more than 10 seconds): hang; first: number 2. x.py" in text
