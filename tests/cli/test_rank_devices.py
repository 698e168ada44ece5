"""Several GPUs asked for on a machine that has none."""

from __future__ import annotations

import pytest

from roastery.cli.command import UsageError
from roastery.cli.commands.train import COMMAND
from roastery.cli.parse import parse_arguments
from roastery.cli.rank_devices import rank_devices


@pytest.mark.parametrize(
    ("words", "asked", "ranks"),
    [
        (["-gpu=1,3"], "-gpu 1,3", 2),
        (["-gpu=0,1,2", "--ranks=3"], "-gpu 0,1,2", 3),
        (["--device=cuda", "--ranks=4"], "--ranks=4 on GPUs", 4),
        (["-gpu=all", "--ranks=2"], "--ranks=2 on GPUs", 2),
    ],
)
def test_what_to_do_without_gpus(
    words: list[str], asked: str, ranks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: "no GPU here")
    with pytest.raises(UsageError) as raised:
        rank_devices(parse_arguments(COMMAND, ["--solver=s.prototxt", *words]))
    assert raised.value.message == f"{asked}: no GPU here"
    assert f"--device=cpu --ranks={ranks} trains" in (raised.value.hint or "")


def test_processors_need_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: "no GPU here")
    words = ["--solver=s.prototxt", "--device=cpu", "--ranks=2"]
    assert rank_devices(parse_arguments(COMMAND, words)) == ["cpu", "cpu"]
