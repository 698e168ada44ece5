"""Small files that once brought Roastery down: each is refused in one line, at no cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.measured import Outcome, run_measured

DATA = Path(__file__).parents[1] / "data" / "hostile"

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" }
"""
PICTURES = """
layer { name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param { source: "list.txt" batch_size: 1 new_height: 8 new_width: 8 } }
"""
WINDOWS = f"""
layer {{ name: "data" type: "WindowData" top: "data" top: "label"
  window_data_param {{ source: "{DATA}/windows.txt" batch_size: 2 }}
  transform_param {{ crop_size: 8 }} }}
"""
MEAN = f"""
layer {{ name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param {{ source: "list.txt" batch_size: 1 }}
  transform_param {{ mean_file: "{DATA}/shape_cut.binaryproto" }} }}
"""

CASES = {
    "shape_cut.caffemodel": (
        ["test", "--model=net.prototxt", "--weights", str(DATA / "shape_cut.caffemodel")],
        "is not a weights file: near byte 34, the shape of a blob cannot be read",
    ),
    "upgrade": (
        ["upgrade_net_proto_binary", str(DATA / "shape_cut.caffemodel"), "new.caffemodel"],
        "the shape of a blob cannot be read: the message ends inside a number",
    ),
    "shape_cut.binaryproto": (
        ["time", "--model=mean.prototxt"],
        "is not a mean file: the shape of a blob cannot be read",
    ),
    **{
        name: (["train", "--solver=solver.prototxt", f"--snapshot={DATA / name}"], message)
        for name, message in (
            ("shape_cut.solverstate", "the shape of a blob cannot be read"),
            ("learned_group.solverstate.h5", "learned_net is not a string"),
            ("learned_huge.solverstate.h5", "learned_net is not a string"),
            ("hist_group.solverstate.h5", "'/history/0' is a group; a data set was expected"),
            ("extra_ds.solverstate.h5", "/extra is a data set; a group was expected"),
        )
    },
    "token.npy": (
        ["run", "tiny.roast", f"--input=data={DATA / 'token.npy'}"],
        "token.npy holds no array: ",
    ),
    "json_wide.roast": (
        ["run", str(DATA / "json_wide.roast")],
        "member manifest.json unpacks to 60000021 bytes, too many",
    ),
    "b44.png": (
        ["time", "--model=pictures.prototxt"],
        "it is damaged: its chunk IDAT claims 2147484335 bytes, 3 are left",
    ),
    "windows.txt": (["time", "--model=windows.prototxt"], "found where a corner was expected"),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("field")
    for name, text in (
        ("net", NET),
        ("pictures", PICTURES),
        ("windows", WINDOWS),
        ("mean", MEAN),
        ("solver", 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2'),
    ):
        (folder / f"{name}.prototxt").write_text(text)
    (folder / "list.txt").write_text(f"{DATA}/b44.png 0\n")
    export = ["export", "--model=net.prototxt", "--output=tiny.roast", "--target=cpu"]
    commands = [export, *(words for words, _ in CASES.values())]
    exported, *found = run_measured(commands, folder)
    assert exported.code == 0, exported.err
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused(case: str, outcomes: dict[str, Outcome]) -> None:
    outcome, message = outcomes[case], CASES[case][1]
    assert outcome.code == 1
    error = outcome.err[outcome.err.index("error: ") :]
    assert message in error and "Traceback" not in outcome.err
    assert outcome.mebibytes < 100
