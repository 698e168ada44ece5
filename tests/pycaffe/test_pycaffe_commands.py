"""classify, detect, draw_net, extract_features and python, on small real inputs."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import h5py
import lmdb
import numpy as np
import pandas as pd
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe.proto import caffe_pb2
from roastery.cli.main import main
from roastery.tools.windows import windows_by_picture

cv2 = pytest.importorskip("cv2")
RNG = np.random.default_rng(0)

MEANS = """
layer { name: "in" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: CHANNELS dim: 8 dim: 8 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param { pool: AVE global_pooling: true } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param { num_output: CHANNELS } }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_model(folder: Path, channels: int = 3) -> list[str]:
    """A net that gives the means of its channels, as flags."""
    (folder / "net.prototxt").write_text(MEANS.replace("CHANNELS", str(channels)))
    net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST)
    net.params["ip"][0].data[...] = np.eye(channels)
    net.save(str(folder / "net.caffemodel"))
    return ["--model_def=net.prototxt", "--pretrained_model", "net.caffemodel"]


# --- classify -----------------------------------------------------------------------------


def test_classify_a_picture_and_a_folder(here: Path, capsys) -> None:
    model = make_model(here)
    pictures = [RNG.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(3)]
    (here / "photos").mkdir()
    for i, pixels in enumerate(pictures):
        cv2.imwrite(str(here / "photos" / f"{i}.png"), pixels)
    size = ["--images_dim=8,8", "--center_only"]
    assert main(["classify", "photos/1.png", "one.npy", *model, *size]) == 0
    assert "Classifying 1 inputs." in capsys.readouterr().out
    np.testing.assert_allclose(
        np.load("one.npy"), [pictures[1].mean((0, 1))], rtol=1e-4
    )  # BGR, 0 to 255
    np.save("mean.npy", np.array([1.0, 2.0, 3.0]))
    caffe_mean = caffe.io.array_to_blobproto(np.ones((1, 3, 8, 8)) * 5)
    (here / "mean.binaryproto").write_bytes(caffe_mean.SerializeToString())
    for mean, minus in (("mean.npy", [1, 2, 3]), ("mean.binaryproto", [5, 5, 5])):
        flags = ["--ext", "png", f"--mean_file={mean}", "--input_scale", "2", *model, *size]
        assert main(["classify", "photos", "all.npy", *flags]) == 0
        expected = [(p.mean((0, 1)) - minus) * 2 for p in pictures]
        np.testing.assert_allclose(np.load("all.npy"), expected, rtol=1e-4)
    np.save("rgb.npy", np.stack(pictures)[..., ::-1] / np.float32(255))
    assert main(["classify", "rgb.npy", "again.npy", "--images_dim=8,8", *model]) == 0
    np.testing.assert_allclose(np.load("again.npy"), [p.mean((0, 1)) for p in pictures], rtol=1e-4)


def test_classify_gray_pictures(here: Path) -> None:
    model = make_model(here, channels=1)
    pixels = RNG.integers(0, 256, (8, 8), np.uint8)
    cv2.imwrite("gray.png", pixels)
    assert main(["classify", "gray.png", "out.npy", "--images_dim=8,8", *model]) == 0
    np.testing.assert_allclose(np.load("out.npy"), [[pixels.mean()]], rtol=1e-4)


def test_classify_tells_mistakes(here: Path, capsys) -> None:
    model = make_model(here)
    for words, said in (
        (["gone.png", "o.npy", *model], "there is no picture 'gone.png'"),
        ([".", "o.npy", *model], "holds no .jpg files"),
        (["a.png", "o.npy", *model, "--mean_file=no.npy"], "there is no mean file 'no.npy'"),
        (["a.png", "o.npy", *model, "--images_dim=a"], "--images_dim=a"),
        (["a.png", "o.npy"], "classify needs pictures; write `roastery classify MODEL WEIGHTS"),
        (["a.png", "o.npy", model[0]], "classify needs --pretrained_model=FILE; write"),
        (["a.png", "o.npy", "b.png", *model], "does not take the argument 'b.png'"),
    ):
        assert main(["classify", *words]) == 1
        assert said in capsys.readouterr().err
    assert not (here / "o.npy").exists()


