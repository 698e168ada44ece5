"use strict";
// While a training runs: asks the server that the page came from for newer curves and weights.

const EVERY = 2000; // milliseconds
let seen = "";
let noted = ""; // what the server said last
let alone = false;

function tellNews(text) {
  byId("news").textContent = text;
  byId("news").hidden = !text;
}

async function ask() {
  try {
    const answer = await fetch("live?seen=" + encodeURIComponent(seen), { cache: "no-store" });
    if (answer.status === 200) {
      const news = await answer.json();
      seen = news.version;
      if (news.curves) DATA.curves = news.curves;
      if (news.weights) DATA.weights = news.weights;
      if (tab === "Curves" || tab === "Weights") showContent();
      noted = news.note;
      tellNews(noted);
    }
    if (!answer.ok) throw new Error(answer.statusText);
    if (alone) tellNews(noted);
    alone = false;
  } catch {
    if (!alone) tellNews("The server does not answer: what is here stays as it is.");
    alone = true;
  }
  setTimeout(ask, EVERY);
}
