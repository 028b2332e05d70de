// How a long piece of work stands, asked every other second until it has ended.

import { fetchPart } from "./parts.js";

const EVERY = 2000; // milliseconds
let place = document.querySelector("#work");

async function look() {
  if (!place.dataset.running) return;
  const part = document.hidden ? null : await fetchPart(location.href);
  if (part !== null) {
    const shown = new DOMParser().parseFromString(part, "text/html").querySelector("#work");
    if (shown) {
      place.replaceWith(shown);
      place = shown;
    }
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
