"""Nine known nets, small, as artifacts, ONNX models and PyTorch modules: what the net computes.

One file of each serves all sizes, but for the LSTM, whose state is for so many sentences.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from benchmarks.forms.compared import far, results_at, told
from benchmarks.forms.makers import FORMS, Exported, artifact, executable, reference_artifact
from benchmarks.forms.nets import NETS, FormNet, Shapes, write_net
from benchmarks.zoo.captioner import STEPS, WIDTH
from roastery.api.cpu_baselines import compilers_for
from tests.support.known_nets import KNOWN_NETS, small_text

WITHIN = {"onnx": 1e-4, "torch": 1e-5}


def _sizes(name: str) -> tuple[Shapes, ...]:
    """Batch 1 and 5, of an image size, or two."""
    if name == "captioner":
        return tuple(
            {"words": (STEPS, batch), "cont": (STEPS, batch), "features": (batch, WIDTH)}
            for batch in (1, 5)
        )
    edge = KNOWN_NETS[name][1]
    images = [(edge, edge), (34, 52)] if name == "fcn8s" else [(edge, edge)]
    channels = 1 if name == "lenet" else 3
    return tuple({"data": (batch, channels, *image)} for image in images for batch in (1, 5))


@pytest.mark.parametrize("name", KNOWN_NETS)
def test_each_form_gives_the_same(name: str, tmp_path: Path) -> None:
    net = FormNet(name, lambda: small_text(name), _sizes(name), NETS[name].dynamic)
    prototxt, weights = write_net(net, tmp_path, "reference")
    exported = Exported(prototxt, weights, tmp_path, dynamic=net.dynamic)
    ours = list(results_at(net, exported, partial(executable, device="reference"), net.sizes))
    for wanted, found in zip(
        ours, results_at(net, exported, reference_artifact, net.sizes), strict=True
    ):
        assert told(wanted, found) == "the same"
    for form, within in WITHIN.items():
        for wanted, found in zip(
            ours, results_at(net, exported, FORMS[form], net.sizes), strict=True
        ):
            assert far(wanted, found) <= within, form


@pytest.mark.parametrize("name", ["lenet"])
def test_machine_code_gives_the_same(name: str, tmp_path: Path) -> None:
    """On the CPU; tests/c has the others' kernels."""
    baselines = list(compilers_for(()))
    if not baselines:
        pytest.skip("no C compiler")
    net = FormNet(name, lambda: small_text(name), _sizes(name), NETS[name].dynamic)
    prototxt, weights = write_net(net, tmp_path, "reference")
    exported = Exported(prototxt, weights, tmp_path)
    ours = results_at(net, exported, executable, net.sizes)
    theirs = results_at(net, exported, partial(artifact, baseline=baselines[-1]), net.sizes)
    for wanted, found in zip(ours, theirs, strict=True):
        assert far(wanted, found) <= 1e-5


def test_these_are_the_nets_that_are_measured() -> None:
    assert KNOWN_NETS.keys() == NETS.keys()
