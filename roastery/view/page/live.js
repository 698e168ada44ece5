"use strict";
// While a training runs: asks the server that the page came from for newer curves and weights.

const EVERY = 2000; // milliseconds
let seen = "";

async function ask() {
  try {
    const answer = await fetch("live?seen=" + encodeURIComponent(seen), { cache: "no-store" });
    if (answer.status === 200) {
      const news = await answer.json();
      seen = news.version;
      if (news.curves) DATA.curves = news.curves;
      if (news.weights) DATA.weights = news.weights;
      if (tab === "Curves" || tab === "Weights") showContent();
      byId("totals").title = news.note || "";
    }
    document.body.classList.remove("alone");
  } catch {
    document.body.classList.add("alone"); // the server has gone; what is here stays
  }
  setTimeout(ask, EVERY);
}
