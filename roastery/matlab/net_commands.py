"""Commands of nets and layers. Caffe: matlab/+caffe/Net.m, Layer.m, private/caffe_.cpp."""

from __future__ import annotations

from ir.errors import RoasteryError

from .. import caffe
from ..caffe.net import Net
from .arguments import MexArguments
from .objects import OBJECTS
from .results import NOTHING, Result, mx_cells, mx_column, mx_handles, mx_record, mx_row, mx_text

_PHASES = {"train": caffe.TRAIN, "test": caffe.TEST}


def held_net(given: MexArguments, place: int = 0) -> Net:
    """The net that a handle refers to."""
    net: Net = OBJECTS.find("Net", given.handle(place)).thing
    return net


def _get_net(given: MexArguments) -> Result:
    phase = given.text(1)
    if phase not in _PHASES:
        raise RoasteryError(f"the phase is '{phase}'", hint="'train' or 'test'")
    net = Net(given.path(0), _PHASES[phase])
    return mx_handles(OBJECTS.key, [OBJECTS.add("Net", net)])


def _delete_net(given: MexArguments) -> Result:
    OBJECTS.forget(given.handle(0))
    return NOTHING


def _net_get_attr(given: MexArguments) -> Result:
    held = OBJECTS.find("Net", given.handle(0))
    net, own = held.thing, given.handle(0)[0]
    if "layers" not in held.told:
        held.told["layers"] = [OBJECTS.add("Layer", (net, i), own) for i in range(len(net.layers))]
        held.told["blobs"] = [OBJECTS.add("Blob", blob, own) for blob in net._blobs]
    names, layers = net._layer_names, range(len(net.layers))
    return mx_record(
        {
            "hLayer_layers": mx_handles(OBJECTS.key, held.told["layers"]),
            "hBlob_blobs": mx_handles(OBJECTS.key, held.told["blobs"]),
            "input_blob_indices": mx_column(net._inputs),
            "output_blob_indices": mx_column(net._outputs),
            "layer_names": mx_cells(map(mx_text, names)),
            "blob_names": mx_cells(map(mx_text, net._blob_names)),
            "bottom_id_vecs": mx_cells(mx_row(net._bottom_ids(i)) for i in layers),
            "top_id_vecs": mx_cells(mx_row(net._top_ids(i)) for i in layers),
        }
    )


def _layers_of(given: MexArguments, net: Net, first: int, last: int) -> tuple[int, int]:
    """Numbers of layers: of all, or as given."""
    if len(given) == 1:
        return first, last
    chosen = given.whole(1), given.whole(2)
    for i in chosen:
        if i >= len(net.layers):
            raise RoasteryError(f"there is no layer {i}: the net has {len(net.layers)}")
    return chosen


def _net_forward(given: MexArguments) -> Result:
    net = held_net(given)
    net._forward(*_layers_of(given, net, 0, len(net.layers) - 1))
    return NOTHING


def _net_backward(given: MexArguments) -> Result:
    net = held_net(given)
    net._backward(*_layers_of(given, net, len(net.layers) - 1, 0))
    return NOTHING


def _net_copy_from(given: MexArguments) -> Result:
    held_net(given).copy_from(given.path(1))
    return NOTHING


def _net_reshape(given: MexArguments) -> Result:
    held_net(given).reshape()
    return NOTHING


def _net_save(given: MexArguments) -> Result:
    held_net(given).save(given.path(1))
    return NOTHING


def _net_share_with(given: MexArguments) -> Result:
    held_net(given).share_with(held_net(given, 1))
    return NOTHING


def _net_clear_param_diff(given: MexArguments) -> Result:
    held_net(given).clear_param_diffs()
    return NOTHING


def _layer_get_attr(given: MexArguments) -> Result:
    held = OBJECTS.find("Layer", given.handle(0))
    net, i = held.thing
    if "blobs" not in held.told:
        own = given.handle(0)[0]
        held.told["blobs"] = [OBJECTS.add("Blob", blob, own) for blob in net.layers[i].blobs]
    return mx_record({"hBlob_blobs": mx_handles(OBJECTS.key, held.told["blobs"])})


def _layer_get_type(given: MexArguments) -> Result:
    net, i = OBJECTS.find("Layer", given.handle(0)).thing
    return mx_text(net.runnable.program.layers[i].type)


COMMANDS = {
    "get_net": _get_net,
    "delete_net": _delete_net,
    "net_get_attr": _net_get_attr,
    "net_forward": _net_forward,
    "net_backward": _net_backward,
    "net_copy_from": _net_copy_from,
    "net_reshape": _net_reshape,
    "net_save": _net_save,
    "net_share_with": _net_share_with,
    "net_clear_param_diff": _net_clear_param_diff,
    "layer_get_attr": _layer_get_attr,
    "layer_get_type": _layer_get_type,
}
