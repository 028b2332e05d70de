// Beside a report while it is written: what priority its answers give, and cases that are like it.

import "./drafts.js";
import "./upload.js";
import { afterwards, fetchPart } from "./parts.js";

const form = document.querySelector("form[data-forecast]");
const FORETOLD = ["organisation", "impact", "urgency", "environment", "module"];
const TYPED = ["subject", "text"];

if (form) {
  const forecast = follow(form.dataset.forecast, FORETOLD, document.querySelector("#forecast"), 0);
  const similar = follow(form.dataset.similar, TYPED, document.querySelector("#similar"), 600);
  form.addEventListener("input", (event) => {
    if (FORETOLD.includes(event.target.name)) forecast();
    if (TYPED.includes(event.target.name)) similar();
  });
  for (const part of form.querySelectorAll("[data-without-script]")) part.remove();
  if (form.elements.subject.value) similar();
}

/** Shows in a place what an address answers to some fields, of several answers the last. */
function follow(address, names, place, wait) {
  let asking = null;
  let shown = "";
  return afterwards(wait, async () => {
    asking?.abort();
    asking = new AbortController();
    const asked = new URLSearchParams();
    const typed = new FormData(form);
    for (const name of names) asked.set(name, (typed.get(name) ?? "").slice(0, 1000));
    const part = await fetchPart(`${address}?${asked}`, asking.signal);
    if (part === null || part === shown) return;
    shown = part;
    place.innerHTML = part;
  });
}
