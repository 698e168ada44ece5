"""glog's and gflags' flags are every command's; another action's flags change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from roastery.cli.command import Command, UsageError
from roastery.cli.glog_flags import EVERYWHERE
from roastery.cli.main import main
from roastery.cli.parse import parse_arguments
from roastery.cli.registry import all_commands, find_command
from tests.cli.test_flags import command

NET = """
name: "n"
layer { name: "d" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" }
  data_filler { type: "constant" } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" display: 2 max_iter: 4 test_iter: 1
test_interval: 2 snapshot_prefix: "s" solver_mode: CPU
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    return tmp_path


@pytest.mark.parametrize("found", list(all_commands()), ids=lambda found: found.name)
def test_every_command_takes_glogs_flags(found: Command) -> None:
    words = ["-log_dir=x", "-nologtostderr", "--minloglevel", "1", "-v=2", "-stderrthreshold=0"]
    words += ["-alsologtostderr", "-logbufsecs=0", "-colorlogtostderr", "-max_log_size=3"]
    words += ["-stop_logging_if_full_disk", "-nolog_prefix", "-vmodule=solver=2", "-help"]
    arguments = parse_arguments(found, words)
    assert arguments.glog == {
        "log_dir": "x",
        "logtostderr": False,
        "minloglevel": 1,
        "stderrthreshold": 0,
        "alsologtostderr": True,
        "colorlogtostderr": True,
        "max_log_size": 3,
        "stop_logging_if_full_disk": True,
        "log_prefix": False,
    }
    assert not {flag.name for flag in found.flags} & set(EVERYWHERE)


def test_flags_of_another_action_are_taken() -> None:
    others = ["-solver=s", "-model=m", "-phase", "TEST", "-weights=w", "-iterations=3"]
    others += ["-snapshot=x", "-sigint_effect=none", "-level=1", "-stage=a", "-gpu=0"]
    for name in ("train", "test", "time", "device_query"):
        arguments = parse_arguments(find_command(name), others)
        assert set(arguments.given) <= {flag.name for flag in find_command(name).flags}
        with pytest.raises(UsageError, match="'x' is not a whole number"):
            parse_arguments(find_command(name), ["-iterations=x"])
    assert parse_arguments(find_command("time"), ["-phase="]).phase == "TRAIN"
    with pytest.raises(UsageError, match="compile has no flag --solver"):
        parse_arguments(find_command("compile"), ["-solver=s"])


def test_a_file_of_flags(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.write_text("-iterations=7\nroast\n--rate=0.25\nanother*\n\n# theirs\n--rate=9\n")
    flags = tmp_path / "flags"
    flags.write_text(
        f"# a remark\n\n--solver=x\n  --gray\n--nocheck_size\n-minloglevel=2\n--foreign=1\n"
        f"--input=a\n--flagfile={more}\n--input\n"
    )
    arguments = parse_arguments(command(), [f"--flagfile={flags}", "--solver=later"])
    assert (arguments.solver, arguments.iterations, arguments.rate) == ("later", 7, 0.25)
    assert (arguments.gray, arguments.check_size, arguments.input) == (True, False, ["a"])
    assert arguments.glog == {"minloglevel": 2}
    assert arguments.notes == [
        f"{flags}:7: --foreign is no flag of roast",
        f"{flags}:10: --input has no value: --NAME=VALUE",
    ]
    before = parse_arguments(command(), ["--solver=first", f"--flagfile={flags},{more}"])
    assert before.solver == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--iterations=x", "{0}:1: --iterations=x: 'x' is not a whole number"),
        ("\n--flagfile={0}", "--flagfile={0}: it names itself"),
        ("--flagfile={0}.other", "there is no flag file '{0}.other'"),
    ],
)
def test_wrong_files_of_flags(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "flags"
    path.write_text(text.format(path))
    with pytest.raises(Exception) as caught:
        parse_arguments(command(), [f"--flagfile={path}"])
    assert message.format(path) in str(caught.value)


def test_flags_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGS_solver", "x")
    monkeypatch.setenv("FLAGS_gray", "true")
    arguments = parse_arguments(command(), ["--fromenv=solver,gray", "--tryfromenv=rate"])
    assert (arguments.solver, arguments.gray, arguments.rate) == ("x", True, 0.5)
    with pytest.raises(UsageError, match="FLAGS_rate is not in the environment"):
        parse_arguments(command(), ["--fromenv=rate"])
    monkeypatch.setenv("FLAGS_rate", "fast")
    with pytest.raises(UsageError, match="FLAGS_rate in the environment: --rate=fast"):
        parse_arguments(command(), ["--tryfromenv=rate"])


def test_flags_that_need_not_be_known() -> None:
    words = ["--foreign=3", "--noforeign", "--other", "--solver=x", "--undefok=foreign,other"]
    assert parse_arguments(command(), words).solver == "x"
    with pytest.raises(UsageError, match="roast has no flag --other"):
        parse_arguments(command(), ["--other", "--undefok=foreign"])


def test_training_writes_what_parse_log_reads(folder: Path) -> None:
    flags = ["-log_dir=logs", "-noalsologtostderr", "-phase=TEST", "-model=none"]
    assert main(["train", "-solver=solver.prototxt", *flags]) == 0
    assert (folder / "logs" / "caffe.INFO").is_symlink()
    assert main(["parse_log", "logs/caffe.INFO", "."]) == 0
    assert len((folder / "caffe.INFO.test").read_text().splitlines()) == 4
    assert main(["parse_log", "logs/caffe.INFO", ".", "--columns"]) == 0
    table = [line.split() for line in (folder / "caffe.INFO.train").read_text().splitlines()]
    assert table[0] == ["#Iters", "Seconds", "TrainingLoss", "LearningRate"]
    assert [row[0] for row in table[1:]] == ["0", "2", "4"]
    assert {row[3] for row in table[1:]} == {"0.01"}


def test_standard_error_gets_what_flags_leave(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "-solver=solver.prototxt"]
    assert main([*train, "-log_dir=logs", "-noalsologtostderr"]) == 0
    assert capsys.readouterr().err == ""
    assert main([*train, "-minloglevel=2", "-log_dir=none"]) == 0
    assert capsys.readouterr().err == "" and not (folder / "none").exists()
    assert main([*train, "-logtostderr", "-log_dir=none"]) == 0
    assert "Optimization Done." in capsys.readouterr().err and not (folder / "none").exists()
    assert main(train) == 0
    assert "Optimization Done." in capsys.readouterr().err
    assert list((folder / "tmp").glob("caffe.*")) == []


def test_as_caffe_there_are_files_without_a_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "-solver=solver.prototxt"], called="build/tools/caffe") == 0
    assert "Optimization Done." in (folder / "tmp" / "caffe.INFO").read_text()
    assert "Optimization Done." in capsys.readouterr().err
    assert main(["--version"], called="caffe.bin") == 0
    assert capsys.readouterr().out.startswith("caffe ")


def test_the_environment_says_it_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOG_log_dir", "logs")
    assert main(["train", "-solver=solver.prototxt"]) == 0
    assert "Optimization Done." in (folder / "logs" / "caffe.INFO").read_text()


def test_what_ends_a_command_is_in_its_files(folder: Path) -> None:
    (folder / "net.prototxt").write_text("layer { nane: 1 }")
    assert main(["train", "-solver=solver.prototxt", "-log_dir=logs"]) == 1
    assert "nane" in (folder / "logs" / "caffe.FATAL").read_text()


def test_a_script_logs_there(folder: Path) -> None:
    (folder / "s.py").write_text(
        "import caffe\ncaffe.SGDSolver('solver.prototxt').solve()\nimport os\n"
        "assert os.environ['GLOG_log_dir'] == 'logs'\n"
    )
    assert main(["python", "-log_dir=logs", "s.py"]) == 0
    assert "Optimization Done." in (folder / "logs" / "caffe.INFO").read_text()
