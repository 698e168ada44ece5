"""What is printed of names, paths and lines of files acts on no terminal and forges no log line."""

from __future__ import annotations

import ast
import io
import json
import logging
import unicodedata
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from ir.location import Location
from ir.printable import json_text, printable, printable_lines
from roastery.api.exporting import export_net
from roastery.caffe.draw import draw_net_to_file
from roastery.cli.main import main
from roastery.reading.nets import net_from_text, read_net
from roastery.tools.log_reader import read_log
from runtime.logging import CaffeLog

FORGED = "I1125 12:00:00.000000  1234 solver.cpp:239] Iteration 5, loss = 0"
EVIL = f"a\n{FORGED}\r\x1b[2J\x00\x7f\x9b31m\u202e\u200b\u2028"
IN_PROTOTXT = rf"a\n{FORGED}\r\033[2J\177\302\23331m\342\200\256\342\200\213\342\200\250\377"
NET = f"""
name: "net {IN_PROTOTXT}"
layer {{ name: "in {IN_PROTOTXT}" type: "Input" top: "x {IN_PROTOTXT}"
  input_param {{ shape {{ dim: 2 dim: 3 }} }} }}
layer {{ name: "ip {IN_PROTOTXT}" type: "InnerProduct" bottom: "x {IN_PROTOTXT}"
  top: "y {IN_PROTOTXT}" inner_product_param {{ num_output: 2 }} }}
"""


def harmless(text: str) -> bool:
    """Nothing hidden but our own line ends and tabs, and no line that a name began."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not any(line.startswith(FORGED) for line in text.splitlines()) and all(
        c in "\n\t" or unicodedata.category(c) not in hidden for c in text
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv1_1/bn.scale @2", "conv1_1/bn.scale @2"),
        ("猫 né 🐱 Ω̈ a\u00a0b", "猫 né 🐱 Ω̈ a\u00a0b"),
        ("back\\slash", "back\\slash"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31m\x00\x7f\x9b", r"\x1b[31m\x00\x7f\x9b"),
        ("\u202eevil\u2066\u200b\ufeff\u2028", r"\u202eevil\u2066\u200b\ufeff\u2028"),
        ("\udcff\ud800", r"\xff\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("", ""),
    ],
)
def test_hidden_characters_are_their_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_our_own_lines_stay() -> None:
    assert printable_lines("one\n\ttwo\x1b\n") == "one\n\ttwo\\x1b\n"
    value = {"name": EVIL + "猫\udcff"}
    text = json_text(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value and harmless(text) and "猫" in text


def test_an_error_shows_every_part() -> None:
    place = Location(f"{EVIL}.prototxt", 3, 7, EVIL, f"\tab\u202e{EVIL.replace(chr(10), '')}")
    text = str(RoasteryError(EVIL, location=place, hint=EVIL, detail=f"one\n{EVIL[:1]}\x1b"))
    assert harmless(text)
    assert len(text.splitlines()) == 6  # message, two of detail, two of the excerpt, the hint
    excerpt, caret = text.splitlines()[3:5]
    assert excerpt.startswith("    \tab\\u202ea") and caret.index("^") == excerpt.index("1125")


def test_a_net_with_such_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tables, logs, dumps, drawings and errors of every command that shows a net."""
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("wrong.prototxt").write_text(NET.replace("InnerProduct", "InnerProduce"))
    assert main(["compile", "net.prototxt", "--dump", "out"]) == 0
    assert main(["time", "--model=net.prototxt", "--iterations=1", "--device=reference"]) == 0
    assert main(["compile", "wrong.prototxt"]) == 1
    for kind in ("svg", "dot", "png"):
        assert main(["draw_net", "net.prototxt", f"net.{kind}"]) == 0
    shown = capsys.readouterr()
    assert FORGED in shown.out and FORGED in shown.err  # but on lines of others
    assert harmless(shown.out) and harmless(shown.err)
    for file in (*Path("out").rglob("*.txt"), Path("net.svg"), Path("net.dot")):
        assert harmless(file.read_text(encoding="utf-8")), file


