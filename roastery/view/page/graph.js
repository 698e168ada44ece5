"use strict";
// The graph as it is shown now: nodes, and blocks in the place of the nodes that they hold.

const BLOCKS = DATA.blocks;
const opened = new Set();

const parentOfBlock = BLOCKS.map(() => null);
BLOCKS.forEach((block, number) => block.blocks.forEach((inner) => { parentOfBlock[inner] = number; }));

// The blocks around each node, the outermost first.
const around = DATA.nodes.map(() => []);
[...BLOCKS.keys()]
  .sort((a, b) => BLOCKS[b].nodes.length - BLOCKS[a].nodes.length)
  .forEach((number) => BLOCKS[number].nodes.forEach((node) => around[node].push(number)));

const nodeOfLayer = [];
DATA.nodes.forEach((layers, node) => layers.forEach((layer) => { nodeOfLayer[layer] = node; }));

// "b3" for a closed block, "n7" for a node.
function shownAs(node) {
  const closed = around[node].find((block) => !opened.has(block));
  return closed === undefined ? "n" + node : "b" + closed;
}

function openAll() {
  BLOCKS.forEach((_, number) => opened.add(number));
}

function openAround(node) {
  const before = opened.size;
  around[node].forEach((block) => opened.add(block));
  return opened.size !== before;
}

// Nodes by key, edges between them without those inside of one, and the open blocks around.
function shownGraph() {
  const nodes = new Map();
  const edges = new Map();
  const boxes = new Map();
  DATA.nodes.forEach((layers, node) => {
    const key = shownAs(node);
    if (!nodes.has(key)) nodes.set(key, { key, layers: [], nodes: [] });
    nodes.get(key).layers.push(...layers);
    nodes.get(key).nodes.push(node);
    for (const block of around[node]) {
      if (!opened.has(block)) break;
      if (!boxes.has(block)) boxes.set(block, new Set());
      boxes.get(block).add(key);
    }
  });
  for (const [tail, head, blob] of DATA.edges) {
    const from = shownAs(tail);
    const to = shownAs(head);
    if (from === to) continue;
    const key = from + " " + to;
    if (!edges.has(key)) edges.set(key, { from, to, blobs: [] });
    edges.get(key).blobs.push(blob);
  }
  return { nodes, edges: [...edges.values()], boxes };
}

function blockOf(key) {
  return key.startsWith("b") ? BLOCKS[Number(key.slice(1))] : null;
}
