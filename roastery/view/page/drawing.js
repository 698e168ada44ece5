"use strict";
// The picture of the net: places by dagre, boxes and curves as SVG.

const LINE = 15;
const CLUSTERED = 220; // nodes, up to which blocks get room of their own
const measure = document.createElement("canvas").getContext("2d");

let direction = "TB";
let shown = shownGraph();
let places = new Map();
let size = { width: 1, height: 1 };

function textWidth(text, bold) {
  measure.font = (bold ? "600 12px " : "12px ") + "system-ui, Helvetica, Arial, sans-serif";
  return measure.measureText(text).width * 1.04;
}

function shortened(text, most) {
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}

// The lines of text of a box, with the class of each.
function linesOf(node) {
  const block = blockOf(node.key);
  if (block) {
    const last = LAYERS[node.layers[node.layers.length - 1]];
    return [
      ["name", shortened(block.name, 40) + (block.times > 1 ? ` ×${block.times}` : "")],
      ["more", `${node.layers.length} layers, ${shortCount(sum(node.layers, "parameters"))} parameters`],
      ["more", last.tops.map((top) => shapeText(top.shape)).join(" ")],
    ];
  }
  const [first, ...others] = node.layers.map((number) => LAYERS[number]);
  const lines = [
    ["name", shortened(first.name || "(no name)", 40)],
    ["more", shortened([first.type, first.note].filter(Boolean).join(" · "), 56)],
  ];
  if (first.tops.length) {
    lines.push(["more", shortened(first.tops.map((top) => shapeText(top.shape)).join("  "), 48)]);
  }
  if (others.length) lines.push(["more", shortened("then " + others.map((layer) => layer.type).join(", "), 56)]);
  return lines;
}

function sum(layers, what) {
  return layers.reduce((total, number) => total + LAYERS[number][what], 0);
}

function place() {
  const graph = new dagre.graphlib.Graph({ compound: true, multigraph: false });
  graph.setGraph({ rankdir: direction, nodesep: 26, ranksep: 34, edgesep: 14, marginx: 20, marginy: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of shown.nodes.values()) {
    const lines = linesOf(node);
    const width = Math.max(...lines.map(([kind, text]) => textWidth(text, kind === "name"))) + 28;
    graph.setNode(node.key, { width, height: lines.length * LINE + 12, lines });
  }
  if (shown.nodes.size <= CLUSTERED) cluster(graph);
  for (const edge of shown.edges) graph.setEdge(edge.from, edge.to);
  try {
    dagre.layout(graph);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    placeInRows(graph); // dagre calls itself once for each layer of a chain: too deep for thousands
    return;
  }
  places = new Map();
  for (const key of shown.nodes.keys()) places.set(key, graph.node(key));
  for (const edge of shown.edges) edge.points = graph.edge(edge.from, edge.to).points;
  size = { width: graph.graph().width || 1, height: graph.graph().height || 1 };
}

// A row for each number of edges that lead to a node, without care for edges that cross.
function placeInRows(graph) {
  const sideways = direction === "LR";
  const rowOf = new Map([...shown.nodes.keys()].map((key) => [key, 0]));
  const leaving = new Map([...shown.nodes.keys()].map((key) => [key, []]));
  const waiting = new Map([...shown.nodes.keys()].map((key) => [key, 0]));
  for (const edge of shown.edges) {
    leaving.get(edge.from).push(edge.to);
    waiting.set(edge.to, waiting.get(edge.to) + 1);
  }
  const ready = [...shown.nodes.keys()].filter((key) => !waiting.get(key));
  for (let i = 0; i < ready.length; i += 1) {
    for (const to of leaving.get(ready[i])) {
      rowOf.set(to, Math.max(rowOf.get(to), rowOf.get(ready[i]) + 1));
      waiting.set(to, waiting.get(to) - 1);
      if (!waiting.get(to)) ready.push(to);
    }
  }
  const rows = [];
  for (const [key, row] of rowOf) {
    while (rows.length <= row) rows.push([]);
    rows[row].push(key);
  }
  places = new Map();
  let along = 20;
  let widest = 0;
  for (const row of rows) {
    const boxes = row.map((key) => graph.node(key));
    const thick = Math.max(0, ...boxes.map((box) => (sideways ? box.width : box.height)));
    let across = 20;
    row.forEach((key, i) => {
      const long = sideways ? boxes[i].height : boxes[i].width;
      const [here, there] = [along + thick / 2, across + long / 2];
      places.set(key, { ...boxes[i], x: sideways ? here : there, y: sideways ? there : here });
      across += long + 26;
    });
    widest = Math.max(widest, across);
    along += thick + 34;
  }
  size = sideways ? { width: along, height: widest } : { width: widest, height: along };
  for (const edge of shown.edges) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    edge.points = sideways
      ? [{ x: from.x + from.width / 2, y: from.y }, { x: to.x - to.width / 2, y: to.y }]
      : [{ x: from.x, y: from.y + from.height / 2 }, { x: to.x, y: to.y - to.height / 2 }];
  }
}

