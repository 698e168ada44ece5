"use strict";
// Search: layers whose name, type or blobs hold all words; they are marked in the drawing, also
// inside of closed blocks.

const SHOWN_RESULTS = 60;
const searched = LAYERS.map((layer) =>
  [layer.name, layer.type, ...layer.bottoms.map((b) => b.name), ...layer.tops.map((t) => t.name)].join("\n").toLowerCase());
let matches = [];
let current = -1;

function findLayers(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const found = [...LAYERS.keys()].filter((number) => wanted.every((word) => searched[number].includes(word)));
  const rank = (number) => {
    const name = LAYERS[number].name.toLowerCase();
    if (name === wanted[0]) return 0;
    if (name.startsWith(wanted[0])) return 1;
    return name.includes(wanted[0]) ? 2 : 3;
  };
  return found.sort((a, b) => rank(a) - rank(b) || a - b);
}

function markFound() {
  const keys = new Set(matches.map((number) => shownAs(nodeOfLayer[number])));
  byId("world").classList.toggle("searched", keys.size > 0);
  for (const box of document.querySelectorAll(".node")) box.classList.toggle("found", keys.has(box.dataset.key));
}

function showResults() {
  const list = byId("found");
  const items = matches.slice(0, SHOWN_RESULTS).map((number, i) =>
    html("li", { role: "option", id: "result" + i, "aria-selected": i === current ? "true" : "false", onmousedown: (event) => {
      event.preventDefault();
      take(i);
    } }, LAYERS[number].name || "(no name)", html("span", { class: "kind" }, LAYERS[number].type)));
  if (matches.length > SHOWN_RESULTS) items.push(html("li", { class: "soft" }, `and ${matches.length - SHOWN_RESULTS} more`));
  const words = byId("search").value.trim();
  if (words && !matches.length) items.push(html("li", { class: "soft" }, "nothing found"));
  list.replaceChildren(...items);
  list.hidden = !items.length || document.activeElement !== byId("search");
  byId("search").setAttribute("aria-expanded", String(!list.hidden));
  const chosen = list.children[current];
  if (chosen) {
    chosen.scrollIntoView({ block: "nearest" });
    byId("search").setAttribute("aria-activedescendant", chosen.id);
  }
}

function take(i) {
  current = i;
  chooseLayer(matches[i]);
  showResults();
}

function startSearch() {
  const input = byId("search");
  input.addEventListener("input", () => {
    matches = findLayers(input.value);
    current = -1;
    showResults();
    markFound();
    say(matches.length === 1 ? "1 layer found" : `${matches.length} layers found`);
  });
  input.addEventListener("keydown", (event) => {
    const most = Math.min(matches.length, SHOWN_RESULTS);
    if (event.key === "ArrowDown" && most) current = (current + 1) % most;
    else if (event.key === "ArrowUp" && most) current = (current + most - 1) % most;
    else if (event.key === "Enter" && matches.length) {
      const next = byId("found").hidden ? (current + 1) % matches.length : Math.max(current, 0);
      take(next);
      byId("found").hidden = true;
      input.setAttribute("aria-expanded", "false");
      return;
    } else if (event.key === "Escape") {
      input.value = "";
      matches = [];
      markFound();
      input.blur();
    } else return;
    event.preventDefault();
    showResults();
  });
  input.addEventListener("focus", showResults);
  input.addEventListener("blur", showResults);
}