# --- detect -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (b"a.png,1,2,3,nan\n", "takes four numbers"),
        (b"a.png,1,2,3,1e400\n", "takes four numbers"),
        (b"a.png,1,2\n", "takes four numbers"),
        (b'"' + b"a" * 200_000, "no CSV file"),
    ],
)
def test_lists_of_no_windows_are_refused(here: Path, rows: bytes, told: str) -> None:
    Path("windows.csv").write_bytes(b"filename,ymin,xmin,ymax,xmax\n" + rows)
    with pytest.raises(RoasteryError, match=told):
        windows_by_picture("windows.csv")


def test_names_in_lists_of_windows_may_be_any_bytes(here: Path) -> None:
    Path("windows.csv").write_bytes(b"filename,ymin,xmin,ymax,xmax\n\xff.png,1,2,3,4\n")
    ((name, windows),) = windows_by_picture("windows.csv")
    assert name.encode("utf-8", "surrogateescape") == b"\xff.png"
    assert [w.tolist() for w in windows] == [[1, 2, 3, 4]]


def test_detect_windows_of_a_list(here: Path) -> None:
    model = [*make_model(here), "--crop_mode=list", "--context_pad=0"]
    pictures = {name: RNG.integers(0, 256, (20, 30, 3), np.uint8) for name in ("a.png", "b.png")}
    for name, pixels in pictures.items():
        cv2.imwrite(name, pixels)
    rows = [("a.png", 2, 1, 10, 9), ("b.png", 0, 0, 8, 8), ("a.png", 5, 5, 13, 13)]
    Path("windows.csv").write_text(
        "filename,ymin,xmin,ymax,xmax\n" + "".join(",".join(map(str, r)) + "\n" for r in rows)
    )
    order = [rows[0], rows[2], rows[1]]  # picture by picture
    expected = [pictures[r[0]][r[1] : r[3], r[2] : r[4]].mean((0, 1)) for r in order]
    assert main(["detect", "windows.csv", "found.csv", *model]) == 0
    with open("found.csv") as file:
        found = list(csv.DictReader(file))
    assert [(f["filename"], int(f["ymin"]), int(f["xmax"])) for f in found] == [
        (r[0], r[1], r[4]) for r in order
    ]
    values = [[float(f[f"class{i}"]) for i in range(3)] for f in found]
    np.testing.assert_allclose(values, expected, rtol=1e-4)
    assert main(["detect", "windows.csv", "found.h5", *model]) == 0
    with h5py.File("found.h5") as file:
        assert file["filename"].asstr()[:].tolist() == ["a.png", "a.png", "b.png"]
        np.testing.assert_array_equal(file["window"][1], [5, 5, 13, 13])
        np.testing.assert_allclose(file["prediction"], expected, rtol=1e-4)
        table = pd.DataFrame(file["df"][:])
        assert list(table) == [
            "filename",
            "ymin",
            "xmin",
            "ymax",
            "xmax",
            "class0",
            "class1",
            "class2",
        ]
        assert table["ymin"].tolist() == [2, 5, 0] and table["filename"][0] == b"a.png"
        np.testing.assert_allclose(table[["class0", "class1", "class2"]], expected, rtol=1e-4)


def test_pandas_reads_what_is_detected(here: Path) -> None:
    """By its own reader, where PyTables is there."""
    pytest.importorskip("tables", reason="pandas reads HDF5 by PyTables, which is not installed")
    from roastery.tools.windows import write_detections

    found = [
        {"filename": name, "window": np.arange(4) + i, "prediction": np.float32([i, 0.5])}
        for i, name in enumerate(("a.png", "folder/b.png"))
    ]
    write_detections("found.h5", found)
    table = pd.read_hdf("found.h5", "df")
    assert list(table) == ["filename", "ymin", "xmin", "ymax", "xmax", "class0", "class1"]
    assert table["xmax"].tolist() == [3, 4] and table["class0"].tolist() == [0, 1]


