"""``compile`` and ``time`` of nets whose databases, mean files and modules are not there."""

from __future__ import annotations

from pathlib import Path

import h5py
import lmdb
import numpy as np
import pytest

from roastery.cli.main import main
from runtime.artifact import load
from runtime.data.datum import Datum, serialize_datum
from runtime.data.mean_file import write_mean

LAYER = 'layer { name: "d" type: "%s" top: "data" top: "label" %s }\n'
BODY = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
DATABASE = 'data_param { source: "lost_lmdb" backend: LMDB batch_size: 7 }'
COMMANDS = ("compile", "time", "time --fused")


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.chdir(tmp_path)


class Run:
    """A command on a net: its exit code, and what it wrote."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, command: str, net: str, *flags: str, code: int = 0) -> str:
        Path("n.prototxt").write_text(net)
        words = command.split()
        model = {
            "compile": ["n.prototxt"],
            "export": ["--model=n.prototxt"],
        }.get(command, ["--model=n.prototxt", "--iterations=1"])
        self._capfd.readouterr()
        found = main([*words, *model, *flags])
        out, err = self._capfd.readouterr()
        assert found == code, (out + err)[-2000:]
        return out + err

    def said(self, command: str, net: str, *flags: str) -> list[str]:
        """What it assumed: the text after ``layer 'd' (Type): ``."""
        lines = self(command, net, *flags).splitlines()
        return [line.split("layer 'd' ")[1].split(": ", 1)[1] for line in lines if "'d' (" in line]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    return Run(capfd)


KINDS = {
    "Data": DATABASE,
    "ImageData": 'image_data_param { source: "lost.txt" batch_size: 7 }',
    "WindowData": 'window_data_param { source: "lost.txt" batch_size: 7 }',
    "HDF5Data": 'hdf5_data_param { source: "lost.txt" batch_size: 7 }',
    "MemoryData": "memory_data_param { batch_size: 7 channels: 1 height: 5 width: 5 }",
    "Python": 'python_param { module: "lost" layer: "Lost" }',
    "DummyData": "dummy_data_param { shape { dim: 7 dim: 3 dim: 5 dim: 5 } shape { dim: 7 } }",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_shapes_that_are_given(kind: str, command: str, run: Run) -> None:
    net = LAYER % (kind, KINDS[kind]) + BODY
    told = run(command, net, "--shape=data=2,3,8,9", "--shape", "label=2")
    assert told.count("data 2 x 3 x 8 x 9, label 2, as --shape says") == 1
    if command == "compile":
        assert "2x3x8x9" in told
        assert ("d runs on the host (host_call, not run here)" in told) == (kind == "Python")
    else:
        assert "Top shape: 2 3 8 9 (432)" in told


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("Data", "transform_param { crop_size: 6 force_color: true }" + DATABASE, "3 x 6 x 6"),
        ("Data", "transform_param { crop_size: 6 force_gray: true }" + DATABASE, "1 x 6 x 6"),
        (
            "Data",
            "transform_param { crop_size: 6 mean_value: 1 mean_value: 2 mean_value: 3 }" + DATABASE,
            "3 x 6 x 6",
        ),
        ("Data", 'transform_param { mean_file: "mean" }' + DATABASE, "2 x 8 x 9"),
        ("Data", 'transform_param { mean_file: "mean" crop_size: 6 }' + DATABASE, "2 x 6 x 6"),
        (
            "ImageData",
            'image_data_param { source: "no" batch_size: 7 new_height: 8 new_width: 9 }',
            "3 x 8 x 9",
        ),
        (
            "ImageData",
            'image_data_param { source: "no" batch_size: 7 is_color: false } '
            'transform_param { crop_size: 6 mean_file: "lost" }',
            "1 x 6 x 6",
        ),
        (
            "WindowData",
            'window_data_param { source: "no" batch_size: 7 } transform_param { crop_size: 6 }',
            "3 x 6 x 6",
        ),
    ],
)
def test_shapes_that_the_net_tells(kind: str, fields: str, told: str, run: Run) -> None:
    write_mean(Path("mean"), np.ones((2, 8, 9), np.float32))
    net = LAYER % (kind, fields) + BODY
    (said,) = run.said("compile", net)
    assert said.startswith(f"data 7 x {told}, label 7, as batch_size")
    # What is run must be wanted: the error says how.
    for command in ("time", "time --fused"):
        text = run(command, net, code=1)
        assert "there is no" in text
        shape = told.replace(" x ", ",")
        assert f"are given: --shape data=7,{shape} --shape label=7" in text


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("kind", "fields", "flags", "hint"),
    [
        ("Data", DATABASE, "", "--shape data=7,C,H,W --shape label=7"),
        (
            "Data",
            DATABASE + 'transform_param { crop_size: 6 mean_file: "lost" }',
            "",
            "--shape data=7,C,6,6 --shape label=7",
        ),
        ("Data", DATABASE, "--shape=label=3", "--shape data=3,C,H,W"),
        (
            "ImageData",
            'image_data_param { source: "no" batch_size: 7 }',
            "",
            "--shape data=7,3,H,W --shape label=7",
        ),
        (
            "DenseImageData",
            'dense_image_data_param { source: "no" batch_size: 7 }',
            "",
            "--shape data=7,3,H,W --shape label=7,1,H,W",
        ),
        (
            "HDF5Data",
            'hdf5_data_param { source: "no" batch_size: 7 }',
            "--shape=label=7",
            "--shape data=7,...",
        ),
        ("Data", "data_param { batch_size: 7 }", "", "--shape data=7,C,H,W --shape label=7"),
        ("Python", KINDS["Python"], "--shape=label=7", "given: --shape data=DIM,DIM,..."),
    ],
)
def test_what_is_needed_is_said(
    kind: str, fields: str, flags: str, hint: str, command: str, run: Run
) -> None:
    text = run(command, LAYER % (kind, fields) + BODY, *flags.split(), code=1)
    assert hint in text
    assert "error: n.prototxt:1:" in text


def make_database() -> None:
    with lmdb.open("there_lmdb", map_size=1 << 20) as env, env.begin(write=True) as transaction:
        for i in range(8):
            data = np.full((3, 8, 9), i, np.uint8).tobytes()
            record = Datum(3, 8, 9, data=data, label=i % 5)
            transaction.put(b"%08d" % i, serialize_datum(record))


def test_a_database_that_is_there_is_read(run: Run) -> None:
    make_database()
    net = LAYER % ("Data", DATABASE.replace("lost", "there")) + BODY
    for command in COMMANDS:
        assert run.said(command, net) == []
    assert "Opened lmdb there_lmdb" in run("time", net)
    assert run.said("time", net, "--shape=data=2,3,8,9") == [
        "data 2 x 3 x 8 x 9, label 2, as --shape says; nothing is read, a run gets made-up values"
    ]
    fields = DATABASE.replace("lost", "there") + 'transform_param { mean_file: "lost" }'
    net = LAYER % ("Data", fields) + BODY
    assert run.said("compile", net) == ["there is no mean file 'lost'; no mean is subtracted"]
    assert "there is no mean file 'lost'" in run("time", net, code=1)
    assert len(run.said("time", net, "--shape=data=2,3,8,9")) == 1


def test_lists_whose_files_are_lost(run: Run) -> None:
    Path("list").write_text("lost.png 1\n")
    fields = 'image_data_param { source: "list" batch_size: 7 new_height: 8 new_width: 9 }'
    net = LAYER % ("ImageData", fields) + BODY
    (said,) = run.said("compile", net)
    assert said.startswith("data 7 x 3 x 8 x 9")
    assert "there is no image 'lost.png', named in list, line 1" in run("time", net, code=1)
    Path("list").write_text("lost.h5\n")
    net = LAYER % ("HDF5Data", 'hdf5_data_param { source: "list" batch_size: 2 }') + BODY
    assert "there is no HDF5 file 'lost.h5'" in run("compile", net, code=1)
    with h5py.File("lost.h5", "w") as file:
        file["data"] = np.zeros((4, 3, 5, 5), np.float32)
        file["label"] = np.zeros(4, np.float32)
    for command in COMMANDS:
        assert run.said(command, net) == []


def test_a_damaged_database_is_still_an_error(run: Run) -> None:
    Path("there_lmdb").mkdir()
    Path("there_lmdb/data.mdb").write_bytes(b"nothing")
    net = LAYER % ("Data", DATABASE.replace("lost", "there")) + BODY
    text = run("compile", net, code=1)
    assert "there_lmdb" in text
    assert "nothing is read where shapes are given: --shape data=7,C,H,W --shape label=7" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_mean_file_does_not_matter_where_shapes_are_given(command: str, run: Run) -> None:
    Path("mean").write_bytes(b"no mean")
    net = LAYER % ("Data", DATABASE + 'transform_param { mean_file: "mean" }') + BODY
    assert len(run.said(command, net, "--shape=data=2,3,8,9")) == 1
    assert "mean" in run(command, net, code=1)


PYTHON = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 8 dim: 8 } } }
layer { name: "rois" type: "Python" bottom: "x" top: "rois"
  python_param { module: "lost.rois" layer: "Rois" } }
layer { name: "pool" type: "ROIPooling" bottom: "x" bottom: "rois" top: "p"
  roi_pooling_param { pooled_w: 2 pooled_h: 2 } }
layer { name: "sink" type: "Python" bottom: "p" python_param { module: "lost" layer: "Sink" } }
layer { name: "file" type: "HDF5Output" bottom: "p" bottom: "rois"
  hdf5_output_param { file_name: "lost/out.h5" } }
layer { name: "ip" type: "InnerProduct" bottom: "p" top: "ip"
  inner_product_param { num_output: 3 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" }
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_python_layers_that_are_not_run(command: str, run: Run) -> None:
    text = run(command, PYTHON, "--shape=rois=4,5")
    for layer in ("rois", "sink", "file"):
        assert text.count(f"layer '{layer}' (") >= 1
        assert f"layer '{layer}' (HDF5Output) is not run" in text or (
            f"layer '{layer}' (Python) is not run" in text
        )
    if command == "compile":
        assert "  rois runs on the host (host_call, not run here)" in text
    assert "give" in run(command, PYTHON, code=1)
    assert not Path("lost").exists()


def test_a_lost_infogain_matrix(run: Run) -> None:
    loss = 'InfogainLoss" infogain_loss_param { source: "lost" }'
    net = LAYER % ("Data", DATABASE) + BODY.replace('SoftmaxWithLoss"', loss)
    for command in COMMANDS:
        text = run(command, net, "--shape=data=2,3,8,9")
        assert "(InfogainLoss): there is no file 'lost'; a unit matrix stands for it" in text


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("dat=2,3,8,9", "did you mean 'data'? shapes can be given for: data, label"),
        ("zzz=1", "hint: shapes can be given for: data, label"),
        ("conv=1,2,3,4", "'conv' gets its shape from layer 'conv' (Convolution)"),
        ("data", "must be NAME=DIM,DIM,..."),
        ("=1,2", "must be NAME=DIM,DIM,..."),
        ("data=", "must be NAME=DIM,DIM,..."),
        ("data=1,,2", "must be NAME=DIM,DIM,..."),
        ("data=1,-2", "must be NAME=DIM,DIM,..."),
        ("data=1,2.5", "must be NAME=DIM,DIM,..."),
        (f"data={'9' * 5000}", "must be NAME=DIM,DIM,..."),
        (f"data={'1,' * 33}1", "34 axes; a blob has at most 32"),
        ("data=0,3,8,9", "data has at least one element"),
    ],
)
def test_wrong_flags(flag: str, message: str, command: str, run: Run) -> None:
    text = run(command, LAYER % ("Data", DATABASE) + BODY, f"--shape={flag}", code=1)
    assert message in text


def test_two_shapes_for_one_blob(run: Run) -> None:
    flags = ("--shape=data=2,3,8,9", "--shape=data=2x3x8x9")
    run("compile", LAYER % ("Data", DATABASE) + BODY, *flags)
    text = run("compile", LAYER % ("Data", DATABASE) + BODY, flags[0], "--shape=data=2", code=1)
    assert "'data' has another shape before" in text


def test_exporting_needs_no_data(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    net = LAYER % ("Data", DATABASE) + BODY
    run("export", net, "--shape=data=2,3,8,9", "--output=n.roast")
    assert "data 2 x 3 x 8 x 9, label 2, as --shape says" in caplog.text
    inputs = {name: tensor.shape for name, tensor in load("n.roast", "cpu").inputs.items()}
    assert inputs == {"data": (2, 3, 8, 9), "label": (2,)}
    assert "did you mean 'data'" in run(
        "export", net, "--shape=dat=2,3,8,9", "--output=n.roast", code=1
    )


def test_remarks_about_the_net_are_printed(run: Run) -> None:
    same = BODY.replace('"conv" type', '"ip" type')
    text = run("compile", LAYER % ("Data", DATABASE) + same, "--shape=data=2,3,8,9")
    assert "note: n.prototxt:5:" in text and "has the same name" in text


@pytest.mark.parametrize(
    ("kind", "fields", "by"),
    [
        (
            "DenseImageData",
            'dense_image_data_param { source: "no" batch_size: 7 crop_height: 8 crop_width: 9 }',
            "batch_size, is_color, crop_height and crop_width",
        ),
        (
            "ImageSegData",
            'image_data_param { source: "no" batch_size: 7 new_height: 8 new_width: 9 }',
            "batch_size, is_color, new_height and new_width",
        ),
    ],
)
def test_labels_of_every_pixel(kind: str, fields: str, by: str, run: Run) -> None:
    net = LAYER % (kind, fields) + (
        'layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
        "convolution_param { num_output: 5 kernel_size: 1 } }"
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "loss" }'
    )
    (said,) = run.said("compile", net)
    assert said.startswith(f"data 7 x 3 x 8 x 9, label 7 x 1 x 8 x 9, as {by} say")
    assert "loss" in run("time", net, "--shape=data=7,3,8,9")


AUGMENTED = (
    "transform_param { mean_value: 104 mean_value: 117 mean_value: 123 mirror: true "
    "distort_param { hue_prob: 0.5 hue_delta: 18 } expand_param { prob: 0.5 max_expand_ratio: 4 } "
    "noise_param { saltpepper: true saltpepper_param { fraction: 0.1 value: 255 } } %s "
    "emit_constraint { emit_type: CENTER } } data_param { source: 'no' batch_size: 7 } "
    "annotated_data_param { batch_sampler { sampler { min_scale: 0.3 } max_sample: 1 } }"
)
PRIORS = (
    'layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
    "convolution_param { num_output: 8 kernel_size: 1 } }"
    'layer { name: "s" type: "Silence" bottom: "c" bottom: "label" }'
)


def test_pictures_with_boxes(run: Run) -> None:
    net = LAYER % ("AnnotatedData", AUGMENTED % "resize_param { height: 8 width: 9 }") + PRIORS
    (said,) = run.said("compile", net)
    assert said.startswith(
        "data 7 x 3 x 8 x 9, label 1 x 1 x 1 x 8, as batch_size, mean_value and resize_param say"
    )
    assert "Silence" in run("time", net, "--shape=data=2,3,8,9", "--shape=label=1,1,5,8")
    small = "resize_param { height: 8 width: 9 resize_mode: FIT_SMALL_SIZE } crop_h: 5 crop_w: 6"
    (said,) = run.said("compile", LAYER % ("AnnotatedData", AUGMENTED % small) + PRIORS)
    assert said.startswith(
        "data 7 x 3 x 5 x 6, label 1 x 1 x 1 x 8, as batch_size, mean_value, crop_h"
    )
    text = run("compile", LAYER % ("AnnotatedData", AUGMENTED % "") + PRIORS, code=1)
    assert "--shape data=7,3,H,W --shape label=1,1,1,8" in text


PAIRS = """layer { name: "d" type: "Data" top: "data" top: "label"
  data_param { source: "lost" batch_size: 5 %s } }
