"""What others wrote and the page needs, unmodified, under its own licence.

``dagre.min.js``: places the nodes of graphs; @dagrejs/dagre 3.1.3 by Chris Pettitt and others, with
the graphlib that it holds, from https://github.com/dagrejs/dagre, as npm has it. MIT, as LICENSE
and ``dagre.min.js.LEGAL.txt`` say.
"""
