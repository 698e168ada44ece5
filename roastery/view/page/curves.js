"use strict";
// Training curves: a chart for each panel, values over iterations.

const MOST_TICKS = 7;
let logarithmic = false;

function ticks(low, high, log) {
  if (log) {
    const found = [];
    const every = Math.max(1, Math.ceil((high - low) / MOST_TICKS)); // powers of ten from one line to the next
    for (let power = Math.ceil(low / every) * every; power <= high; power += every) found.push(power);
    return found.length > 1 ? found : [low, high];
  }
  const span = high - low || 1;
  const step = [1, 2, 5, 10].map((d) => d * 10 ** Math.floor(Math.log10(span / 5))).find((s) => span / s <= 6) || span;
  const found = [];
  // By number: a step may be too small to change what it is added to.
  for (let i = 0, first = Math.ceil(low / step); i <= MOST_TICKS && (first + i) * step <= high + step * 1e-6; i += 1) {
    found.push(Number(((first + i) * step).toPrecision(12)));
  }
  return [...new Set(found)];
}

function chart(panel) {
  const [width, height, left, below] = [600, 260, 56, 24];
  const log = logarithmic && panel.curves.every((curve) => curve.y.every((v) => v === null || v > 0));
  const scale = (value) => (log ? Math.log10(value) : value);
  let [first, most] = [Infinity, -Infinity]; // iterations: those of a second run in one log begin again
  let [low, high] = [Infinity, -Infinity];
  for (const curve of panel.curves) {
    for (const at of curve.x) {
      first = Math.min(first, at);
      most = Math.max(most, at);
    }
    for (const value of curve.y) {
      if (value === null) continue;
      low = Math.min(low, scale(value));
      high = Math.max(high, scale(value));
    }
  }
  if (low > high) return html("p", { class: "soft" }, "None of its numbers is finite.");
  if (low === high) {
    const room = log ? 0.5 : Math.abs(low) / 2 || 0.5;
    [low, high] = [low - room, high + room];
  }
  if (first > most / 2 || most === 0) most = Math.max(most, first + 1);
  else first = 0;
  const x = (value) => left + ((value - first) / (most - first)) * (width - left - 8);
  const y = (value) => 8 + ((high - value) / (high - low)) * (height - below - 8);
  const picture = svg("svg", { class: "chart curve", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${panel.name} over iterations` });
  for (const tick of ticks(low, high, log)) {
    picture.append(svg("line", { class: "axis", x1: left, x2: width - 8, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 4, y: y(tick) + 3, "text-anchor": "end" }, number(log ? 10 ** tick : tick)));
  }
  for (const tick of ticks(first, most, false).filter(Number.isInteger)) picture.append(svg("text", { x: x(tick), y: height - 8, "text-anchor": "middle" }, countText(tick)));
  panel.curves.forEach((curve, i) => {
    let path = "";
    let pen = "M";
    curve.x.forEach((at, n) => {
      if (curve.y[n] === null) {
        pen = "M";
        return;
      }
      path += `${pen}${x(at).toFixed(1)} ${y(scale(curve.y[n])).toFixed(1)}`;
      pen = "L";
    });
    const color = PALETTE[(i + 3) % PALETTE.length];
    picture.append(svg("path", { d: path, fill: "none", stroke: color, "stroke-width": 1.4 }, svg("title", {}, curve.name)));
    const none = (value) => value === null || value === undefined;
    curve.x.forEach((at, n) => { // no line leads to a point alone
      if (!none(curve.y[n]) && none(curve.y[n - 1]) && none(curve.y[n + 1])) {
        picture.append(svg("circle", { cx: x(at).toFixed(1), cy: y(scale(curve.y[n])).toFixed(1), r: 2.5, fill: color }, svg("title", {}, curve.name)));
      }
    });
  });
  return picture;
}

function names(panel) {
  return html("p", { class: "names" }, ...panel.curves.map((curve, i) => {
    const mark = html("i");
    mark.style.background = PALETTE[(i + 3) % PALETTE.length];
    const last = curve.y.filter((v) => v !== null).pop();
    return html("span", {}, mark, curve.name, last === undefined ? "" : ` ${number(last)}`);
  }));
}

function curvesContent() {
  if (!DATA.curves || !DATA.curves.length) return html("p", { class: "soft" }, DATA.live ? "The log has no numbers yet." : "There is no log here: roastery view NET --log train.log shows one.");
  return html("div", {},
    html("div", { class: "stages" }, html("button", { "aria-pressed": String(logarithmic), onclick: () => {
      logarithmic = !logarithmic;
      showContent();
    } }, "Logarithmic")),
    ...DATA.curves.flatMap((panel) => [html("h3", {}, panel.name), chart(panel), names(panel)]));
}
