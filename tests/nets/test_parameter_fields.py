"""Every field of Caffe's layer parameters is read by some layer, or is known to have no effect."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frontends.lowering import net as lowering
from frontends.lowering.known_layers import layer_types
from frontends.prototxt import parse_text
from frontends.prototxt.message import Message
from frontends.schema.registry import message_type
from frontends.schema.types import MessageType
from roastery.probing.data_config import source_config
from roastery.probing.probe import RuntimeProbe
from roastery.wire.blob_proto import encode_blob
from tests.support.layer_cases import all_cases
from tests.support.lowering import inputs

ENGINE = "chooses among Caffe's implementations"
MOVED = "moved to transform_param by the upgrade of V1 nets; Caffe does not read it either"

WITHOUT_EFFECT = {
    "ConvolutionParameter.engine": ENGINE,
    "ConvolutionParameter.force_nd_im2col": ENGINE,
    "LRNParameter.engine": ENGINE,
    "PoolingParameter.engine": ENGINE,
    "ReLUParameter.engine": ENGINE,
    "SPPParameter.engine": ENGINE,
    "SigmoidParameter.engine": ENGINE,
    "SoftmaxParameter.engine": ENGINE,
    "TanHParameter.engine": ENGINE,
    "DataParameter.scale": MOVED,
    "DataParameter.mean_file": MOVED,
    "DataParameter.crop_size": MOVED,
    "DataParameter.mirror": MOVED,
    "DataParameter.force_encoded_color": "no line of Caffe reads it",
    "ImageDataParameter.scale": MOVED,
    "ImageDataParameter.mean_file": MOVED,
    "ImageDataParameter.crop_size": MOVED,
    "ImageDataParameter.mirror": MOVED,
    "WindowDataParameter.mean_file": MOVED,
    "WindowDataParameter.crop_size": MOVED,
    "WindowDataParameter.mirror": MOVED,
    "EltwiseParameter.stable_prod_grad": "the stable gradient is always taken (docs/layers.md)",
    "PythonParameter.share_in_parallel": "no effect in Caffe 1.0 either (docs/layers.md)",
    "RecurrentParameter.debug_info": "logs the unrolled net, of which there is none here",
}

PYTHON_LAYER = """
from roastery import caffe

class Same(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(*bottom[0].data.shape)
    def forward(self, bottom, top): top[0].data[...] = bottom[0].data
    def backward(self, top, propagate_down, bottom): pass
"""
# Fields that only count where others are set, and layers without records.
FURTHER = [
    'layer { name: "l" type: "HDF5Output" bottom: "x" bottom: "x" '
    'hdf5_output_param { file_name: "out.h5" } }',
    'layer { name: "l" type: "Python" bottom: "x" top: "y" '
    'python_param { module: "fields_layer" layer: "Same" } }',
    'layer { name: "l" type: "BatchNorm" bottom: "x" top: "y" '
    "batch_norm_param { use_global_stats: true } }",
    'layer { name: "l" type: "PReLU" bottom: "x" top: "y" prelu_param { filler { } } }',
    'layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "t" top: "y" '
    'infogain_loss_param { source: "h.binaryproto" } }',
    'layer { name: "l" type: "InnerProduct" bottom: "x" top: "y" param { name: "w" lr_mult: 2 '
    "decay_mult: 0 } inner_product_param { num_output: 3 } }"
    'layer { name: "m" type: "InnerProduct" bottom: "x" top: "z" param { name: "w" lr_mult: 2 '
    "decay_mult: 0 share_mode: STRICT } inner_product_param { num_output: 3 } }",
]
DATA_LAYERS = """
layer { name: "a" type: "Data" top: "d" data_param { } transform_param { } }
layer { name: "b" type: "ImageData" top: "d" top: "t" }
layer { name: "c" type: "WindowData" top: "d" top: "t" }
layer { name: "d" type: "HDF5Data" top: "d" }
layer { name: "e" type: "MemoryData" top: "d" top: "t" }
layer { name: "f" type: "DummyData" top: "d" dummy_data_param { data_filler { } } }
"""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Values of fields that are read from now on, as "PoolingParameter.pad"; ``has`` reads none."""
    found: set[str] = set()
    plain = Message.__getattr__

    def noting(message: Message, name: str) -> Any:
        if not name.startswith("_"):
            found.add(f"{message.message_type.name}.{name}")
        return plain(message, name)

    def get(message: Message, name: str, default: Any = None) -> Any:
        found.add(f"{message.message_type.name}.{name}")
        return message._values.get(name, default)

    monkeypatch.setattr(Message, "__getattr__", noting)
    monkeypatch.setattr(Message, "__getitem__", noting)
    monkeypatch.setattr(Message, "get", get)
    # It looks through whole messages, whatever the layer makes of them.
    monkeypatch.setattr(lowering, "refuse_foreign", lambda kind, layer: None)
    yield found


def _below(kind: MessageType) -> Iterator[MessageType]:
    yield kind
    for field in kind:
        target = kind.resolve(field)
        if field.number is not None and isinstance(target, MessageType):
            yield from _below(target)


def _fields_of_layers() -> set[str]:
    """Fields that Caffe's own layers have by Caffe's schema, those of fillers and shapes too."""
    layer = message_type("LayerParameter")
    names = {n for k in layer_types().values() if not k.fork for n in (k.param, *k.also) if n}
    found = set()
    for name in sorted(names | {"param"}):
        target = layer.resolve(layer.fields[name])
        assert isinstance(target, MessageType)
        for kind in _below(target):
            found |= {f"{kind.name}.{f.name}" for f in kind if f.number is not None}
    return found


def test_every_field_is_read_or_known_to_have_no_effect(
    reads: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fields_layer.py").write_text(PYTHON_LAYER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fields_layer", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("h.binaryproto").write_bytes(b"".join(encode_blob(np.eye(3, dtype=np.float32))))
    for case in all_cases():
        lowering.lower_layers(parse_text(case.prototxt, "NetParameter", case.name), case.phase)
    for layer in FURTHER:
        net = parse_text(inputs(x=(2, 3), t=(2,)) + layer, "NetParameter", "net.prototxt")
        lowering.lower_layers(net, "TRAIN", probe=RuntimeProbe(allow_python=True))
    for layer in parse_text(DATA_LAYERS, "NetParameter", "net.prototxt").layer:
        source_config(layer)
    unread = _fields_of_layers() - reads
    assert sorted(unread - WITHOUT_EFFECT.keys()) == []
    assert sorted(WITHOUT_EFFECT.keys() - unread) == [], "these are read after all"