def test_a_dumped_kernel_holds_no_code_of_a_name(tmp_path: Path) -> None:
    """Also where a name closes a docstring, or is no ASCII."""
    attack = r"\"\"\"\nraise SystemExit(7)\n\"\"\""
    layers = "".join(
        f'layer {{ name: "{name}{attack}" type: "InnerProduct" bottom: "{x}" top: "{y}" '
        "inner_product_param { num_output: 3 } }\n"
        f'layer {{ name: "r{name}{attack}" type: "TanH" bottom: "{y}" top: "{y}" }}\n'
        for name, x, y in (("p", "x", "u"), ("q", "u", "v"), ("猫", "v", "né"))
    )
    net = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
    path = tmp_path / "net.prototxt"
    path.write_text(net + layers)
    assert main(["compile", str(path), "--dump", str(tmp_path / "out")]) == 0
    files = list((tmp_path / "out" / "kernels").iterdir())
    assert files
    for file in files:
        assert not any(isinstance(n, ast.Raise) for n in ast.walk(ast.parse(file.read_text())))


def test_names_in_a_log_begin_no_line(tmp_path: Path) -> None:
    stream = io.StringIO()
    with CaffeLog.open(stream, json_path=tmp_path / "log.json") as log:
        log.solving(EVIL, "fixed")
        log.creating_training_net("net", EVIL)
        log.train_output(0, EVIL, 1.0)
        log.iteration(7, 0.5, done=0, seconds=1, display=1)
        log.train_output(0, EVIL + "\udcff", 1.0)
        log.snapshotting(EVIL)
        log.warning(EVIL)
        log.initializing_net('name: "x"\nlayer {\n}\n')
    assert harmless(stream.getvalue())
    assert 'parameters: \nname: "x"\nlayer {\n}\n' in stream.getvalue()
    text = (tmp_path / "log.json").read_text(encoding="utf-8")
    assert harmless(text)
    entries = [json.loads(line) for line in text.splitlines()]
    assert entries[0]["net"] == EVIL
    assert any(entry.get("outputs") == {EVIL + "\udcff": 1.0} for entry in entries)


def test_what_is_told_through_a_logger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The Python API and the readers of logs have no log of their own."""
    monkeypatch.chdir(tmp_path)
    name = EVIL.replace("\x00", "")
    Path(name).write_text(
        f"{FORGED}\n" + FORGED.replace("Iteration 5", f"Iteration {'9' * 40}") + '\n{"event": "x\n'
        '{"event": "train", "iteration": "\\u001b[2J"}\n'
    )
    Path("net.prototxt").write_text(
        NET + f'layer {{ name: "out {IN_PROTOTXT}" type: "HDF5Output" bottom: "y {IN_PROTOTXT}" '
        f'bottom: "y {IN_PROTOTXT}" hdf5_output_param {{ file_name: "x.h5" }} }}'
    )
    with caplog.at_level(logging.DEBUG):
        read_log(name)
        export_net("net.prototxt", None, "net.roast")
    assert len(caplog.messages) >= 3
    assert all(harmless(message) for message in caplog.messages)


def test_paths_and_words_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = EVIL.replace("\x00", "")
    Path(f"{name}.prototxt").write_text("nonsense")
    for words in (
        [name],
        ["compile", f"{name}.prototxt"],
        ["compile", f"missing{name}.prototxt"],
        ["compile", "x", f"--{name}"],
        ["train", f"--solver={name}"],
        ["compile", "x.prototxt", f"--phase={name}"],
    ):
        assert main(words) == 1
        error = capsys.readouterr().err
        assert error and harmless(error), words


def test_names_in_an_artifact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = net_from_text(NET.replace(r"\377", ""))
    export_net(net, None, tmp_path / "net.roast")
    np.save(tmp_path / "x.npy", np.zeros((2, 3), np.float32))
    code = main(["run", str(tmp_path / "net.roast"), f"--input={tmp_path / 'x.npy'}"])
    shown = capsys.readouterr()
    assert code == 0 and "float32 [2, 2]" in shown.out
    assert harmless(shown.out) and harmless(shown.err)


def test_drawings_of_messages(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    draw_net_to_file(read_net(path), tmp_path / "net.svg")
    assert harmless((tmp_path / "net.svg").read_text())
    assert caffe.Net(str(path), caffe.TEST).outputs[0].startswith("y a\n")  # names are as they are


def test_what_nobody_reads_to_its_end_is_left_out() -> None:
    name = "begin" + "x" * 3_000_000 + "end\n"
    error = RoasteryError(
        f"layer {name}", location=Location("f", 1, layer=name), hint=f"rename {name}"
    )
    assert 20_000 < len(str(error)) < 40_000
    assert str(error).count("characters left out") == 3
    assert str(error).count("beginxxx") == str(error).count("xxxend\\n") == 3
    assert error.message == f"layer {name}"
    blobs = ", ".join(f"res{i}_branch2a" for i in range(400))
    assert blobs in str(RoasteryError("no blob 'x'", hint=f"blobs: {blobs}"))
