"use strict";
// Begin: the heading, the drawing, what the address names.

// The layer that stands behind # in the address.
function chooseAddressed() {
  let name = "";
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch { /* an address that somebody cut off */ }
  const asked = name ? LAYERS.findIndex((layer) => layer.name === name) : -1;
  if (asked >= 0) chooseLayer(asked);
}

function beginning() {
  const totals = DATA.totals;
  byId("title").textContent = DATA.name || "net";
  byId("title").title = DATA.name || "net";
  byId("totals").textContent = `${DATA.phase}: ${manyText(totals.layers, "layer")}, ${shortCount(totals.parameters)} parameters, ` +
    `${shortCount(totals.multiply_adds)} multiply-adds, tops of ${byteText(totals.bytes)}`;
  legend();
  if (DATA.nodes.length <= DATA.openAtFirst) openAll();
  draw();
  fitBeginning();
  showTabs();
  showContent();
  startMoving();
  startPrinting();
  startSearch();
  startKeys();
  chooseAddressed();
  addEventListener("hashchange", chooseAddressed);
  if (DATA.live) ask();
  document.body.dataset.ready = "yes";
}

beginning();
