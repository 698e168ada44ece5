"""CaffeConTroll (HazyResearch/CaffeConTroll): src/parser/cnn.proto."""

from __future__ import annotations

from ..registry import extend_enum, extend_message
from ..types import optional

for _number in range(4):
    extend_message(
        "LayerParameter",
        optional("float", f"gpu_{_number}_batch_proportion", execution_only=True),
        optional("float", f"gpu_{_number}_depth_proportion", execution_only=True),
    )
extend_message(
    "SolverParameter",
    optional("int32", "test_display", default=10000, execution_only=True),
)
extend_enum("SolverParameter.SolverMode", "CPU_AND_GPU")
