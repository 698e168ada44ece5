"""`roastery shims`: recipes in the manner of Caffe's run untouched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from roastery.cli.main import main
from roastery.cli.programs import TRANSLATIONS, program_called
from roastery.cli.registry import find_command
from roastery.tools.shims import lay_out_shims, take_shims_away
from runtime.data.database import open_database
from runtime.data.datum import parse_datum

NET = """
name: "digits"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.00390625 }
  data_param { source: "examples/digits/train_lmdb" batch_size: 8 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { scale: 0.00390625 }
  data_param { source: "examples/digits/test_lmdb" batch_size: 8 backend: LMDB } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "examples/digits/net.prototxt" base_lr: 0.01 lr_policy: "fixed" display: 2 max_iter: 4
test_iter: 1 test_interval: 2 snapshot: 2 snapshot_prefix: "examples/digits/snap" solver_mode: GPU
"""
RECIPE = """#!/usr/bin/env sh
set -e

WHERE=examples/digits
DATA=data/digits
TOOLS=./build/tools
KIND="lmdb"

echo "Making ${KIND}..."
rm -rf $WHERE/train_${KIND}
rm -rf $WHERE/test_${KIND}
build/examples/mnist/convert_mnist_data.bin $DATA/images $DATA/labels \\
  $WHERE/train_${KIND} --backend=${KIND}
build/examples/mnist/convert_mnist_data.bin $DATA/images $DATA/labels \\
  $WHERE/test_${KIND} --backend=${KIND}
build/examples/siamese/convert_mnist_siamese_data.bin $DATA/images $DATA/labels \\
  ./$WHERE/pairs_leveldb
GLOG_logtostderr=1 .build_release/tools/compute_image_mean.bin -backend=${KIND} \\
  $WHERE/train_${KIND} $WHERE/mean.binaryproto
$TOOLS/caffe train --solver=$WHERE/solver.prototxt $@
$TOOLS/caffe train --solver=$WHERE/solver.prototxt \\
  --snapshot=$WHERE/snap_iter_2.solverstate $@
$TOOLS/caffe test -model $WHERE/net.prototxt -weights $WHERE/snap_iter_4.caffemodel \\
  -iterations 1 -solver none
$TOOLS/extract_features.bin $WHERE/snap_iter_4.caffemodel $WHERE/net.prototxt ip \\
  $WHERE/features 1 lmdb
tools/extra/parse_log.sh log/caffe.INFO
python/draw_net.py $WHERE/net.prototxt $WHERE/net.svg
python3 python/train.py --solver $WHERE/solver.prototxt --gpus 0
echo "Done."
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as Caffe's, with a recipe, its solver and data."""
    rng = np.random.default_rng(0)
    (tmp_path / "examples/digits").mkdir(parents=True)
    (tmp_path / "data/digits").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    labels = rng.integers(0, 10, 16).astype(np.uint8)
    pixels = rng.integers(0, 256, (16, 4, 4)).astype(np.uint8)
    head = np.array([2051, 16, 4, 4], ">i4").tobytes()
    (tmp_path / "data/digits/images").write_bytes(head + pixels.tobytes())
    (tmp_path / "data/digits/labels").write_bytes(
        np.array([2049, 16], ">i4").tobytes() + labels.tobytes()
    )
    (tmp_path / "examples/digits/net.prototxt").write_text(NET)
    (tmp_path / "examples/digits/solver.prototxt").write_text(SOLVER)
    (tmp_path / "recipe.sh").write_text(RECIPE)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "TMPDIR": str(folder / "tmp"),
        "ROASTERY_DEVICE": "reference",
        "PYTHONPATH": "",
    }
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")
def test_a_recipe_runs_untouched(checkout: Path) -> None:
    pytest.importorskip("plyvel", reason="pairs are written as LevelDB")
    lay_out_shims(checkout)
    done = run(checkout, "sh", "recipe.sh", "-log_dir=log")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Making lmdb..." and done.stdout.endswith("Done.\n")
    assert "Optimization Done." in (checkout / "log/caffe.INFO").read_text()
    assert "A total of 16 items." in (checkout / "tmp/convert_mnist_data.bin.INFO").read_text()
    assert "loss =" in (checkout / "tmp/caffe.INFO").read_text()
    assert not (checkout / "tmp/compute_image_mean.bin.INFO").exists()  # to standard error only
    head, *rows = (checkout / "caffe.INFO.test").read_text().splitlines()
    assert head == "#Iters Seconds TestAccuracy TestLoss" and rows
    assert (checkout / "examples/digits/net.svg").exists()
    assert (checkout / "examples/digits/mean.binaryproto").exists()
    with closing(
        open_database(checkout / "examples/digits/pairs_leveldb", "LEVELDB", None)
    ) as database:
        datum = parse_datum(next(iter(database.records())).read())
    assert datum.channels == 2 and datum.label in (0, 1)


