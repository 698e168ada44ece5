"use strict";
// The panel beside the drawing: tabs, and what is known of the layer that was chosen.

let chosen = null; // the number of a layer
let tab = "Layer";
let told = ""; // the tab and the layer that the panel shows

function tabNames() {
  const names = ["Layer", "Table", "Compiler", "Memory", "Weights"];
  if (DATA.curves || DATA.live) names.push("Curves");
  return names;
}

function showTabs() {
  byId("tabs").replaceChildren(...tabNames().map((name) => html("button", {
    role: "tab", id: "tab-" + name.toLowerCase(), "aria-selected": String(name === tab), "aria-controls": "content",
    tabindex: name === tab ? 0 : -1,
    onclick: () => showTab(name),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const names = tabNames();
      showTab(names[(names.indexOf(name) + step + names.length) % names.length]);
      byId("tab-" + tab.toLowerCase()).focus();
    },
  }, name)));
}

function showTab(name) {
  tab = name;
  showTabs();
  showContent();
}

function showContent() {
  const makers = {
    Layer: layerContent, Table: tableContent, Compiler: compilerContent, Memory: memoryContent,
    Weights: weightsContent, Curves: curvesContent,
  };
  const content = byId("content");
  const buttons = () => [...content.querySelectorAll("button, summary")];
  const focused = buttons().indexOf(document.activeElement);
  const label = focused < 0 ? "" : document.activeElement.textContent;
  content.replaceChildren(makers[tab]());
  content.setAttribute("aria-labelledby", "tab-" + tab.toLowerCase());
  if (told !== `${tab} ${chosen}`) content.scrollTop = 0;
  told = `${tab} ${chosen}`;
  // Who pressed a button by a key goes on from it.
  const again = buttons()[focused];
  if (again && again.textContent === label) again.focus({ preventScroll: true });
}

// Choose a layer: open what it is in, mark it, tell of it.
function chooseLayer(number) {
  chosen = number;
  if (openAround(nodeOfLayer[number])) draw();
  else showChosen();
  lookAt(shownAs(nodeOfLayer[number]));
  if (tab === "Table" || tab === "Curves") tab = "Layer";
  showTabs();
  showContent();
  say(`${LAYERS[number].name}, ${LAYERS[number].type}`);
  try {
    history.replaceState(null, "", "#" + encodeURIComponent(LAYERS[number].name));
  } catch { /* a name that is no text, or a place that has no history */ }
}

function showChosen() {
  const key = chosen === null ? null : shownAs(nodeOfLayer[chosen]);
  for (const box of document.querySelectorAll(".node")) {
    const is = box.dataset.key === key;
    box.classList.toggle("chosen", is);
    box.setAttribute("tabindex", is ? 0 : -1);
  }
  for (const line of document.querySelectorAll(".edge")) {
    line.classList.toggle("near", line.dataset.from === key || line.dataset.to === key);
  }
}

function layerLink(number) {
  return html("button", { class: "link", onclick: () => chooseLayer(number) }, LAYERS[number].name || "(no name)");
}

function heading() {
  const layer = LAYERS[chosen];
  return html("h2", {}, layer.name || "(no name)", " ", html("span", { class: "soft" }, layer.type));
}

function nothingChosen(what) {
  return html("div", {}, html("p", { class: "soft" }, `Choose a layer in the drawing, by search ( / ) or in the table, to see ${what}.`));
}

// The layers that make a blob before a layer, or read one behind it, up to where it is made anew.
function makersOf(number, blob) {
  for (let n = number - 1; n >= 0; n -= 1) if (LAYERS[n].tops.some((top) => top.name === blob)) return [n];
  return [];
}

function readersOf(number, blob) {
  const found = [];
  for (let n = number + 1; n < LAYERS.length; n += 1) {
    if (LAYERS[n].bottoms.some((bottom) => bottom.name === blob)) found.push(n);
    if (LAYERS[n].tops.some((top) => top.name === blob)) break;
  }
  return found;
}

function blobList(number, blobs, others) {
  const list = html("dl");
  for (const blob of blobs) {
    const links = others(number, blob.name).flatMap((n, i) => [i ? ", " : " ", layerLink(n)]);
    list.append(html("dt", {}, blob.name), html("dd", {}, shapeText(blob.shape), ...links));
  }
  return list;
}

