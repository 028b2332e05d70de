// Answering: a template put into the text at once, a reply that counts down until it goes.
// Each works by the form's own buttons where this does not run.

import { fetchPart } from "./parts.js";

const AGAIN = 2000; // milliseconds between two questions whether it has gone
const MOST = 30; // such questions; afterwards the page says so when it is loaded again

for (const list of document.querySelectorAll("#reply-template")) startTemplates(list);
for (const bar of document.querySelectorAll("[data-sending=waiting]")) countDown(bar);

function startTemplates(list) {
  const form = list.closest("form");
  form.querySelector("[name=use]").hidden = true;
  list.addEventListener("change", async () => {
    const option = list.selectedOptions[0];
    if (!option.dataset.text) return;
    const text = await fetchPart(option.dataset.text);
    if (text === null) {
      form.querySelector("[name=use]").hidden = false;
      return;
    }
    putIn(form.querySelector("#reply"), text);
    choose(form, option.dataset);
    list.value = "";
  });
}

/** Where the cursor stands, apart from what is there; undone like any typing. */
function putIn(area, text) {
  const before = area.value.slice(0, area.selectionStart);
  const gap = before && !before.endsWith("\n") ? "\n\n" : "";
  area.focus();
  area.setRangeText(gap + text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function choose(form, { take, wait, assign }) {
  const tick = form.querySelector("[name=take]");
  if (take && tick) tick.checked = true;
  for (const [name, value] of [["wait_for", wait], ["assign", assign]]) {
    const field = form.querySelector(`[name=${name}]`);
    if (value && field) field.value = value;
  }
}

function countDown(bar) {
  const until = Date.now() + Number(bar.dataset.left) * 1000;
  const said = bar.querySelector("b");
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    said.textContent = said.textContent.replace(/\d+/, left);
    if (left) return;
    clearInterval(timer);
    ask(bar, MOST);
  }, 1000);
  said.parentElement.setAttribute("aria-live", "off"); // once is enough
}

async function ask(bar, left) {
  const part = await fetchPart(bar.dataset.url);
  if (part !== null) {
    const told = new DOMParser().parseFromString(part, "text/html").querySelector("[data-sending]");
    const gone = told && told.dataset.sending !== "waiting";
    if (gone) {
      bar.replaceWith(document.adoptNode(told));
      return;
    }
  }
  if (left) setTimeout(() => ask(bar, left - 1), AGAIN);
}
