// The list of cases by keys, the ticks, and from 1400 px the case in brief beside the list.

import { onKey } from "./desk.js";
import { afterwards, fetchPart } from "./parts.js";

const WIDE = window.matchMedia("(min-width: 1400px)");
const rows = [...document.querySelectorAll("tr[data-glance]")];
const pane = document.querySelector("#glance");
let asking = null;

if (rows.length) {
  startRows();
  startTicks();
}

function startRows() {
  onKey("j", () => step(1));
  onKey("k", () => step(-1));
  onKey("o", () => current()?.querySelector("a.name").click());
  onKey("x", () => tickOf(current())?.click());
  const show = afterwards(120, glance);
  for (const row of rows) {
    const link = row.querySelector("a.name");
    link.addEventListener("focus", () => {
      choose(row);
      if (WIDE.matches) show(row);
    });
    // A pointer looks at the case beside the list first; its number there, or the key, opens it.
    link.addEventListener("click", (event) => {
      const plain = event.detail === 1 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
      if (!plain || !WIDE.matches || row === shown) return;
      event.preventDefault();
      choose(row);
      glance(row);
    });
  }
}

let shown = null;

function current() {
  return document.querySelector("tr.current");
}

function choose(row) {
  current()?.classList.remove("current");
  row.classList.add("current");
}

function step(by) {
  const next = rows[rows.indexOf(current()) + by] ?? (current() ? null : rows[0]);
  next?.querySelector("a.name").focus();
  next?.scrollIntoView({ block: "nearest" });
}

async function glance(row) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  shown = row;
  const part = await fetchPart(row.dataset.glance, signal);
  if (signal.aborted) return;
  if (part === null) return location.assign(row.querySelector("a.name").href);
  pane.innerHTML = part;
  pane.scrollTop = 0;
  pane.hidden = false;
}

function tickOf(row) {
  return row?.querySelector(".tickbox input");
}

function startTicks() {
  const all = document.querySelector("#tick-all");
  const told = document.querySelector("#ticked");
  const boxes = rows.map(tickOf);
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    told.textContent = count ? told.dataset.some.replace("{n}", count) : told.dataset.none;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && !all.checked;
    for (const row of rows) row.classList.toggle("ticked", tickOf(row).checked);
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}