def test_every_program_is_one_of_ours(checkout: Path) -> None:
    made, kept = lay_out_shims(checkout)
    assert not kept and len(set(made)) == len(made)
    assert (checkout / "python/caffe/__init__.py").exists() and "python/caffe" in made
    for name in [name for name in made if name != "python/caffe"]:
        program = program_called(str(checkout / name))
        assert program is not None and os.access(checkout / name, os.X_OK)
        words = program.command_line(["1", "a.png", "log"] if "plot" in name else ["train"])
        assert find_command(words[0])
    laid = {Path(name).name.removesuffix(".bin") for name in made if name != "python/caffe"}
    assert laid | {"plot_training_log.py.example"} == set(TRANSLATIONS)
    assert os.readlink(checkout / ".build_release") == "build"


def test_doing_it_again_and_taking_it_away(checkout: Path) -> None:
    before = sorted(checkout.rglob("*"))
    made, _ = lay_out_shims(checkout)
    assert lay_out_shims(checkout)[0] == made
    (checkout / "build/tools/mine").write_text("mine")
    assert set(take_shims_away(checkout)) == {*made, ".build_release"}
    left = sorted(set(checkout.rglob("*")) - set(before))
    assert [path.name for path in left] == ["build", "tools", "mine"]
    assert take_shims_away(checkout) == []


def test_a_caffe_that_was_built_stays(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "build/tools").mkdir(parents=True)
    (checkout / "build/tools/caffe.bin").write_bytes(b"\x7fELF")
    before = sorted(checkout.rglob("*"))
    assert main(["shims", str(checkout)]) == 1
    assert "build/tools/caffe.bin' is there already" in capsys.readouterr().err
    assert sorted(checkout.rglob("*")) == before
    assert main(["shims", str(checkout / "buidl")]) == 1
    assert "did you mean" in capsys.readouterr().err


def test_scripts_of_a_checkout_stay(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "python").mkdir()
    (checkout / "python/classify.py").write_text("theirs")
    (checkout / "python/caffe").mkdir()
    (checkout / "python/caffe/__init__.py").write_text("theirs")
    assert main(["shims", str(checkout)]) == 0
    shown = capsys.readouterr().out
    assert "kept python/classify.py" in shown and "kept python/caffe" in shown
    take_shims_away(checkout)
    assert (checkout / "python/classify.py").read_text() == "theirs"
    assert (checkout / "python/caffe/__init__.py").read_text() == "theirs"


def test_a_link_to_roastery_is_caffe(checkout: Path) -> None:
    script = checkout / "roastery"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom roastery.__main__ import main\nsys.exit(main())\n"
    )
    script.chmod(0o755)
    for name in ("caffe", "caffe.bin", "convert_imageset"):
        (checkout / name).symlink_to("roastery")
    assert run(checkout, "./caffe", "--version").stdout.startswith("caffe version 1.0.0")
    assert run(checkout, "./roastery", "--version").stdout.startswith("roastery ")
    wrong = run(checkout, "./convert_imageset", "--shufle", "a", "b", "c")
    assert "convert_imageset has no flag --shufle" in wrong.stderr and wrong.returncode == 1


def test_scripts_know_their_nets(checkout: Path) -> None:
    called = program_called("/caffe/python/classify.py")
    assert called is not None
    words = called.command_line(["cat.jpg", "out.npy", "--model_def", "x"])
    weights = "bvlc_reference_caffenet/bvlc_reference_caffenet.caffemodel"
    assert words == [
        "classify",
        f"--pretrained_model=/caffe/python/../models/{weights}",
        "cat.jpg",
        "out.npy",
        "--model_def",
        "x",
    ]
    train = program_called("python/train.py")
    assert train is not None
    assert train.command_line(["--solver", "s", "--timing"]) == ["train", "--solver", "s"]


def test_scripts_that_put_caffes_folder_on_their_path(checkout: Path) -> None:
    lay_out_shims(checkout)
    (checkout / "s.py").write_text(
        "import sys\nsys.path.insert(0, './python')\nimport caffe\nprint(caffe.__name__)\n"
    )
    assert run(checkout, sys.executable, "s.py").stdout == "roastery.caffe\n"


@pytest.mark.parametrize(
    ("missing", "flags"),
    [("none here", ["--ranks=2"]), (None, ["-gpu", "1,0"])],
)
def test_train_by_several_gpus(
    missing: str | None, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: missing)
    program = program_called("python/train.py")
    assert program is not None
    words = ["--solver", "s.prototxt", "--gpus", "1", "0"]
    assert program.command_line(words) == ["train", "--solver", "s.prototxt", *flags]
