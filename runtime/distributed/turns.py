"""Which tests ranks can share out."""

from __future__ import annotations

from ir.op import Property
from ir.program import NET_STATE, NetProgram


def takes_turns(program: NetProgram) -> bool:
    """Whether each batch of a test can be any rank's.

    Where a layer has an effect (a Python layer, a file that is written), remembers what came
    before, or is fed by the user, all batches are rank 0's.
    """
    sources = [layer.source for layer in program.layers if layer.source is not None]
    effects = (Property.EFFECT in node.op.properties for node in program.graph.nodes)
    hidden = (v.index < 0 and v.name not in NET_STATE for v in program.variables.values())
    shared = bool(sources) and all(source.can_take_turns for source in sources)
    return shared and not any((*effects, *hidden))