function cluster(graph) {
  for (const [block, keys] of shown.boxes) {
    const name = "around " + block;
    graph.setNode(name, {});
    const outer = parentOfBlock[block];
    if (outer !== null && shown.boxes.has(outer)) {
      if (!graph.hasNode("around " + outer)) graph.setNode("around " + outer, {});
      graph.setParent(name, "around " + outer);
    }
    for (const key of keys) {
      const inner = innermost(key);
      if (inner === block) graph.setParent(key, name);
    }
  }
}

// The innermost open block around what is shown under a key.
function innermost(key) {
  const node = shown.nodes.get(key).nodes[0];
  const blocks = around[node].filter((block) => opened.has(block));
  return blocks.length ? blocks[blocks.length - 1] : null;
}

function curve(points) {
  let path = `M${points[0].x.toFixed(1)} ${points[0].y.toFixed(1)}`;
  for (let i = 1; i < points.length - 1; i += 1) {
    const x = (points[i].x + points[i + 1].x) / 2;
    const y = (points[i].y + points[i + 1].y) / 2;
    path += `Q${points[i].x.toFixed(1)} ${points[i].y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  const last = points[points.length - 1];
  return path + `L${last.x.toFixed(1)} ${last.y.toFixed(1)}`;
}

function drawBox(node) {
  const at = places.get(node.key);
  const block = blockOf(node.key);
  const first = LAYERS[node.layers[0]];
  const name = block ? `block ${block.name}, closed` : `${first.name}, ${first.type}`;
  const left = at.x - at.width / 2;
  const top = at.y - at.height / 2;
  const group = svg("g", {
    class: block ? "node block" : "node", "data-key": node.key, tabindex: -1, role: "button", "aria-label": name,
    transform: `translate(${left.toFixed(1)} ${top.toFixed(1)})`,
  });
  const color = colorOf(first.type);
  group.append(
    svg("title", {}, block ? `${block.name}: Enter or a double click opens it` : first.name),
    svg("rect", { class: "box", width: at.width.toFixed(1), height: at.height.toFixed(1), rx: 5 }),
    svg("rect", { width: 5, height: (at.height - 8).toFixed(1), x: 4, y: 4, rx: 2, fill: block ? "var(--soft)" : color }),
  );
  at.lines.forEach(([kind, text], i) => {
    group.append(svg("text", { class: kind, x: 16, y: 18 + i * LINE }, text));
  });
  return group;
}

function drawAround(block, keys) {
  const boxes = [...keys].map((key) => places.get(key));
  const pad = 9;
  const left = Math.min(...boxes.map((b) => b.x - b.width / 2)) - pad;
  const right = Math.max(...boxes.map((b) => b.x + b.width / 2)) + pad;
  const top = Math.min(...boxes.map((b) => b.y - b.height / 2)) - pad - 5;
  const bottom = Math.max(...boxes.map((b) => b.y + b.height / 2)) + pad;
  return svg("g", { class: "around", "data-block": block },
    svg("title", {}, `${BLOCKS[block].name}: a click on its name closes it`),
    svg("rect", { x: left, y: top, width: right - left, height: bottom - top, rx: 8 }),
    svg("text", { x: left + 6, y: top + 11 }, "− " + shortened(BLOCKS[block].name, 40)));
}

function draw() {
  shown = shownGraph();
  place();
  const world = byId("world");
  world.replaceChildren();
  const boxes = [...shown.boxes].sort((a, b) => b[1].size - a[1].size);
  for (const [block, keys] of boxes) world.append(drawAround(block, keys));
  for (const edge of shown.edges) {
    const line = svg("path", { class: "edge", d: curve(edge.points), "data-from": edge.from, "data-to": edge.to });
    line.append(svg("title", {}, [...new Set(edge.blobs)].join(", ")));
    world.append(line);
  }
  for (const node of shown.nodes.values()) world.append(drawBox(node));
  showChosen();
  markFound();
  const first = world.querySelector(".node");
  if (first && !world.querySelector(".node.chosen")) first.setAttribute("tabindex", 0);
}

function boxOf(key) {
  return [...document.querySelectorAll(".node")].find((box) => box.dataset.key === key);
}

function legend() {
  const used = kinds.slice(0, 12).map((type) => {
    const mark = html("i");
    mark.style.background = colorOf(type);
    return html("span", {}, mark, type);
  });
  byId("legend").replaceChildren(...used);
}
