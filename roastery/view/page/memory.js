"use strict";
// The memory plan over time: steps to the right, addresses upwards, a rectangle for a buffer.

const MOST_RECTANGLES = 4000;

function memoryPicture(memory, own) {
  const [width, height, left, below] = [600, 340, 62, 22];
  const steps = Math.max(memory.steps.length, 1);
  const x = (step) => left + (step / steps) * (width - left - 6);
  const y = (address) => 6 + (1 - address / Math.max(memory.bytes, 1)) * (height - below - 6);
  const chart = svg("svg", { class: "chart", id: "memory", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `where ${memory.buffers.length} buffers lie in ${memory.steps.length} steps` });
  memory.buffers.slice(0, MOST_RECTANGLES).forEach((buffer, i) => {
    const mine = own.has(buffer.id);
    const rectangle = svg("rect", {
      x: x(buffer.first).toFixed(2), y: y(buffer.offset + buffer.bytes).toFixed(2),
      width: Math.max(x(buffer.last + 1) - x(buffer.first), 0.5).toFixed(2),
      height: Math.max(y(buffer.offset) - y(buffer.offset + buffer.bytes), 0.5).toFixed(2),
      fill: mine ? "var(--mark)" : `hsl(${(i * 137.5) % 360} 35% 60%)`,
      "fill-opacity": own.size && !mine ? 0.25 : 0.85, stroke: "var(--panel)", "stroke-width": 0.4,
      class: mine ? "own" : null,
    }, svg("title", {}, `${buffer.name}: ${buffer.type}, ${byteText(buffer.bytes)} at ${countText(buffer.offset)}, steps ${buffer.first} to ${buffer.last}`));
    chart.append(rectangle);
  });
  for (let quarter = 0; quarter <= 4; quarter += 1) {
    const address = (memory.bytes * quarter) / 4;
    chart.append(svg("line", { class: "axis", x1: left, x2: width - 6, y1: y(address), y2: y(address) }),
      svg("text", { x: left - 4, y: y(address) + 3, "text-anchor": "end" }, byteText(Math.round(address))));
  }
  chart.append(svg("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, `steps 0 to ${steps - 1}`));
  return { chart, x, height, below };
}

function memoryContent() {
  if (!DATA.compilers.length) return html("p", { class: "soft" }, "The page was made without it (--targets none).");
  const compiler = DATA.compilers[compilerNumber];
  const { memory } = compiler;
  const mine = chosen === null ? [] : [...memory.steps.keys()].filter((step) => memory.steps[step].layers.includes(chosen));
  const own = new Set(mine.flatMap((step) => memory.steps[step].uses));
  const { chart, x, height, below } = memoryPicture(memory, own);
  for (const step of mine) {
    chart.append(svg("rect", { x: x(step), width: Math.max(x(step + 1) - x(step), 1), y: height - below, height: 4, fill: "var(--mark)" },
      svg("title", {}, memory.steps[step].label)));
  }
  const parts = [
    compilerChoice(showContent),
    html("p", {}, `One arena of ${byteText(memory.bytes)} in ${memory.steps.length} steps; at least ${byteText(memory.least)} are in use at one time. Parameters, inputs and outputs lie outside.`),
    chart,
  ];
  if (chosen === null) return html("div", {}, ...parts, nothingChosen("its steps, and the buffers that they use"));
  const buffers = memory.buffers.filter((buffer) => own.has(buffer.id));
  parts.push(html("h3", {}, mine.length ? `Steps of this layer: ${mine.map((s) => `${s} (${memory.steps[s].label})`).join(", ")}` : "No step is this layer's own"));
  if (buffers.length) {
    parts.push(html("table", {},
      html("thead", {}, html("tr", {}, ...["Buffer", "Bytes", "Offset", "Steps"].map((word) => html("th", { scope: "col" }, word)))),
      html("tbody", {}, ...buffers.map((b) => html("tr", {}, html("td", {}, b.name), html("td", { class: "number" }, countText(b.bytes)),
        html("td", { class: "number" }, countText(b.offset)), html("td", { class: "number" }, `${b.first}–${b.last}`))))));
  }
  return html("div", {}, heading(), ...parts);
}
