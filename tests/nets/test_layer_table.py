"""docs/layers.md is what the registry says, and the registry says what is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from frontends.lowering.known_layers import layer_types
from frontends.schema.registry import message_type
from ir.errors import RoasteryError
from ir.op import Property
from roastery.cli.main import main
from roastery.inspection import layer_table
from roastery.reading import nets
from runtime.data.config import SourceConfig
from runtime.data.sources import source_kinds
from tests.support.layer_cases import all_cases
from tests.support.lowering import program_of

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == layer_table.markdown(), (
        "run: python -m roastery layers --markdown > docs/layers.md"
    )


def test_every_layer_of_caffe_is_there() -> None:
    own = [kind for kind in layer_types().values() if not kind.fork]
    assert len(own) == 61


def test_parameters_are_fields_of_layers() -> None:
    fields = message_type("LayerParameter").fields
    for kind in layer_types().values():
        for name in (kind.param, *kind.also):
            assert not name or name in fields, f"{kind.name}: {name}"


def test_where_layers_run() -> None:
    """Layers whose records need the host to compute are those that say so.

    That rows are counted needs none: nothing of them is computed there.
    """
    # No records: they need files, and what a program gives in training.
    on_host = {"Python", "HDF5Output", "MemoryLoss", "TRT"}
    for case in all_cases():
        program = program_of(nets.net_from_text(case.prototxt), case.phase)
        ops = [node.op for node in program.graph.nodes if node.op.counted_axis is None]
        if any(Property.HOST in op.properties for op in ops):
            on_host.add(case.layer_type)
    assert on_host == {k.name for k in layer_types().values() if k.host and k.fork != "your own"}


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "Pooling", "SoftmaxWithLoss"]) == 0
    text = capsys.readouterr().out
    assert "pool: MAX | AVE | STOCHASTIC, default MAX" in text
    assert "also reads softmax_param" in text
    assert main(["layers"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(layer_types())
    assert main(["layers", "--markdown"]) == 0
    assert capsys.readouterr().out == layer_table.markdown()


def test_the_command_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "Poolign"]) == 1
    assert "did you mean 'Pooling'?" in capsys.readouterr().err


def test_titles() -> None:
    kinds = layer_types()
    titles = [kinds[n].title.split()[0] for n in ("InnerProduct", "LSTM", "ReLU", "BNLL", "ELU")]
    assert titles == ["an", "an", "a", "a", "an"]
    with pytest.raises(RoasteryError, match="an InnerProduct layer takes 1 bottom"):
        program_of(nets.net_from_text('layer { type: "InnerProduct" top: "x" }'), "TEST")


def test_every_data_layer_has_a_source_whose_settings_are_its_fields() -> None:
    fed = {name: kind for name, kind in layer_types().items() if kind.source}
    kinds = {  # without those of other tests
        name: kind for name, kind in source_kinds().items() if kind.__module__.startswith("runtime")
    }
    assert set(kinds) == set(fed)
    common = {field.name for field in dataclasses.fields(SourceConfig)}
    layer = message_type("LayerParameter")
    for name, kind in fed.items():
        blocks = [layer.resolve(layer.fields[block]) for block in (kind.param, *kind.also)]
        known = {field for block in blocks for field in block.fields}
        assert {field.name for field in dataclasses.fields(kinds[name])} - common <= known, name
