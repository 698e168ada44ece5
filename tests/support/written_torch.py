"""Nets written for PyTorch, loaded as a user loads them, and run on arrays of the reference."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from compiler.pytorch.module import WrittenModule, write_module
from frontends.prototxt import Message
from ir.graph import Role
from ir.program import NetProgram

Arrays = dict[str, np.ndarray]

EXACT = 1e-5
"""How far results may be from the reference's, over the largest of them where that is above 1."""


def loaded(text: str, name: str = "written_net") -> types.ModuleType:
    """The file as a module."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


def settings_of(program: NetProgram, message: Message) -> dict[str, Message]:
    """The layers' messages, by their keys."""
    return {info.key: m for info, m in zip(program.layers, message.layer, strict=True)}


class WrittenNet:
    """A program's module, with the values that a run of the reference has.

    Attributes:
        net: the ``nn.Module``, in mode ``eval``, in phase TRAIN in mode ``train``.
    """

    def __init__(self, program: NetProgram, values: Mapping[str, Any], settings: Any) -> None:
        self.program = program
        self.written: WrittenModule = write_module(program, settings, "0")
        self.net: Any = loaded(self.written.text).Net()
        self.net.train(program.phase == "TRAIN")
        self.inputs = {
            p.name: tensor(values[p.name]) for p in program.graph.inputs if p.role is Role.DATA
        }
        with torch.no_grad():
            for name, held in self.tensors().items():
                held.copy_(tensor(values[name]).reshape(held.shape))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers, by the names of variables."""
        named = {**dict(self.net.named_parameters()), **dict(self.net.named_buffers())}
        return {variable: named[name] for name, variable in self.written.tensors.items()}

    def forward(self) -> dict[str, torch.Tensor]:
        found = self.net(*self.inputs.values())
        return found if isinstance(found, dict) else {self.program.outputs[0]: found}

    def gradients(self, seeds: Mapping[str, np.ndarray]) -> Arrays:
        """Diffs of inputs and parameters, by the reference's names."""
        for x in self.inputs.values():
            x.requires_grad_(True)
        found = self.forward()
        sum((found[n] * tensor(s)).sum() for n, s in seeds.items()).backward()  # type: ignore[union-attr]
        leaves = {**self.inputs, **self.tensors()}
        return {n: x.grad.numpy() for n, x in leaves.items() if x.grad is not None}


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.asarray(array, np.float32))


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest, over the largest element where that is above 1."""
    assert found.shape == expected.shape
    if not expected.size:
        return 0.0
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        away = np.where(same, 0.0, np.abs(found - expected))
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    return float(away.max()) / max(1.0, largest)
