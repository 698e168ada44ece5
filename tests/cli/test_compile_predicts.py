"""``roastery compile --target sm_90`` predicts what kernels take."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.target import typical
from roastery.cli.main import main
from roastery.inspection.compilation import compile_program
from roastery.inspection.predicted import PredictedNet, predicted_net
from roastery.reading import nets
from tests.support.lowering import program_of
from tests.support.sample_nets import conv, dense, inputs, layer, pool, recurrent

POINTWISE = inputs(x=(4, 8)) + layer("own", "Power", "x", "power_param { scale: 2 }")
IMAGES = (
    inputs(x=(2, 16, 12, 12))
    + conv("conv", "x", 32, 3)
    + pool("pool", "conv", "pool: MAX kernel_size: 2 stride: 2")
    + dense("ip", "pool", 5)
)


def predicted(text: str, capability: int = 90, precision: str = "float32") -> PredictedNet:
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
    target = typical(Architecture(capability))
    compiled = compile_program(program, CompileOptions(target, precision)).compiled
    return predicted_net(compiled, target, precision)


def test_each_target_has_its_table_and_its_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, numbers = tmp_path / "net.prototxt", tmp_path / "numbers" / "net.json"
    net.write_text(f'name: "doubled"\n{POINTWISE}')
    flags = ["--target=sm_80,sm_90", f"--json={numbers}", f"--dump={tmp_path / 'out'}"]
    assert main(["compile", str(net), *flags]) == 0
    shown = capsys.readouterr().out
    for device in ("A100 (cuda:sm_80)", "H100 SXM (cuda:sm_90)"):
        (line,) = (line for line in shown.splitlines() if device in line)
        assert "predicted" in line and "nothing measured" in line and "roofline" in line
    assert len(re.findall(r"^predicted ms +roofline ms +MB +GFLOP +bound by", shown, re.M)) == 2
    document = json.loads(numbers.read_text())
    assert document["net"] == "doubled"
    for one, capability in zip(document["predictions"], (80, 90), strict=True):
        assert one["target"] == f"cuda:sm_{capability}" and one["measured"] is False
        (kernel,) = one["kernels"]
        assert kernel["bytes"] == one["bytes"] == 2 * 4 * 32
        assert 0 < kernel["roofline_ms"] < kernel["predicted_ms"] == one["predicted_ms"]
    written = (tmp_path / "out" / "predicted.txt").read_text()
    assert written in shown


def test_numbers_need_a_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(POINTWISE)
    assert main(["compile", str(net), f"--json={tmp_path / 'net.json'}"]) == 1
    assert "--json has predictions for GPUs: name some by --target" in capsys.readouterr().err


def test_sums_are_those_of_the_rows() -> None:
    found = predicted(IMAGES)
    times = [row.seconds for row in found.rows]
    assert times == sorted(times, reverse=True)
    document = found.json()
    for total, each in (("predicted_ms", "predicted_ms"), ("bytes", "bytes"), ("flops", "flops")):
        assert document[total] == pytest.approx(sum(row[each] for row in document["kernels"]))
    assert document["flops"] == 2 * (2 * 10 * 10 * 32 * 16 * 9 + 2 * 32 * 25 * 5)
    assert sum(document["bound_ms"].values()) == pytest.approx(document["predicted_ms"])


def test_a_net_without_kernels() -> None:
    found = predicted(inputs(x=(4, 8)))
    assert (found.rows, found.seconds, found.nbytes) == ([], 0.0, 0)
    assert str(found) == "predicted for H100 SXM (cuda:sm_90): nothing runs there\n"


def test_launches_of_loops_count_every_turn() -> None:
    few, many = (predicted(recurrent(steps)) for steps in (2, 12))
    assert many.launches > few.launches and many.seconds > few.seconds
    # two layers, alike
    assert any("(x24)" in line for line in str(many).splitlines())


def test_precision_decides() -> None:
    large = inputs(x=(4096, 4096)) + dense("ip", "x", 4096)
    times = [predicted(large, precision=p).seconds for p in ("bfloat16", "tf32", "float32", "ieee")]
    assert times == sorted(times) and times[0] < times[-1] / 4
