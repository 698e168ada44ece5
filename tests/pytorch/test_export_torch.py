"""``roastery export --format torch``: the folder, what it needs, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from ir.graph import Role
from ir.interpret import run_graph
from roastery.api.exporting import export_net
from roastery.api.picture_use import PictureRules
from roastery.cli.main import main
from runtime.pictures import Preprocessing
from tests.support.lowering import lowered
from tests.support.sample_nets import conv, dense, inputs, layer, lenet, pool, relu

NAMES = ["net.py", "net.safetensors"]
PRINT = "import numpy as np; np.save('y.npy', {y}.detach().numpy())"


def _written(text: str, folder: Path, **asked: object) -> Path:
    model = folder / "model.prototxt"
    model.write_text(text)
    export_net(model, None, folder / "net", format="torch", **asked)  # type: ignore[arg-type]
    return folder / "net"


def _python(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_exports_are_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        _written(lenet(2), tmp_path / name, phase="TRAIN")
    a, b = tmp_path / "a" / "net", tmp_path / "b" / "net"
    assert sorted(p.name for p in a.iterdir()) == NAMES
    for name in NAMES:
        assert (a / name).read_bytes() == (b / name).read_bytes()


def test_an_export_replaces_an_older_one_and_nothing_else(tmp_path: Path) -> None:
    folder = _written(lenet(2), tmp_path)
    first = (folder / "net.py").read_text()
    (folder / "mine.py").write_text("x = 1\n")
    _written(lenet(3, 20), tmp_path)
    assert (folder / "net.py").read_text() != first
    assert sorted(p.name for p in folder.iterdir()) == ["mine.py", *NAMES]
    (folder / "net.py").unlink()
    with pytest.raises(RoasteryError, match="the folder holds other files"):
        _written(lenet(2), tmp_path)
    assert not (folder / "net.py").exists()


def test_layers_that_cannot_be_written_are_all_told(tmp_path: Path) -> None:
    knn = "knn_param { num_output: 4 }"
    text = inputs(x=(4, 3), t=(4,)) + "".join(
        layer(name, "Knn", "x t", knn) for name in ("first", "second")
    )
    with pytest.raises(RoasteryError) as caught:
        _written(text, tmp_path)
    found = str(caught.value)
    for line, name in ((3, "first"), (4, "second")):
        assert f"model.prototxt:{line}:1 (layer '{name}'): a layer of type Knn cannot be" in found
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize("flag", ["--target=c", "--precision=float16", "--dynamic=all", "--tune"])
def test_flags_that_mean_nothing_are_refused(
    flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.prototxt").write_text(lenet(1))
    command = ["export", str(tmp_path / "net.prototxt"), "--format=torch", "--output=x", flag]
    assert main(command) == 1
    shown = f"{flag.partition('=')[0]} means nothing for a folder for PyTorch"
    assert shown in capsys.readouterr().err
    assert not Path("x").exists()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_become_the_input_as_everywhere(channels: int, tmp_path: Path) -> None:
    text = (
        inputs(data=(2, channels, 6, 8)) + dense("ip", "data", 4) + layer("prob", "Softmax", "ip")
    )
    rules = PictureRules(
        image_size=(12, 10),
        mean=np.array([104, 117.5, 123][:channels], np.float32),
        input_scale=0.017,
        labels=('cat "a"', "V\u00f6gel\\", "", "dog"),
    )
    folder = _written(text, tmp_path, pictures=rules)
    pixels = np.random.default_rng(0).integers(0, 256, (21, 9, 3)[: 2 + channels // 2], np.uint8)
    np.save(folder / "pixels.npy", pixels)
    code = (
        "from net import picture, classes; import numpy as np, json;"
        "np.save('x.npy', picture(np.load('pixels.npy')).numpy()); print(json.dumps(classes))"
    )
    assert json.loads(_python(code, folder)) == list(rules.labels)
    swap = (2, 1, 0) if channels == 3 else ()
    wanted = Preprocessing(
        "data", (12, 10), swap, 255.0, tuple(map(float, rules.mean)), input_scale=0.017
    )
    shown = pixels.reshape(21, 9, channels).astype(np.float32) / 255
    np.testing.assert_allclose(
        np.load(folder / "x.npy")[0], wanted.apply(shown, (6, 8)), rtol=1e-5, atol=1e-5
    )


def test_a_mean_picture_is_refused(tmp_path: Path) -> None:
    rules = PictureRules(mean=np.zeros((1, 28, 28), np.float32))
    with pytest.raises(RoasteryError, match="holds no mean picture"):
        _written(lenet(1), tmp_path, pictures=rules)
    assert not (tmp_path / "net").exists()


def test_writing_needs_no_torch_and_the_module_no_roastery(tmp_path: Path) -> None:
    (tmp_path / "model.prototxt").write_text(lenet(1))
    export = (
        "import sys; sys.modules['torch'] = None; from roastery.cli.main import main;"
        "sys.exit(main(['export', 'model.prototxt', '--format=torch', '--output=net']))"
    )
    _python(export, tmp_path)
    load = (
        "from net import Net; import sys; net = Net.load(); rooms = {'ir', 'compiler', 'runtime',"
        "'frontends', 'roastery'}; print(rooms & {n.partition('.')[0] for n in sys.modules})"
    )
    assert _python(load, tmp_path / "net") == "set()\n"


def _same_as_the_reference(text: str, tmp_path: Path, call: str) -> str:
    """Export, load and run as a user does, with the weights of the file. Returns the module."""
    folder = _written(text, tmp_path)
    program = lowered(text, "TEST")
    values = {}
    rng = np.random.default_rng(1)
    for port in program.graph.inputs:
        if port.role is Role.DATA:
            values[port.name] = rng.standard_normal(port.value.shape).astype(np.float32)
    np.save(folder / "x.npy", values["data"])
    code = (
        "import numpy as np, torch; from net import Net; x = torch.tensor(np.load('x.npy'));"
        f"net = Net.load(); y = {call}; np.save('y.npy', y.detach().numpy())"
    )
    _python(code, folder)
    from safetensors.numpy import load_file

    from compiler.pytorch.module import write_module

    weights = load_file(folder / "net.safetensors")
    tensors = write_module(program, {}, "0").tensors
    values |= {variable: weights[name] for name, variable in tensors.items()}
    found = run_graph(program.graph, [values[p.name] for p in program.graph.inputs])
    assert np.abs(np.load(folder / "y.npy") - found[0]).max() <= 1e-5
    return (folder / "net.py").read_text()


def test_shared_parameters_are_stored_once_and_stay_shared(tmp_path: Path) -> None:
    shared = 'param { name: "w" } param { name: "b" }'
    text = inputs(data=(3, 6)) + dense("one", "data", 6, shared) + dense("two", "one", 6, shared)
    module = _same_as_the_reference(text, tmp_path, "net(x)")
    assert "self.two.weight = self.one.weight" in module
    count = "from net import Net; print(len(list(Net.load().parameters())))"
    assert _python(count, tmp_path / "net") == "2\n"


def test_frozen_parameters_ask_for_no_gradient(tmp_path: Path) -> None:
    frozen = "param { lr_mult: 0 } param { lr_mult: 2 decay_mult: 0 }"
    text = inputs(data=(3, 6)) + dense("one", "data", 6, frozen)
    module = _same_as_the_reference(text, tmp_path, "net(x)")
    assert '"one.bias": (2.0, 0.0)' in module
    code = "from net import Net; print([p.requires_grad for p in Net.load().parameters()])"
    assert _python(code, tmp_path / "net") == "[False, True]\n"


def test_any_name_becomes_one_of_pythons(tmp_path: Path) -> None:
    """Words of Python and of PyTorch, digits, quotes, line ends; names that are spelled alike."""
    text = (
        'name: "a \\"quoted\\" \\\\ name\\n\'\'\'"\n'
        + inputs(data=(2, 3, 9, 9))
        + conv("1x1/reduce", "data", 4, 1)
        + relu("1x1/reduce")
        + conv("1x1_reduce", "1x1/reduce", 4, 3)
        + layer("class", "Power", "1x1_reduce", "power_param { shift: 1 }", top="self")
        + layer("forward", "Eltwise", "self 1x1_reduce", "eltwise_param { operation: MAX }", "max")
        + layer("train", "LRN", "max", "lrn_param { norm_region: WITHIN_CHANNEL }", "larger")
        + layer("scale", "Bias", "larger", "", "torch")
        + pool("F", "torch", "pool: MAX kernel_size: 2 stride: 2")
        + layer('it\'s \\"it\\"', "PReLU", "F", "", 'é\\u202e"')
    ).replace('é\\u202e"', "out")
    module = _same_as_the_reference(text, tmp_path, "net(x)")
    assert "self.x1x1_reduce = nn.Conv2d(3, 4, 1)" in module
    assert "self.x1x1_reduce_2 = nn.Conv2d(4, 4, 3)" in module


def test_several_outputs_are_a_dictionary(tmp_path: Path) -> None:
    text = inputs(data=(2, 6)) + layer(
        "cut", "Slice", "data", "slice_param { slice_point: 2 }", "a b"
    )
    module = _same_as_the_reference(text, tmp_path, "net(x)['a']")
    assert 'return {"a": a, "b": b}' in module
