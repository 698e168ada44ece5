"use strict";
// Begin: the heading, the drawing, what the address names.

function beginning() {
  const totals = DATA.totals;
  byId("title").textContent = DATA.name || "net";
  byId("title").title = DATA.name || "net";
  byId("totals").textContent = `${DATA.phase}: ${totals.layers} layers, ${shortCount(totals.parameters)} parameters, ` +
    `${shortCount(totals.multiply_adds)} multiply-adds, tops of ${byteText(totals.bytes)}`;
  legend();
  if (DATA.nodes.length <= DATA.openAtFirst) openAll();
  draw();
  fitBeginning();
  showTabs();
  showContent();
  startMoving();
  startSearch();
  startKeys();
  let name = "";
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch { /* an address that somebody cut off */ }
  const asked = name ? LAYERS.findIndex((layer) => layer.name === name) : -1;
  if (asked >= 0) chooseLayer(asked);
  if (DATA.live) ask();
  document.body.dataset.ready = "yes";
}

beginning();
