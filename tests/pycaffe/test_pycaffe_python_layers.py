"""Python layers under caffe.Net: the user's objects, their parameters, their exceptions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

MODULE = '''
import caffe
import numpy as np

class Affine(caffe.Layer):
    """y = scale * x, with a scale that is learned."""

    def setup(self, bottom, top):
        self.calls = 0
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = float(self.param_str)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        self.calls += 1
        top[0].data[...] = self.blobs[0].data[0] * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] = (top[0].diff * bottom[0].data).sum()
        if propagate_down[0]:
            bottom[0].diff[...] = self.blobs[0].data[0] * top[0].diff

class Refusing(caffe.Layer):
    def setup(self, bottom, top):
        raise KeyError("no such roidb")

class Failing(Affine):
    def forward(self, bottom, top):
        raise ZeroDivisionError("in forward")

class Rows(caffe.Layer):
    """A data layer: every pass gives one row more."""

    def setup(self, bottom, top):
        self.rows = 0
        top[0].reshape(1, 2)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        self.rows += 1
        top[0].reshape(self.rows, 2)
        top[0].data[...] = self.rows
'''

NET = """
force_backward: true
layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ dim: 2 dim: 3 }} }} }}
layer {{ name: "py" type: "Python" bottom: "x" top: "y"
  python_param {{ module: "{module}" layer: "{kind}" param_str: "4" }} }}
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that is new in each test."""
    name = f"user_layers_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def test_layers_holds_the_users_object(make_net, module: str) -> None:
    net = make_net(NET.format(module=module, kind="Affine"))
    layer = net.layers[1]
    assert type(layer).__name__ == "Affine"
    assert layer.type == "Python"
    assert net.layer_dict["py"] is layer
    net.forward(x=np.ones((2, 3)))
    net.forward(x=np.ones((2, 3)))
    assert layer.calls == 2
    assert isinstance(layer, caffe.Layer)


def test_its_parameters_are_the_nets(make_net, module: str, tmp_path: Path) -> None:
    net = make_net(NET.format(module=module, kind="Affine"))
    layer = net.layers[1]
    assert net.params["py"][0].data[0] == 4
    layer.blobs[0].data[0] = 5  # before any pass
    assert net.params["py"][0].data[0] == 5
    assert (net.forward(x=np.ones((2, 3)))["y"] == 5).all()
    net.blobs["y"].diff[...] = 2
    net.backward()
    assert net.params["py"][0].diff[0] == 12
    assert layer.blobs[0].diff[0] == 12
    assert (net.blobs["x"].diff == 10).all()
    layer.blobs[0].data[0] += 1
    assert net.params["py"][0].data[0] == 6
    net.save(str(tmp_path / "w.caffemodel"))
    layer.blobs[0].data[0] = -1
    net.copy_from(str(tmp_path / "w.caffemodel"))
    assert layer.blobs[0].data[0] == 6


def test_an_exception_arrives_as_it_was_raised_with_the_place(make_net, module: str) -> None:
    with pytest.raises(KeyError, match="no such roidb") as caught:
        make_net(NET.format(module=module, kind="Refusing"))
    assert "layer 'py'" in "".join(caught.value.__notes__)
    assert "net1.prototxt:4" in "".join(caught.value.__notes__)
    net = make_net(NET.format(module=module, kind="Failing"))
    with pytest.raises(ZeroDivisionError, match="in forward"):
        net.forward()


def test_a_module_that_is_not_there_is_our_error(make_net) -> None:
    with pytest.raises(RoasteryError, match="no Python module 'nowhere_at_all'"):
        make_net(NET.format(module="nowhere_at_all", kind="X"))


def test_a_layer_that_makes_more_each_time(make_net, module: str) -> None:
    net = make_net(
        f"""
    layer {{ name: "rows" type: "Python" top: "x"
      python_param {{ module: "{module}" layer: "Rows" }} }}
    layer {{ name: "p" type: "Power" bottom: "x" top: "y" power_param {{ scale: 2 }} }}
    """
    )
    for number in range(1, 4):
        y = net.forward()["y"]
        assert y.shape == (number, 2)
        assert (y == 2 * number).all()
    assert net.layers[0].rows == 3


def test_reshaping_reaches_python_layers(make_net, module: str) -> None:
    net = make_net(NET.format(module=module, kind="Affine"))
    net.blobs["x"].reshape(4, 4, 4)
    net.forward()
    assert net.blobs["y"].shape == (4, 4, 4)
    assert net.layers[1].calls == 1
