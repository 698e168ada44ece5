"use strict";
// Elements made by calls. Whatever comes from a net gets in as text alone: names are never parsed.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

function html(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

function say(text) {
  byId("said").textContent = text;
}

// A <dl> of what is there: pairs of a word and a text or element.
function facts(pairs) {
  const list = html("dl");
  for (const [word, value] of pairs) {
    if (value === "" || value === null || value === undefined) continue;
    list.append(html("dt", {}, word), html("dd", {}, value));
  }
  return list;
}

const PALETTE = [
  "#d9534f", "#e8963a", "#7b5bd6", "#4b86d1", "#3fa36b", "#c25b9c", "#8a8f3a", "#2f9fa8",
  "#a0683c", "#6c7a89", "#b83b5e", "#5d8a2f",
];
const kinds = [...new Set(LAYERS.map((layer) => layer.type))];

function colorOf(type) {
  return PALETTE[kinds.indexOf(type) % PALETTE.length];
}
