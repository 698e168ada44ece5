"""matcaffe's classes and functions in Octave: what they give, and what they say of mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.matlab.conftest import SHAPES
from tests.support.octave_run import OctaveRun

INPUT = 'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }\n'
WRONG = f"""name: "wrong"
{INPUT}layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param {{ num_output: 4 kernel_siz: 3 }} }}
"""
TOO_LARGE = """name: "too large"
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 9 } }
"""


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    """A folder with the nets that scripts read."""
    (tmp_path / "shapes.prototxt").write_text(SHAPES)
    (tmp_path / "wrong.prototxt").write_text(WRONG)
    (tmp_path / "too_large.prototxt").write_text(TOO_LARGE)
    return tmp_path


def test_its_own_tests_pass(octave: OctaveRun) -> None:
    said = octave.alone(  # it chooses the CPU
        "results = caffe.run_tests(); assert(all([results.Passed]));\n"
        "assert(numel(results) >= 10); assert(isempty([results.Message]));"
    )
    assert re.search(r"^(\d+) of \1 tests passed$", said, re.MULTILINE)


def test_its_own_tests_can_fail(octave: OctaveRun) -> None:
    said = octave(
        "r = caffe.test.run_cases('g', @() 3, {'a', @(x) caffe.test.same(x, 3), "
        "'b', @(x) caffe.test.same(x, 4)}); disp([r.Passed]); disp(r(2).Message);"
    )
    assert "g/b failed: other values than were wanted" in said and "1  0" in said


def test_blobs_have_their_shapes_and_values(octave: OctaveRun, nets: Path) -> None:
    assert octave("check_blobs") == ""


def test_arrays_are_arrays(octave: OctaveRun, tmp_path: Path) -> None:
    assert octave("check_arrays") == ""


def test_calls_do_not_look_through_the_path(octave: OctaveRun) -> None:
    """Octave looked through all folders of its path at each call, for a MEX file in a package."""
    octave(
        "caffe.version(); rehash();\n"
        "tic; for n = 1:100, rehash(); end, looking = toc;\n"
        "tic; for n = 1:100, caffe.version(); end, calling = toc;\n"
        "assert(calling < looking / 4, sprintf('%g s, %g s', calling, looking));"
    )


def test_the_home_folder(octave: OctaveRun, tmp_path: Path) -> None:
    (tmp_path / "shapes.prototxt").write_text(SHAPES)
    octave.alone(
        "net = caffe.Net('~/shapes.prototxt', 'test'); net.save('~/w');\n"
        "net.copy_from('~/w'); net = caffe.Net('~/shapes.prototxt', '~/w', 'test');",
        HOME=str(tmp_path),
    )
    assert (tmp_path / "w").is_file()


def test_misuse_is_told(octave: OctaveRun, nets: Path) -> None:
    said = octave("check_misuse")
    assert said.splitlines() == [
        "Cleared 0 solvers and 1 stand-alone nets",  # those that could not be made are not left
        "Cleared 0 solvers and 0 stand-alone nets",
    ]


def test_small_functions(octave: OctaveRun, tmp_path: Path) -> None:
    (tmp_path / "shapes.prototxt").write_text(SHAPES)
    said = octave.alone(
        "disp(caffe.version()); caffe.set_mode_cpu(); caffe.set_mode_gpu(); caffe.set_device(0);\n"
        "caffe.set_mode_cpu(); caffe.set_random_seed(3); caffe.init_glog('logs/run');\n"
        "a = caffe.get_net('shapes.prototxt', 'test'); b = a; clear a\n"
        "assert(isequal(b.blobs('scale').shape, 3)); clear b\n"
        "caffe.reset_all();",
        GLOG_minloglevel="0",
    )
    assert said == "1.0.0\nCleared 0 solvers and 0 stand-alone nets\n"
    assert "Creating Layer both" in (tmp_path / "logs" / "run.log").read_text()


def test_means_and_pictures(octave: OctaveRun, tmp_path: Path) -> None:
    """What one side writes the other reads; two dimensions are one channel."""
    import numpy as np

    from runtime.data.mean_file import read_mean, write_mean

    octave(
        "m = single(reshape(1:24, [4 3 2])); caffe.io.write_mean(m, 'm.binaryproto');\n"
        "caffe.io.write_mean(m(:, :, 1), 'one.binaryproto');\n"
        "assert(isequal(caffe.io.read_mean('one.binaryproto'), m(:, :, 1)));\n"
        "imwrite(uint8([1 2; 3 4; 5 6]), 'grey.png');\n"
        "g = caffe.io.load_image('grey.png'); caffe.test.same(g, single([1 3 5; 2 4 6]));"
    )
    mean = read_mean(tmp_path / "m.binaryproto")
    assert np.array_equal(mean, np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4))
    assert read_mean(tmp_path / "one.binaryproto").shape == (1, 3, 4)
    write_mean(tmp_path / "back.binaryproto", mean + 1)
    octave(
        "m = caffe.io.read_mean('back.binaryproto');\n"
        "caffe.test.same(m, single(reshape(2:25, [4 3 2])));\n"
        "caffe.test.same(caffe.read_mean('back.binaryproto'), m);"
    )


def test_names_with_other_letters(octave: OctaveRun, tmp_path: Path) -> None:
    """In a locale that knows no letters but ASCII's, too."""
    folder = tmp_path / "Übung 'é'"
    folder.mkdir()
    (folder / "nét.prototxt").write_text(SHAPES)
    octave.alone(
        "cd('Übung ''é'''); net = caffe.Net('nét.prototxt', 'test'); net.save('wéights');\n"
        "net.copy_from('wéights'); fails(@() caffe.Net('ü.prototxt', 'test'), '^ü.prototxt does');",
        LC_ALL="C",
    )
    assert (folder / "wéights").is_file()


