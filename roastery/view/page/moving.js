"use strict";
// Zoom and pan: the world's place in the drawing.

const view = { x: 0, y: 0, scale: 1 };
const pointers = new Map();
let dragged = false;

function applyView() {
  byId("world").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
}

function zoomAt(x, y, factor) {
  // What shows all of a long net may be smaller than the smallest that wheels and keys lead to.
  const scale = Math.min(4, Math.max(Math.min(0.02, view.scale), view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  applyView();
}

function zoomBy(factor) {
  const box = byId("drawing").getBoundingClientRect();
  zoomAt(box.width / 2, box.height / 2, factor);
}

function fit() {
  const box = byId("drawing").getBoundingClientRect();
  const height = Math.max(box.height - byId("legend").offsetHeight, box.height / 2);
  view.scale = Math.min(1.2, box.width / size.width, height / size.height) * 0.98 || 1;
  view.x = (box.width - size.width * view.scale) / 2;
  view.y = (height - size.height * view.scale) / 2;
  applyView();
}

// A long net is shown from its beginning, at a size that can be read.
function fitBeginning() {
  fit();
  if (view.scale >= 0.6) return;
  const box = byId("drawing").getBoundingClientRect();
  const first = places.get(shown.nodes.keys().next().value);
  view.scale = 0.8;
  view.x = direction === "TB" ? box.width / 2 - first.x * view.scale : 10;
  view.y = direction === "TB" ? 10 : box.height / 2 - first.y * view.scale;
  applyView();
}

function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  applyView();
}

// Bring a box into sight, and close enough to be read.
function lookAt(key) {
  const at = places.get(key);
  if (at) lookAtAll([at]);
}

// Bring some boxes into sight: what is larger than the drawing from its beginning.
function lookAtAll(boxes) {
  const box = byId("drawing").getBoundingClientRect();
  if (view.scale < 0.5) view.scale = 0.9;
  const edge = (sign, axis, length) => Math[sign > 0 ? "max" : "min"](...boxes.map((b) => b[axis] + (sign * b[length]) / 2));
  for (const [axis, length] of [["x", "width"], ["y", "height"]]) {
    const begin = edge(-1, axis, length) * view.scale;
    const end = edge(1, axis, length) * view.scale;
    if (begin + view[axis] >= 8 && end + view[axis] <= box[length] - 8) continue;
    view[axis] = end - begin > box[length] - 16 && boxes.length > 1 ? 8 - begin : box[length] / 2 - (begin + end) / 2;
  }
  applyView();
}

// On paper the whole net stands on a page, wherever it was looked at.
function startPrinting() {
  const drawing = byId("drawing");
  addEventListener("beforeprint", () => {
    drawing.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    byId("world").removeAttribute("transform");
  });
  addEventListener("afterprint", () => {
    drawing.removeAttribute("viewBox");
    applyView();
  });
}

function startMoving() {
  const drawing = byId("drawing");
  drawing.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = drawing.getBoundingClientRect();
    const step = event.deltaMode === 1 ? event.deltaY * 20 : event.deltaY;
    zoomAt(event.clientX - box.left, event.clientY - box.top, Math.exp(-step / 400));
  }, { passive: false });
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = false;
  });
  drawing.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (!event.buttons) { // let go where nobody told: beside the page, over a menu
      pointers.delete(event.pointerId);
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    if (pointers.size === 1) {
      if (!dragged && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
      if (!dragged) drawing.setPointerCapture(event.pointerId);
      dragged = true;
      drawing.classList.add("moved");
      pan(now.x - before.x, now.y - before.y);
    } else if (pointers.size === 2) {
      dragged = true;
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const box = drawing.getBoundingClientRect();
      const factor = Math.hypot(now.x - other.x, now.y - other.y) / (Math.hypot(before.x - other.x, before.y - other.y) || 1);
      zoomAt((now.x + other.x) / 2 - box.left, (now.y + other.y) / 2 - box.top, factor);
    }
    pointers.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      drawing.classList.remove("moved");
    });
  }
}