function layerContent() {
  if (chosen === null) return netContent();
  const layer = LAYERS[chosen];
  const share = DATA.totals.multiply_adds ? ` (${((100 * layer.multiply_adds) / DATA.totals.multiply_adds).toFixed(1)} %)` : "";
  const parts = [
    heading(),
    facts([
      ["Parameters", layer.parameters ? `${countText(layer.parameters)}, ${byteText(layer.parameter_bytes)}` : ""],
      ["Shared", layer.shared_parameters ? `${countText(layer.shared_parameters)} of an earlier layer` : ""],
      ["Multiply-adds", layer.multiply_adds ? countText(layer.multiply_adds) + share : ""],
      ["Memory of tops", layer.bytes ? byteText(layer.bytes) : "none of its own"],
      ["Receptive field", layer.field],
      ["Note", DATA.unrun.includes(layer.name) ? "runs on the host; it was not asked what it does" : ""],
    ]),
  ];
  if (layer.bottoms.length) parts.push(html("h3", {}, "Reads"), blobList(chosen, layer.bottoms, makersOf));
  if (layer.tops.length) parts.push(html("h3", {}, "Makes"), blobList(chosen, layer.tops, readersOf));
  const together = DATA.nodes[nodeOfLayer[chosen]].filter((n) => n !== chosen);
  if (together.length) {
    parts.push(html("h3", {}, "In one box with"), html("p", {}, ...together.flatMap((n, i) => [i ? ", " : "", layerLink(n)])));
  }
  parts.push(html("h3", {}, "Prototxt"), html("pre", { id: "prototxt" }, layer.prototxt));
  return html("div", {}, ...parts);
}

function netContent() {
  const totals = DATA.totals;
  return html("div", {},
    html("h2", {}, DATA.name || "net"),
    facts([
      ["Phase", DATA.phase],
      ["Layers", countText(totals.layers)],
      ["Parameters", `${countText(totals.parameters)}, ${byteText(totals.parameter_bytes)}`],
      ["Multiply-adds", countText(totals.multiply_adds)],
      ["Memory of tops", byteText(totals.bytes)],
    ]),
    ...DATA.sizes.map((sentence) => html("p", { class: "soft" }, sentence)),
    html("p", { class: "soft" }, "Click a box, or move with the arrow keys; Enter or a double click opens and closes blocks; / searches; ? tells the keys."));
}

const COLUMNS = [
  ["Layer", (layer) => layer.name, false],
  ["Type", (layer) => layer.type, false],
  ["Tops", (layer) => layer.tops.map((top) => shapeText(top.shape)).join(" "), false, (layer) => elements(layer.tops)],
  ["Parameters", (layer) => layer.parameters, true],
  ["Multiply-adds", (layer) => layer.multiply_adds, true],
  ["Bytes", (layer) => layer.bytes, true],
  ["Field", (layer) => layer.field, false, (layer) => fieldSize(layer.receptive_field)],
]; // a name, what stands there, whether it is a number, and what is sorted by if that is another

function elements(blobs) {
  return blobs.reduce((all, blob) => all + blob.shape.reduce((product, extent) => product * extent, 1), 0);
}

// None is smaller than all others, a whole axis larger.
function fieldSize(field) {
  if (field === null) return -1;
  return (field === "whole" ? ["whole"] : field).reduce((product, extent) => product * (extent === "whole" ? Infinity : extent), 1);
}

let sorted = null; // [column, down]

function tableContent() {
  const rows = [...LAYERS.keys()];
  if (sorted) {
    const [column, down] = sorted;
    const value = COLUMNS[column][3] || COLUMNS[column][1];
    rows.sort((a, b) => {
      const [x, y] = [value(LAYERS[a]), value(LAYERS[b])];
      return (x < y ? -1 : x > y ? 1 : a - b) * (down ? -1 : 1);
    });
  }
  const head = COLUMNS.map(([name, , number, other], column) => html("th", { scope: "col" }, html("button", {
    onclick: () => {
      sorted = sorted && sorted[0] === column ? [column, !sorted[1]] : [column, number || other !== undefined];
      showContent();
    },
  }, name)));
  const body = rows.map((number) => html("tr", { class: number === chosen ? "chosen" : null, onclick: () => chooseLayer(number) },
    ...COLUMNS.map(([, value, isNumber], column) => {
      const text = isNumber ? (value(LAYERS[number]) ? countText(value(LAYERS[number])) : "") : value(LAYERS[number]);
      return html("td", { class: isNumber ? "number" : null }, column === 0 ? layerLink(number) : text);
    })));
  return html("table", { id: "table" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...body));
}