def test_names_of_every_kind(octave: OctaveRun, tmp_path: Path) -> None:
    """With other letters, quotes, twice, and none at all, which Octave's maps do not take."""
    (tmp_path / "names.prototxt").write_text(
        """layer { name: "é ü" type: "Input" top: "dä t's" input_param { shape { dim: 2 } } }
        layer { name: "é ü" type: "Power" bottom: "dä t's" top: "o/ut" power_param { shift: 1 } }
        layer { name: "" type: "Exp" bottom: "o/ut" top: "q" }
        """,
        encoding="utf-8",
    )
    octave(
        "same = @caffe.test.same; net = caffe.Net('names.prototxt', 'test');\n"
        "same(net.blob_names, {'dä t''s'; 'o/ut'; 'q'}); same(net.layer_names{1}, 'é ü');\n"
        "net.forward({[1; 2]}); same(net.blobs('o/ut').get_data(), single([2; 3]));\n"
        "same(net.blobs('dä t''s').shape, 2); same(net.layers('é ü').type, 'Power');\n"
        "same(net.layers('').type, 'Exp'); same(net.name2layer_index.keys(), {'é ü'});\n"
        "same(net.name2layer_index('é ü'), 2); same(net.name2blob_index('q'), 3);\n"
        "fails(@() net.blobs('dä'), 'blobs: dä t''s, o/ut, q$');\n"
        "fails(@() net.layers('e'), 'layers: é ü, $');"
    )


def test_weights_are_shared_and_copied(octave: OctaveRun, tmp_path: Path) -> None:
    octave(
        "file = caffe.test.small_net(3); a = caffe.Net(file, 'train');\n"
        "b = caffe.Net(file, 'test');\n"
        "w = zeros(2, 2, 2, 11); w(2, 1, 1, 11) = 5; a.params('conv', 1).set_data(w);\n"
        "b.share_weights_with(a); caffe.test.same(b.params('conv', 1).get_data(), single(w));\n"
        "a.set_params_data('conv', 1, w + 1);\n"
        "a.layers('conv').set_params_data(2, 9 * ones(11, 1));\n"
        "caffe.test.same(b.params('conv', 1).get_data(), single(w + 1));\n"
        "caffe.test.same(b.layers('conv').params(2).get_data(), 9 * ones(11, 1, 'single'));\n"
        "a.save('w.caffemodel'); c = caffe.get_net(file, 'w.caffemodel', 'test');\n"
        "caffe.test.same(c.params('conv', 1).get_data(), single(w + 1));"
    )


def test_parameters_are_cut(octave: OctaveRun) -> None:
    """As xmyqsh/deeplab-v2's matlab/resnet101_net_surgery.m does it: every second filter stays."""
    octave(
        "small = caffe.test.small_net(3); large = caffe.test.small_net(6);\n"
        "same = @caffe.test.same; net = caffe.Net(large, 'test');\n"
        "weights = net.params('ip', 1); bias = net.params('ip', 2);\n"
        "bias.set_data((1:6)'); kept = weights.get_data()(:, 1:2:end);\n"
        "weights.reshape(size(kept)); weights.set_data(kept);\n"
        "kept = bias.get_data()(1:2:end); bias.reshape(length(kept)); bias.set_data(kept);\n"
        "same(bias.shape, 3); same(net.layers('ip').params(1).shape, size(weights.get_data()));\n"
        "net.save('cut'); cut = caffe.Net(small, 'cut', 'test');\n"
        "same(cut.params('ip', 1).get_data(), weights.get_data());\n"
        "same(cut.params('ip', 2).get_data(), single([1; 3; 5]));\n"
        "fails(@() net.forward_prefilled(), 'layer ''ip'' was reshaped from .* only be saved');\n"
        "fails(@() weights.reshape([-1 2]), 'no whole number');"
    )


def test_single_layers_run(octave: OctaveRun, tmp_path: Path) -> None:
    (tmp_path / "shapes.prototxt").write_text(SHAPES)
    octave(
        "net = caffe.Net('shapes.prototxt', 'test');\n"
        "net.blobs('data').set_data(ones(5, 4, 3, 2));\n"
        "net.blobs('scale').set_data([1; 1; 1]); net.forward_to('both');\n"
        "assert(net.blobs('both').get_data()(1) == 1 && net.blobs('sum').get_data() == 0);\n"
        "net.forward_fromto('total', 'total'); assert(net.blobs('sum').get_data() == 120);\n"
        "net.blobs('both').set_data(2 * ones(5, 4, 3, 2)); net.forward_from('total');\n"
        "assert(net.blobs('sum').get_data() == 240);\n"
        "net.blobs('sum').set_diff(1); net.backward_fromto('total', 'total');\n"
        "net.backward_to('both'); net.backward_from('both');\n"
        "fails(@() net.forward_to('x'), 'no layer ''x''');"
    )
