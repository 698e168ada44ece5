"""Scripts of forks: caffe_pb2 and NetSpec with a dialect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roastery.caffe import NetSpec, layers
from roastery.caffe import params as enums

SSD = """
import caffe
from caffe import layers as L, params as P
from caffe.proto import caffe_pb2
from google.protobuf import text_format

n = caffe.NetSpec()
n.data = L.Input(shape=[dict(dim=[1, 3, 16, 16])])
n.conv = L.Convolution(n.data, num_output=4, kernel_size=3)
n.update("conv", {"pad": 1})
n.norm = L.Normalize(n.conv, scale_filler=dict(type="constant", value=20), across_spatial=False)
n.perm = L.Permute(n.norm, order=[0, 2, 3, 1])
n.prior = L.PriorBox(n.norm, n.data, min_size=[4.0])
assert P.PriorBox.CENTER_SIZE == 2
assert n.keys() == ["data", "conv", "norm", "perm", "prior"], n.keys()
assert n.vals()[1] is n.conv
resize = dict(resize_mode=P.Resize.WARP, interp_mode=[P.Resize.LINEAR], height=8, width=8)
emit = dict(emit_type=caffe_pb2.EmitConstraint.CENTER)
read = L.AnnotatedData(transform_param=dict(resize_param=resize, emit_constraint=emit))
assert "emit_type: CENTER" in str(read.to_proto())

proto = n.to_proto()
again = caffe_pb2.NetParameter()
text_format.Merge(str(proto), again)
assert again == proto
net = caffe.Net(again, caffe.TEST)
print(net.blobs["perm"].data.shape, net.blobs["prior"].data.shape)
print(caffe_pb2.SolverParameter(eval_type="detection").eval_type)
datum = caffe_pb2.Datum()
datum.ParseFromString(caffe.io.array_to_datum(net.blobs["data"].data[0]).SerializeToString())
print(datum.channels)
"""


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: a dialect counts where it is given before caffe is imported."""
    (folder / "script.py").write_text(SSD)
    return subprocess.run(
        [sys.executable, "-m", "roastery", "python", *words, str(folder / "script.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "ROASTERY_DEVICE": "reference", **environment},
    )


@pytest.mark.parametrize(
    ("words", "environment"), [(["--dialect=ssd"], {}), ([], {"ROASTERY_DIALECT": "ssd"})]
)
def test_a_script_of_ssd(words: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, *words, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(1, 16, 16, 4) (1, 2, 1024)\ndetection\n3\n"


def test_without_its_dialect_the_script_is_told_of_it(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1
    assert "roastery python --dialect=ssd" in done.stderr


def test_tops_may_have_the_names_of_ssds_methods() -> None:
    n = NetSpec()
    n.keys = layers.Input()
    assert n.keys is n.tops["keys"]
    del n["keys"]
    assert n.keys() == []
    with pytest.raises(AttributeError, match="no top 'vales'"):
        _ = n.vales


def test_what_does_not_fit_a_field_names_it() -> None:
    with pytest.raises(TypeError, match="field 'pad' of ConvolutionParameter: "):
        layers.Convolution(pad=[1.5]).to_proto()
    with pytest.raises(TypeError, match="field 'num_output' of ConvolutionParameter: "):
        layers.Convolution(convolution_param={"num_output": "many"}).to_proto()
    with pytest.raises(AttributeError, match=r"no ResizeParameter .*--dialect=ssd"):
        _ = enums.Resize
