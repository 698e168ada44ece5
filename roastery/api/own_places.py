"""Where layers stand, without the folders of who exports: the same net gives the same artifact."""

from __future__ import annotations

import dataclasses
import os

from ir.graph import Graph
from ir.graph_places import graph_with_places
from ir.location import Location


def without_folder(place: Location) -> Location:
    """The file's name alone, as whoever gets the artifact has other folders."""
    return dataclasses.replace(place, file=os.path.basename(place.file))


def graph_without_folders(graph: Graph) -> Graph:
    """The graph with such locations."""
    return graph_with_places(graph, without_folder)
