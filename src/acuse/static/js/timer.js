// A timer that runs counts on, minute by minute; on the page of the day J and K go from case to case.

import { onKey } from "./desk.js";

const shown = document.querySelector("[role=timer][data-seconds]");
const links = [...document.querySelectorAll("tr.step a.name")];

if (shown) countOn();
onKey("j", () => step(1));
onKey("k", () => step(-1));

function countOn() {
  const began = performance.now() - Number(shown.dataset.seconds) * 1000;
  setInterval(() => {
    if (document.hidden) return;
    const minutes = Math.max(1, Math.round((performance.now() - began) / 60_000));
    const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
    const parts = [hours && `${hours} h`, (rest || !hours) && `${rest} min`];
    const told = parts.filter(Boolean).join(" ");
    if (shown.textContent !== told) shown.textContent = told;
  }, 5000);
}

function step(by) {
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