layer { name: "p" type: "Power" bottom: "data" top: "p" }
layer { name: "q" type: "Power" bottom: "label" top: "q" }
"""


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ("images_per_blob: 2 output_all_labels: true", "5 x 2"),
        ("images_per_blob: 2", "5 x 1"),
        ("label_type: MULTIPLE one_hot_label_size: 4", "5 x 4 x 1 x 1"),
        ("label_type: SINGLE", "5"),
    ],
)
def test_labels_of_mycaffe(run: Run, fields: str, label: str) -> None:
    (said,) = run.said("compile", PAIRS % fields, "--shape=data=5,2,4,4")
    assert f"label {label}," in said


def test_as_many_labels_as_an_image_has_must_be_given(run: Run) -> None:
    net = PAIRS % "label_type: MULTIPLE"
    said = run("compile", net, "--shape=data=5,2,4,4", code=1)
    assert "give --shape label=N,...," in said
    assert "as many numbers as an image has labels" in said
    assert "label 5 x 1 x 4 x 4" in run(
        "compile", net, "--shape=data=5,2,4,4", "--shape=label=5,1,4,4"
    )


def test_a_phase_that_is_neither(run: Run) -> None:
    """MyCaffe's RUN: the log says that it is not the phase, as of any other."""
    net = (
        (LAYER % ("Input", "input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } }"))
        + """
    layer { name: "r" type: "ReLU" bottom: "data" top: "r" exclude { phase: RUN } }
    layer { name: "s" type: "ReLU" bottom: "data" top: "s" include { phase: RUN } }
    layer { name: "t" type: "Power" bottom: "label" top: "t" }
    """
    )
    said = run("time", net)
    assert (
        "The NetState phase (0) differed from the phase (2) specified by a rule in layer s" in said
    )
