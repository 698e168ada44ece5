"use strict";
// What keys do, and clicks on boxes.

const KEYS = [
  ["/", "search"], ["Arrows", "to the next box along or beside the flow; with Shift, move the picture"],
  ["Enter, Space", "choose a box; open or close a block"], ["Esc", "leave the search, or choose nothing"],
  ["+ - 0", "zoom in, out, show all"], ["e, c", "open, close all blocks"], ["t", "turn the drawing"],
  ["1 to 6", "the tabs of the panel"], ["d", "light or dark"], ["?", "these keys"],
];

function showKeys() {
  const dialog = byId("keys");
  dialog.replaceChildren(html("h2", {}, "Keys"), facts(KEYS), html("p", {}, html("button", { onclick: () => dialog.close() }, "Close")));
  if (!dialog.open) dialog.showModal();
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function redraw(change) {
  change();
  draw();
  fitBeginning();
}

function toggleBlock(number) {
  const node = BLOCKS[number].nodes[0];
  if (opened.has(number)) {
    opened.delete(number);
    BLOCKS[number].blocks.forEach((inner) => opened.delete(inner));
  } else opened.add(number);
  draw();
  const inside = shown.boxes.get(number) || [shownAs(node)];
  lookAtAll([...inside].map((key) => places.get(key)));
  focusBox(shownAs(node));
}

function focusBox(key) {
  const box = boxOf(key);
  if (!box) return;
  for (const other of document.querySelectorAll(".node[tabindex='0']")) other.setAttribute("tabindex", -1);
  box.setAttribute("tabindex", 0);
  box.focus({ preventScroll: true });
}

function activate(key) {
  if (key.startsWith("b")) toggleBlock(Number(key.slice(1)));
  else {
    const layers = DATA.nodes[Number(key.slice(1))];
    // Again on the same box: the next of the layers that are in it.
    const next = layers.includes(chosen) ? layers[(layers.indexOf(chosen) + 1) % layers.length] : layers[0];
    chooseLayer(next);
    focusBox(key);
  }
}

// The nearest box along the flow by an edge, or beside it.
function step(key, name) {
  const ahead = direction === "TB" ? "ArrowDown" : "ArrowRight";
  const back = direction === "TB" ? "ArrowUp" : "ArrowLeft";
  const at = places.get(key);
  if (name === ahead || name === back) {
    const next = shown.edges.filter((edge) => (name === ahead ? edge.from : edge.to) === key).map((edge) => (name === ahead ? edge.to : edge.from));
    const far = (k) => Math.abs(places.get(k).x - at.x) + Math.abs(places.get(k).y - at.y);
    return next.sort((a, b) => far(a) - far(b))[0];
  }
  const axis = direction === "TB" ? "x" : "y";
  const other = direction === "TB" ? "y" : "x";
  const sign = name === "ArrowRight" || name === "ArrowDown" ? 1 : -1;
  const found = [...places].filter(([k, p]) => k !== key && sign * (p[axis] - at[axis]) > 1 && Math.abs(p[other] - at[other]) < 80);
  return found.sort((a, b) => Math.abs(a[1][axis] - at[axis]) - Math.abs(b[1][axis] - at[axis])).map(([k]) => k)[0];
}

function onArrow(event) {
  const moves = { ArrowUp: [0, 60], ArrowDown: [0, -60], ArrowLeft: [60, 0], ArrowRight: [-60, 0] };
  const focused = document.activeElement.closest ? document.activeElement.closest(".node") : null;
  event.preventDefault();
  if (event.shiftKey) {
    pan(...moves[event.key]);
    return;
  }
  const from = focused ? focused.dataset.key : null;
  const next = from ? step(from, event.key) : chosen === null ? shown.nodes.keys().next().value : shownAs(nodeOfLayer[chosen]);
  if (!next) return;
  lookAt(next);
  focusBox(next);
}

function onKey(event) {
  const typing = event.target.matches("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const inDrawing = byId("canvas").contains(event.target) || event.target === document.body;
  const focused = event.target.closest(".node");
  if (event.key.startsWith("Arrow") && inDrawing) onArrow(event);
  else if ((event.key === "Enter" || event.key === " ") && focused) {
    event.preventDefault();
    activate(focused.dataset.key);
  } else if (event.key === "/") {
    event.preventDefault();
    byId("search").focus();
    byId("search").select();
  } else if (event.key === "Escape") {
    chosen = null;
    showChosen();
    showContent();
  } else if (event.key === "+" || event.key === "=") zoomBy(1.25);
  else if (event.key === "-") zoomBy(0.8);
  else if (event.key === "0") fit();
  else if (event.key === "e") redraw(openAll);
  else if (event.key === "c") redraw(() => opened.clear());
  else if (event.key === "t") byId("turn").click();
  else if (event.key === "d") turnTheme();
  else if (event.key === "?") showKeys();
  else if (tabNames()[Number(event.key) - 1]) showTab(tabNames()[Number(event.key) - 1]);
}

function startKeys() {
  document.addEventListener("keydown", onKey);
  byId("world").addEventListener("click", (event) => {
    const box = event.target.closest(".node");
    const frame = event.target.closest(".around");
    if (dragged) return;
    if (!box && frame && event.target.tagName === "text") toggleBlock(Number(frame.dataset.block));
    if (!box) return;
    if (box.dataset.key.startsWith("b")) focusBox(box.dataset.key);
    else activate(box.dataset.key);
  });
  byId("world").addEventListener("dblclick", (event) => {
    const box = event.target.closest(".node");
    const frame = event.target.closest(".around");
    if (box && box.dataset.key.startsWith("b")) toggleBlock(Number(box.dataset.key.slice(1)));
    else if (!box && frame && event.target.tagName === "rect") toggleBlock(Number(frame.dataset.block));
  });
  byId("fit").addEventListener("click", fit);
  byId("nearer").addEventListener("click", () => zoomBy(1.25));
  byId("farther").addEventListener("click", () => zoomBy(0.8));
  byId("open-all").addEventListener("click", () => redraw(openAll));
  byId("close-all").addEventListener("click", () => redraw(() => opened.clear()));
  byId("turn").addEventListener("click", () => redraw(() => { direction = direction === "TB" ? "LR" : "TB"; }));
  byId("theme").addEventListener("click", turnTheme);
  byId("help").addEventListener("click", showKeys);
}
