"""Kernels before they are text: nodes, how groups are scheduled as nodes, what every target shares.

:mod:`.nodes` says what a kernel is made of, :mod:`.builder` makes it, :mod:`.emitter` writes the
elements of a group's values by the rules in ``rules``, ``schedules`` decide the loops around them.
A target is a printer of nodes.
"""
