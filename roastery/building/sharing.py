"""Parameters that a net takes over from another."""

from __future__ import annotations

from ir.errors import RoasteryError
from ir.program import NetProgram
from ir.types import shape_text
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store

from ..weights.same_names import matched


def shared_buffers(
    program: NetProgram, owner: NetProgram, store: Store
) -> tuple[dict[str, Buffer], list[str]]:
    """Parameters that a net takes over from ``owner`` by layer name, and layers that it lacks.

    Caffe: Net::ShareTrainedLayersWith.
    """
    shared: dict[str, Buffer] = {}
    missing = []
    for source, target in matched(owner.layers, program.layers):
        if target is None:
            missing.append(source.name)
            continue
        if len(target.variables) != len(source.variables):
            raise RoasteryError(
                f"layer '{source.name}' has {len(source.variables)} blob(s) in the train net and "
                f"{len(target.variables)} in this one, so they cannot be shared",
                location=target.location,
            )
        for index, (mine, theirs) in enumerate(
            zip(target.variables, source.variables, strict=True)
        ):
            have, want = owner.variables[theirs].type, program.variables[mine].type
            if have.shape != want.shape:
                raise RoasteryError(
                    f"param {index} of layer '{source.name}' has shape {shape_text(have.shape)} in "
                    f"the train net and {shape_text(want.shape)} in this one, so it cannot be "
                    "shared",
                    location=target.location,
                    hint="layers of equal names share their parameters; rename one of them",
                )
            shared[mine] = store.data[theirs]
    return shared, missing
