"""What Octave computes is what Python computes, to the last bit."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery.caffe as caffe
from tests.support.octave_run import ROOT, OctaveRun

LENET = """
name: "LeNet" force_backward: true
layer { name: "in" type: "Input" top: "data" top: "label" input_param {
  shape { dim: 4 dim: 1 dim: 14 dim: 12 } shape { dim: 4 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 }
  param { lr_mult: 2 } convolution_param { num_output: 6 kernel_size: 3
    weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "lenet.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "step" stepsize: 4 gamma: 0.5
max_iter: 100 random_seed: 7 snapshot_prefix: "s" snapshot_after_train: false
"""
DATA = """
x = fread(fopen('x.bin'), [14 * 12 * 4, Inf], 'single=>single');
x = reshape(x, [12 14 1 4]);
y = [0; 1; 2; 1];
"""


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Four pictures, and the files that both sides read in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    (tmp_path / "lenet.prototxt").write_text(LENET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    made = np.random.default_rng(5).normal(size=(4, 1, 14, 12)).astype(np.float32)
    made.tofile(tmp_path / "x.bin")
    return made


def written(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.fromfile(name, np.float32).reshape(shape)


def test_a_pass_is_python_s(octave: OctaveRun, pictures: np.ndarray) -> None:
    net = caffe.Net("lenet.prototxt", caffe.TEST)
    net.save("w.caffemodel")
    out = net.forward(data=pictures, label=np.array([0, 1, 2, 1], np.float32))
    net.backward()
    octave(
        f"""{DATA}
net = caffe.Net('lenet.prototxt', 'w.caffemodel', 'test');
out = net.forward({{x, y}});
net.backward_prefilled();
put = @(name, values) fwrite(fopen(name, 'w'), values, 'single');
put('loss.bin', out{{1}}); put('scores.bin', net.blobs('ip2').get_data());
put('grad.bin', net.blobs('data').get_diff());
put('weights.bin', net.params('conv1', 1).get_diff());
"""
    )
    assert written("loss.bin", ()) == out["loss"]
    assert np.array_equal(written("scores.bin", (4, 3)), net.blobs["ip2"].data)
    assert np.array_equal(written("grad.bin", (4, 1, 14, 12)), net.blobs["data"].diff)
    assert np.array_equal(written("weights.bin", (6, 1, 3, 3)), net.params["conv1"][0].diff)


def test_training_is_python_s(octave: OctaveRun, pictures: np.ndarray) -> None:
    octave(
        f"""{DATA}
solver = caffe.Solver('solver.prototxt');
solver.net.set_input_data({{x, y}});
caffe.test.same(solver.max_iter(), 100);
solver.step(1);
first = solver.net.blobs('loss').get_data();
solver.step(5);
solver.snapshot();
again = caffe.Solver('solver.prototxt');
again.restore('s_iter_6.solverstate');
caffe.test.same(again.iter(), 6);
caffe.test.same(again.net.params('ip1', 1).get_data(), solver.net.params('ip1', 1).get_data());
again.net.set_input_data({{x, y}});
solver.step(2);
again.step(2);
caffe.test.same(again.net.params('ip1', 1).get_data(), solver.net.params('ip1', 1).get_data());
assert(solver.net.blobs('loss').get_data() < first);
solver.net.save('octave.caffemodel');
"""
    )
    solver = caffe.get_solver("solver.prototxt")
    solver.net.blobs["data"].data[...] = pictures
    solver.net.blobs["label"].data[...] = [0, 1, 2, 1]
    solver.step(8)
    trained = caffe.Net("lenet.prototxt", "octave.caffemodel", caffe.TEST)
    for name, blobs in solver.net.params.items():
        for ours, theirs in zip(blobs, trained.params[name], strict=True):
            assert np.array_equal(ours.data, theirs.data), name


def test_updates_by_hand(octave: OctaveRun, pictures: np.ndarray) -> None:
    octave(
        f"""{DATA}
solver = caffe.Solver('solver.prototxt');
solver.net.set_input_data({{x, y}});
before = solver.net.params('ip2', 2).get_data();
solver.net.params('ip2', 2).set_diff([1; 2; 3]);
solver.update();
caffe.test.same(solver.iter(), 1);
after = solver.net.params('ip2', 2).get_data();
assert(max(abs(after - (before - 0.1 * [1; 2; 3]))) < 1e-6);
kept = solver.net; blob = kept.blobs('data');
clear solver
fails(@() kept.forward_prefilled(), 'Net is no more');
fails(@() blob.get_data(), 'Blob is no more');
fails(@() caffe.Solver('solver.prototxt').step(-1), 'iters must be positive integer');
s = caffe.Solver('solver.prototxt');
for bad = {{0, 1.5, '3', [1 2], NaN, Inf, {{}}}}
  fails(@() s.step(bad{{1}}), '.');
end
fails(@() s.restore('missing'), '^missing does not exist');
fails(@() s.restore(3), 'snapshot_filename must be a string');
fails(@() s.restore('lenet.prototxt'), '.');
"""
    )


def test_the_examples_run(octave: OctaveRun, tmp_path: Path) -> None:
    """Training reaches what its data can teach; classification is what numpy makes of it."""
    said = octave(
        "rand('twister', 1); accuracy = training_demo([], 3); assert(accuracy > 0.95);\n"
        "im = uint8(255 * rand(90, 140, 3)); imwrite(im, 'im.png');\n"
        "model = which('classification_demo'); model = fileparts(model);\n"
        "net = caffe.Net([model '/small_caffenet.prototxt'], 'test'); net.save('w.caffemodel');\n"
        "m = single(reshape(mod(0:130 * 124 * 3 - 1, 255), [130 124 3]));\n"
        "caffe.io.write_mean(m, 'm.binaryproto');\n"
        "[scores, best] = classification_demo(im, [], 'w.caffemodel', 'm.binaryproto');\n"
        "fwrite(fopen('scores.bin', 'w'), scores, 'single'); disp(best);"
    )
    mean = caffe.io.blobproto_to_array(blob_proto(tmp_path / "m.binaryproto"))[0]
    picture = caffe.io.load_image(str(tmp_path / "im.png")) * 255  # RGB, 0 to 1
    data = resized(picture[:, :, ::-1].transpose(2, 0, 1), (124, 130)) - mean
    crops = []
    for top, left in ((0, 0), (9, 0), (0, 15), (9, 15), (4, 7)):
        crops.append(data[:, top : top + 115, left : left + 115])
    crops += [crop[:, :, ::-1] for crop in crops]
    model = str(ROOT / "examples/matlab/small_caffenet.prototxt")
    net = caffe.Net(model, str(tmp_path / "w.caffemodel"), caffe.TEST)
    wanted = net.forward(data=np.stack(crops).astype(np.float32))["prob"].mean(0)
    found = np.fromfile(tmp_path / "scores.bin", np.float32)
    np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-4)
    assert int(said.split()[-1]) == wanted.argmax() + 1


def blob_proto(path: Path) -> object:
    message = caffe.proto.caffe_pb2.BlobProto()
    message.ParseFromString(path.read_bytes())
    return message


def resized(data: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, (channels, height, width); pixels have their values in their middles."""
    for axis, wanted in ((1, size[0]), (2, size[1])):
        have = data.shape[axis]
        at = np.clip((np.arange(wanted) + 0.5) * have / wanted - 0.5, 0, have - 1)
        low = np.minimum(at.astype(int), have - 2)
        part = (at - low).reshape(-1, 1) if axis == 1 else at - low
        data = data.take(low, axis) * (1 - part) + data.take(low + 1, axis) * part
    return data


def test_hdf5_sets_grow(octave: OctaveRun, tmp_path: Path) -> None:
    octave(
        """
x = reshape(1:5 * 4 * 3 * 6, [5 4 3 6]); y = reshape(1:12, [2 6]);
[a, b] = store2hdf5('t.h5', x(:, :, :, 1:4), y(:, 1:4), true, [], 2);
caffe.test.same(a, [5 4 3 4]); caffe.test.same(b, [2 4]);
start = struct('dat', [1 1 1 5], 'lab', [1 5]);
a = store2hdf5('t.h5', x(:, :, :, 5), y(:, 5), false, start);
caffe.test.same(a, [5 4 3 5]);
store2hdf5('t.h5', x(:, :, :, 6), y(:, 6), false);
store2hdf5('lone.h5', x(:, :, 1, 1), 3);
fails(@() store2hdf5('t.h5', ones(5, 4, 2, 2), ones(2, 2), false), 'samples of ''data''');
fails(@() store2hdf5('t.h5', ones(5, 4, 3, 2), ones(2, 3), false), '2 samples and labels 3');
fails(@() store2hdf5('new.h5', ones(5, 4, 3, 2), ones(2, 2), false), '.');
fails(@() store2hdf5('t.h5', {}, ones(2, 2)), 'real numbers');
fails(@() store2hdf5('t.h5', ones(5, 4, 3, 2), ones(2, 2), false, 3), 'startloc');
fails(@() store2hdf5('t.h5', ones(5, 4, 3, 2), ones(2, 2), true, [], 0), 'chunksz');
fails(@() store2hdf5('none/t.h5', ones(5, 4, 3, 2), ones(2, 2)), 'no folder');
bad = struct('dat', [0 1 1 1], 'lab', [1 1]);
fails(@() store2hdf5('t.h5', ones(5, 4, 3, 2), ones(2, 2), false, bad), 'below 1');
"""
    )
    with h5py.File(tmp_path / "t.h5") as file:
        data = file["data"]
        wanted = np.arange(1, 361, dtype=np.float32).reshape(6, 3, 4, 5)
        assert np.array_equal(data, wanted)
        assert np.array_equal(file["label"], np.arange(1, 13).reshape(6, 2))
        assert (data.maxshape, data.chunks) == ((None, 3, 4, 5), (2, 3, 4, 5))
    with h5py.File(tmp_path / "lone.h5") as file:
        assert file["data"].shape == (1, 1, 4, 5) and file["label"].shape == (1, 1)
    assert not (tmp_path / "new.h5").exists()
