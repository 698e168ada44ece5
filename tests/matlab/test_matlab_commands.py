"""What MATLAB calls, without MATLAB: commands, handles, the side of its own bridge that is ours."""

from __future__ import annotations

import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roastery.matlab.calls import COMMANDS, call_command
from roastery.matlab.objects import HeldObjects
from roastery.matlab.py_bridge import call_from_py
from tests.matlab.conftest import SHAPES


@pytest.fixture(autouse=True)
def _reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")


def ok(command: str, *arguments: Any) -> Any:
    outcome, result = call_from_py(command, arguments)
    assert outcome == "ok"
    return result


def fields(result: Any) -> dict[str, Any]:
    assert result[0] == "record"
    return dict(zip(result[1], result[2], strict=True))


def handles(result: Any) -> list[tuple[str, int, float]]:
    kind, key, numbers = result
    assert kind == "handles" and isinstance(numbers, array.array) and numbers.typecode == "Q"
    return [("handle", number, key) for number in numbers]


def test_a_net_by_matlab_s_own_bridge(tmp_path: Path) -> None:
    path = tmp_path / "shapes.prototxt"
    path.write_text(SHAPES)
    (net,) = handles(ok("get_net", ("text", str(path)), ("text", "test")))
    told = fields(ok("net_get_attr", net))
    names = [name for _, name in told["blob_names"][1]]
    assert names[:3] == ["data", "scale", "both"] and names[-2:] == ["sum", "copied"]
    assert told["input_blob_indices"] == ["column", array.array("d", [0, 1])]
    data, scale, *_, copied = handles(told["hBlob_blobs"])
    assert ok("blob_get_shape", data) == ["row", array.array("d", [5, 4, 3, 2])]
    values = array.array("f", range(120))
    ok("blob_set_data", data, ("single", values, [5.0, 4.0, 3.0, 2.0]))
    ok("blob_set_data", scale, ("single", np.array([1, 2, 3], np.float32), (3, 1)))
    ok("net_forward", net)
    kind, sizes, found = ok("blob_get_data", copied)
    assert kind == "single" and sizes == array.array("d", [5, 4, 3, 2])
    wanted = np.arange(120).reshape(2, 3, 4, 5) * np.array([1, 2, 3]).reshape(1, 3, 1, 1)
    assert found == array.array("f", wanted.ravel())
    ok("blob_reshape", data, ("numbers", 7.0))  # a lone number comes as one
    assert ok("blob_get_shape", data) == ["row", array.array("d", [7])]
    assert ok("knows", ("text", "Net"), net) == ["number", 1.0]
    ok("delete_net", net)
    assert ok("knows", ("text", "Net"), net) == ["number", 0.0]
    outcome, identifier, message = call_from_py("blob_get_data", [data])
    assert (outcome, identifier) == ("error", "Roastery:error") and "no more" in message


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_refuses_what_it_does_not_know(command: str) -> None:
    """Cells where handles, texts and numbers are wanted; those that want nothing take anything."""
    answer = call_from_py(command, [("other", "cell")] * 9)
    wants_nothing = ("set_mode_cpu", "set_mode_gpu", "version", "get_init_key", "reset")
    if command in wants_nothing:
        assert answer[0] == "ok"
    else:
        assert answer[:2] == ["error", "Roastery:error"] and "given is cell" in answer[2]
    assert command in wants_nothing or "takes more than 0" in call_from_py(command, [])[2]


def test_numbers_that_are_none() -> None:
    for value in (-1.0, 0.5, float("nan"), float("inf"), 1e300, -float("inf")):
        assert "no whole number" in call_from_py("set_device", [("numbers", [value])])[2]
    assert "not 2" in call_from_py("set_device", [("numbers", [0.0, 1.0])])[2]
    assert "not 0" in call_from_py("set_device", [("numbers", [])])[2]


def test_bytes_that_are_no_text_go_both_ways() -> None:
    answer = call_command((b"text", b"get_net"), (b"text", b"\xff/\xc3\xa9"), (b"text", b"test"))
    assert answer[0] == b"error" and answer[1] == b"Roastery:error"
    assert "é".encode() in answer[2] and b"\0" not in answer[2]


def test_handles() -> None:
    objects = HeldObjects()
    solver = objects.add("Solver", "s")
    net = objects.add("Net", "n", solver)
    blob = objects.add("Blob", "b", net)
    lone = objects.add("Net", "l")
    key = objects.key
    assert objects.find("Blob", (blob, key)).thing == "b"
    with pytest.raises(Exception, match="a Blob is wanted, this is one of a Net"):
        objects.find("Blob", (net, key))
    objects.forget((net, key))  # a solver's net goes with its solver
    assert objects.knows("Net", (net, key))
    objects.forget((solver, key))
    assert not any(objects.knows(k, (n, key)) for k, n in (("Net", net), ("Blob", blob)))
    objects.forget((solver, key))
    assert objects.clear() == (0, 1)
    assert objects.key != key and not objects.knows("Net", (lone, key))
    with pytest.raises(Exception, match="cleared"):
        objects.find("Net", (lone, key))
    assert objects.add("Net", "m") > lone  # numbers are given once
    objects.forget((lone, objects.key))
