"use strict";
// Weights: histograms, and filters as pictures.

function number(value) {
  return Number(value.toPrecision(4)).toString();
}

function histogram(blob) {
  const width = 420;
  const height = 110;
  const most = Math.max(...blob.bins);
  const each = (width - 20) / blob.bins.length;
  const chart = svg("svg", { class: "chart histogram", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `histogram from ${number(blob.min)} to ${number(blob.max)}` });
  blob.bins.forEach((count, i) => {
    const tall = most ? (count / most) * (height - 30) : 0;
    chart.append(svg("rect", { class: "bar", x: (10 + i * each).toFixed(2), y: (height - 18 - tall).toFixed(2),
      width: Math.max(each - 0.5, 0.5).toFixed(2), height: tall.toFixed(2) }, svg("title", {}, countText(count))));
  });
  chart.append(
    svg("text", { x: 10, y: height - 5 }, number(blob.min)),
    svg("text", { x: width - 10, y: height - 5, "text-anchor": "end" }, number(blob.max)));
  if (blob.min < 0 && blob.max > 0) {
    const x = 10 + ((0 - blob.min) / (blob.max - blob.min)) * (width - 20);
    chart.append(svg("line", { class: "axis", x1: x, x2: x, y1: 4, y2: height - 18 }),
      svg("text", { x, y: height - 5, "text-anchor": "middle" }, "0"));
  }
  return chart;
}

function filterPictures(filters) {
  const bytes = Uint8Array.from(atob(filters.pixels), (c) => c.charCodeAt(0));
  const each = filters.width * filters.height * filters.channels;
  const side = Math.max(2, Math.floor(44 / Math.max(filters.width, filters.height)));
  const pictures = [];
  for (let n = 0; n < filters.count; n += 1) {
    const canvas = html("canvas", { width: filters.width, height: filters.height, title: `filter ${n}`, "aria-label": `filter ${n}` });
    canvas.style.width = filters.width * side + "px";
    canvas.style.height = filters.height * side + "px";
    const image = new ImageData(filters.width, filters.height);
    for (let i = 0; i < filters.width * filters.height; i += 1) {
      for (let c = 0; c < 3; c += 1) {
        image.data[4 * i + c] = bytes[n * each + i * filters.channels + (filters.channels === 3 ? c : 0)];
      }
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    pictures.push(canvas);
  }
  return html("div", { class: "filters" }, ...pictures);
}

function blobContent(blob, i) {
  const parts = [html("h3", {}, `Blob ${i}: ${shapeText(blob.shape)}`)];
  if (blob.missing) return html("div", {}, ...parts, html("p", { class: "soft" }, "not in the file of weights"));
  parts.push(facts([
    ["Mean", blob.mean === undefined ? "" : number(blob.mean)],
    ["Deviation", blob.std === undefined ? "" : number(blob.std)],
    ["Zeros", blob.zeros ? `${countText(blob.zeros)} of ${countText(blob.count)}` : ""],
    ["Not finite", blob.odd ? `${countText(blob.odd)} of ${countText(blob.count)}` : ""],
  ]));
  if (blob.bins) parts.push(histogram(blob));
  if (blob.filters) {
    const left = blob.filters.of - blob.filters.count;
    parts.push(html("h3", {}, "Filters, each from its smallest to its largest number" + (left ? `; ${left} more are left out` : "")),
      filterPictures(blob.filters));
  }
  return html("div", {}, ...parts);
}

function listed(names) {
  const most = 40;
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${countText(names.length - most)} more` : "");
}

function weightsContent() {
  if (!DATA.weights) return html("p", { class: "soft" }, "There are none here: roastery view NET --weights FILE shows them.");
  if (chosen === null) {
    const first = DATA.weights.blobs.findIndex((blobs) => blobs.some((blob) => blob.filters));
    const with_ = [...LAYERS.keys()].filter((n) => DATA.weights.blobs[n].length);
    const unused = DATA.weights.left;
    return html("div", {},
      html("p", { class: "soft" }, `From ${DATA.weights.file}. Choose a layer that has some: `, ...with_.slice(0, 40).flatMap((n) => [layerLink(n), " "])),
      unused.length ? html("p", { class: "soft" }, `In the file, and not in the net: ${listed(unused)}.`) : null,
      ...(first < 0 ? [] : [html("h2", {}, LAYERS[first].name), ...DATA.weights.blobs[first].map(blobContent)]));
  }
  const blobs = DATA.weights.blobs[chosen];
  return html("div", {}, heading(), html("p", { class: "soft" }, `From ${DATA.weights.file}.`),
    ...(blobs.length ? blobs.map(blobContent) : [html("p", {}, "This layer has no weights.")]));
}