def test_detect_tells_mistakes(here: Path, capsys) -> None:
    model = [*make_model(here), "--crop_mode=list"]
    Path("bad.csv").write_text("filename,ymin,xmin,ymax\na,1,2,3\n")
    Path("words.csv").write_text("filename,ymin,xmin,ymax,xmax\na,1,2,x,4\n")
    Path("names.txt").write_text("a.png\n")
    for words, said in (
        (["bad.csv", "o.csv", *model], "bad.csv:1:1: column 'xmax' is missing"),
        (["words.csv", "o.csv", *model], "words.csv:2:1: a window takes four numbers"),
        (["words.csv", "o.txt", *model], "must be a .csv or .h5 file"),
        (["names.txt", "o.csv", *model[:3], "--context_pad=0"], "selective_search_ijcv"),
    ):
        assert main(["detect", *words]) == 1
        assert said in capsys.readouterr().err


# --- extract_features ---------------------------------------------------------------------

FEATURES = """
layer { name: "data" type: "DummyData" top: "data"
  dummy_data_param { shape { dim: 3 dim: 2 dim: 4 dim: 5 }
    data_filler { type: "constant" value: 2 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 6 } }
"""


def read_features(folder: str, backend: str) -> dict[bytes, caffe_pb2.Datum]:
    if backend == "lmdb":
        with lmdb.open(folder, readonly=True, lock=False) as env, env.begin() as transaction:
            records = {bytes(key): bytes(value) for key, value in transaction.cursor()}
    else:
        plyvel = pytest.importorskip("plyvel")
        database = plyvel.DB(folder)
        records = dict(database)
        database.close()
    return {key: caffe_pb2.Datum.FromString(value) for key, value in records.items()}


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_extract_features(here: Path, backend: str) -> None:
    Path("net.prototxt").write_text(FEATURES)
    net = caffe.Net("net.prototxt", caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = RNG.integers(-4, 5, blob.shape)  # sums are exact, in any order
    net.save("net.caffemodel")
    net.forward()
    words = ["net.caffemodel", "net.prototxt", "conv,ip", "conv_db,ip_db", "2", backend, "CPU"]
    assert main(["extract_features", *words]) == 0
    found = read_features("conv_db", backend)
    assert list(found) == [b"%010d" % i for i in range(6)]
    for i, datum in enumerate(found.values()):
        assert (datum.channels, datum.height, datum.width) == (4, 2, 3)
        np.testing.assert_array_equal(caffe.io.datum_to_array(datum), net.blobs["conv"].data[i % 3])
    last = read_features("ip_db", backend)[b"0000000005"]
    assert (last.channels, last.height, last.width, last.label) == (6, 1, 1, 0)
    np.testing.assert_array_equal(last.float_data, net.blobs["ip"].data[2])


@pytest.mark.parametrize("kind", ["npy", "h5"])
def test_extract_features_as_arrays(here: Path, kind: str) -> None:
    import h5py

    Path("net.prototxt").write_text(FEATURES)
    net = caffe.Net("net.prototxt", caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = RNG.integers(-4, 5, blob.shape)
    net.save("net.caffemodel")
    net.forward()
    words = ["net.caffemodel", "net.prototxt", "conv,ip", f"c.{kind},i.{kind}", "2", kind]
    assert main(["extract_features", *words]) == 0
    for blob, path in (("conv", f"c.{kind}"), ("ip", f"i.{kind}")):
        if kind == "npy":
            found = np.load(path)
        else:
            with h5py.File(path) as file:
                assert list(file) == [blob]
                found = file[blob][:]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.concatenate([net.blobs[blob].data] * 2))
    assert main(["extract_features", *words]) == 0, "a file takes the place of the one before"
    words[3] = f"c.{kind},none/i.{kind}"
    Path(f"c.{kind}").unlink()
    assert main(["extract_features", *words]) == 1
    assert not Path(f"c.{kind}").exists()


def test_an_array_of_features_has_one_shape(here: Path) -> None:
    from roastery import RoasteryError
    from roastery.tools.feature_files import new_feature_sink

    for kind in ("npy", "h5"):
        with pytest.raises(RoasteryError, match=r"were \[3\], and are now \[4\]"):
            with new_feature_sink(here / "x", kind, "b", print) as sink:
                sink.write(np.zeros((2, 3), np.float32))
                sink.write(np.zeros((2, 4), np.float32))
        assert not (here / "x").exists()


def test_extract_features_tells_mistakes(here: Path, capsys) -> None:
    Path("net.prototxt").write_text(FEATURES)
    caffe.Net("net.prototxt", caffe.TEST).save("net.caffemodel")
    Path("there").mkdir()
    for words, said in (
        (["convv", "a", "1", "lmdb"], "has no blob 'convv'\n  hint: did you mean 'conv'?"),
        (["conv", "a,b", "1", "lmdb"], "1 blob(s) and 2 database(s)"),
        (["conv", "there", "1", "lmdb"], "'there' exists already"),
        (["conv", "a", "0", "lmdb"], "0 batches"),
        (["conv", "a", "x", "lmdb"], "x: must be a number of batches"),
        (
            ["conv", "a", "1", "sqlite"],
            "unknown kind of database 'sqlite'\n  hint: lmdb, leveldb, npy, h5",
        ),
        (["conv", "a", "1", "lmdb", "TPU"], "TPU: must be CPU or GPU"),
    ):
        assert main(["extract_features", "net.caffemodel", "net.prototxt", *words]) == 1
        assert said in capsys.readouterr().err
    assert not (here / "a").exists()


# --- draw_net and python ------------------------------------------------------------------


def test_draw_net(here: Path, capsys) -> None:
    Path("net.prototxt").write_text(FEATURES)
    assert main(["draw_net", "net.prototxt", "net.svg", "--rankdir", "TB"]) == 0
    assert Path("net.svg").read_text().lstrip().startswith(("<svg", "<?xml"))
    assert main(["draw-net", "net.prototxt", "net.dot"]) == 0
    assert Path("net.dot").read_text().startswith("digraph")
    assert main(["draw_net", "net.prototxt", "net"]) == 1
    assert "no extension" in capsys.readouterr().err


def run_python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roastery", "python", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
    )


