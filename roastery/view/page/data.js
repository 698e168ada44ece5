"use strict";
// What the page shows, as `roastery view` wrote it. Long texts are compressed, and unpacked when the
// first of them is asked for.

const DATA = JSON.parse(document.getElementById("data").textContent);

const LAYERS = DATA.layers;

let unpacked = null;

async function unpack() {
  const packed = Uint8Array.from(atob(DATA.texts), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// The text of a number, as a promise.
function longText(number) {
  unpacked ??= unpack();
  return unpacked.then((texts) => texts[number]);
}

function shapeText(shape) {
  return shape.length ? shape.join("×") : "scalar";
}

function countText(count) {
  return count.toLocaleString("en-US");
}

function manyText(count, word) {
  return `${countText(count)} ${word}${count === 1 ? "" : "s"}`;
}

const UNITS = ["", " thousand", " million", " billion", " trillion"];

// Three digits and a word: what people compare.
function shortCount(count) {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return (unit ? Number(value.toPrecision(3)) : value) + UNITS[unit];
}

function byteText(bytes) {
  let value = bytes;
  for (const unit of ["bytes", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return Number(value.toPrecision(4)) + " " + unit;
    value /= 1024;
  }
  return Number(value.toPrecision(4)) + " TiB";
}
