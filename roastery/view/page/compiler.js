"use strict";
// What a compiler makes of a layer: its nodes before and after each pass, and its kernels.

let compilerNumber = 0;
let stage = null;
const ONCE = "computed once";

function compilerChoice(redraw) {
  return html("div", { class: "stages", role: "group", "aria-label": "Compiler" }, ...DATA.compilers.map((compiler, number) =>
    html("button", { "aria-pressed": String(number === compilerNumber), onclick: () => {
      compilerNumber = number;
      stage = null;
      redraw();
    } }, compiler.title)));
}

// Lines of a text; those that the other one lacks are marked.
function marked(text, other, kind) {
  const known = new Set(other.split("\n"));
  const block = html("pre", { class: "ir" });
  for (const line of text.replace(/\n$/, "").split("\n")) {
    block.append(html("span", { class: known.has(line) ? null : kind }, line), "\n");
  }
  return block;
}

// The stage with which one is compared; none for the first, and for what runs before all others.
function stageBefore(compiler, i) {
  return i === 0 || compiler.stages[i] === ONCE ? null : i - 1;
}

function irContent(compiler) {
  const own = compiler.ir[chosen];
  const before = own.map((_, i) => stageBefore(compiler, i));
  const changed = own.map((text, i) => before[i] !== null && text !== own[before[i]]);
  if (stage === null || stage >= own.length) stage = Math.max(0, changed.lastIndexOf(true));
  const buttons = compiler.stages.map((name, i) => html("button", {
    class: changed[i] ? "changed" : null, "aria-pressed": String(i === stage),
    title: changed[i] ? "changes this layer" : before[i] === null ? null : "leaves this layer as it is",
    onclick: () => {
      stage = i;
      showContent();
    },
  }, name));
  const place = html("div", { id: "ir" });
  const [name, earlier, wanted, wantedStage] = [compiler.stages[stage], before[stage], chosen, stage];
  const texts = earlier === null ? [longText(own[stage])] : [longText(own[stage]), longText(own[earlier])];
  Promise.all(texts).then(([now, then]) => {
    if (wanted !== chosen || wantedStage !== stage) return;
    if (then === undefined) place.append(html("h3", {}, name === ONCE ? "Computed once, before all runs" : "As it is lowered"), marked(now, now, "added"));
    else {
      place.append(html("h3", {}, `Before ${name}`), marked(then, now, "removed"),
        html("h3", {}, `After ${name}`), marked(now, then, "added"));
    }
  });
  return html("div", {},
    html("h3", {}, "IR, pass by pass (bold: where this layer changes)"),
    html("div", { class: "stages", role: "group", "aria-label": "Passes" }, ...buttons), place);
}

function kernelContent(kernel) {
  const place = html("pre", { class: "kernel" }, "…");
  const box = html("details", {},
    html("summary", {}, kernel.label + (kernel.backward ? " (backward)" : ""), " ", html("span", { class: "soft" }, kernel.file)),
    facts([["Grid", kernel.grid], ["Tiles", kernel.tile]]), place);
  box.addEventListener("toggle", () => {
    if (box.open) longText(kernel.text).then((text) => { place.textContent = text; });
  });
  return box;
}

function compilerContent() {
  if (!DATA.compilers.length) return html("p", { class: "soft" }, "The page was made without it (--targets none).");
  const compiler = DATA.compilers[compilerNumber];
  const parts = [compilerChoice(showContent), html("p", { class: "soft" }, compiler.options)];
  if (chosen === null) return html("div", {}, ...parts, nothingChosen("what it becomes, pass by pass, and its kernels"));
  const kernels = compiler.kernels[chosen];
  const list = kernels.map(kernelContent);
  if (list.length) list[0].open = true;
  return html("div", {}, heading(), ...parts, irContent(compiler),
    html("h3", {}, kernels.length === 1 ? "Kernel" : "Kernels"),
    ...(list.length ? list : [html("p", { class: "soft" }, "None: it is part of no kernel, a view, or runs on the host.")]));
}