def test_python_runs_a_script_with_its_arguments_and_neighbours(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "neighbour.py").write_text("WORD = 'beside'\n")
    (here / "sub" / "script.py").write_text(
        "import sys\nimport caffe, neighbour\nfrom caffe.proto import caffe_pb2\n"
        "if __name__ == '__main__':\n"
        "    print(caffe.__name__, neighbour.WORD, sys.argv[1:], sys.argv[0])\n"
        "    sys.exit(3)\n"
    )
    done = run_python(here, "sub/script.py", "--solver", "x", "-h")
    assert done.stdout == "roastery.caffe beside ['--solver', 'x', '-h'] sub/script.py\n"
    assert done.returncode == 3
    code = "import os; print(os.environ['ROASTERY_DEVICE'], os.environ['ROASTERY_PRECISION'])"
    done = run_python(here, "--device=reference", "--precision=tf32", "-c", code)
    assert done.stdout == "reference tf32\n"
    (here / "mod.py").write_text("import sys, caffe\nprint(caffe.TEST, sys.argv[1:])\n")
    done = run_python(here, "-m", "mod", "-v", "a")
    assert done.stdout == "1 ['-v', 'a']\n"


def test_python_heeds_a_log_level_that_a_script_sets(here: Path) -> None:
    script = "import os; os.environ['GLOG_minloglevel'] = '{}'; import caffe; caffe.log('a word')"
    assert run_python(here, "-c", script.format(2)).stderr == ""
    assert "a word" in run_python(here, "-c", script.format(0)).stderr


def test_python_shows_the_scripts_own_frames(here: Path) -> None:
    (here / "script.py").write_text("def f():\n    return 1 / 0\n\nf()\n")
    done = run_python(here, "script.py")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr and "script.py" in done.stderr
    assert "runpy" not in done.stderr and "roastery" not in done.stderr
    done = run_python(here, "gone.py")
    assert done.returncode == 1 and "there is no script 'gone.py'" in done.stderr
