// What every page of the desk has beside itself: keys, the palette, menus that close by themselves.
// Each page works without any of it. One file: a page has ten requests to spend.

import { afterwards, fetchPart } from "./parts.js";

// Keys: single ones, while nothing is being written. They can be turned off (WCAG 2.1.4): on the
// sheet of keys, for this device.

const KEPT = "acuse.keys";
const WAIT = 1500; // milliseconds in which a letter after G still belongs to it
const acts = new Map();
let going = 0;

/** Have a key do something; it is left alone where `act` returns false. */
export function onKey(key, act) {
  acts.set(key, act);
}

function startKeys() {
  onKey("?", openSheet);
  onKey("/", () => focusFirst("#filter") || focusFirst("#q"));
  onKey("g", () => {
    going = Date.now();
  });
  onKey("r", () => focusFirst("#reply"));
  onKey("n", () => focusFirst("#note"));
  onKey("b", () => focusFirst("#bulk_act"));
  document.addEventListener("keydown", press);
  prepareSwitch(document);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!wanted() || isWriting(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  const act = Date.now() - going < WAIT && key !== "g" ? () => goTo(key) : acts.get(key);
  if (!act) return;
  if (key !== "g") going = 0;
  if (act(event) !== false) event.preventDefault();
}

function isWriting(element) {
  const free = ["checkbox", "radio", "button", "submit", "reset", "file"];
  if (element.isContentEditable || element.matches("textarea, select")) return true;
  return element.matches("input") && !free.includes(element.type);
}

function goTo(letter) {
  const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (!link) return false;
  location.assign(link.href);
  return true;
}

function focusFirst(selector) {
  const field = [...document.querySelectorAll(selector)].find((each) => each.offsetParent);
  if (!field) return false;
  field.focus();
  field.scrollIntoView({ block: "nearest" });
  return true;
}

async function openSheet() {
  const dialog = document.querySelector("#keys");
  const place = dialog.querySelector("div");
  if (!place.childElementCount) {
    const page = await fetchPart(document.querySelector("#q").dataset.keys);
    const whole = page && new DOMParser().parseFromString(page, "text/html");
    const sheet = whole && whole.querySelector("#keys-sheet");
    if (!sheet) return;
    sheet.removeAttribute("id");
    place.append(document.adoptNode(sheet));
    prepareSwitch(place);
  }
  dialog.showModal();
}

function wanted() {
  return localStorage.getItem(KEPT) !== "off";
}

function prepareSwitch(root) {
  const box = root.querySelector("#single-keys");
  if (!box) return;
  box.checked = wanted();
  box.closest("[hidden]").hidden = false;
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
}

// The palette: Ctrl-K finds cases, people and pages (asked of the server, which looks at what this
// person may see), and what can be done on this very page (its own links).

const MOST_HERE = 8;

function startPalette() {
  const dialog = document.querySelector("#palette");
  if (!dialog) return;
  const field = dialog.querySelector("#palette-q");
  const list = dialog.querySelector("#palette-hits");
  const lost = dialog.querySelector("#palette-lost");
  const address = document.querySelector("#q").dataset.palette;
  let asking = null;
  let answered = null; // the words that the list answers

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (dialog.open) return dialog.close();
    dialog.showModal();
    field.select();
    look();
  });
  field.addEventListener("input", afterwards(120, look));
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) move(step);
    else if (event.key === "Enter") follow();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
    else if (event.target.closest("a")) dialog.close();
  });

  async function look() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const words = field.value.trim();
    const found = await fetchPart(`${address}?${new URLSearchParams({ q: words })}`, signal);
    if (signal.aborted) return;
    lost.hidden = found !== null;
    list.innerHTML = found ?? "";
    list.prepend(...here(words));
    mark(list.firstElementChild);
    answered = words;
  }

  // Whoever types fast and presses Enter means what was typed, not what stood there before.
  async function follow() {
    if (answered !== field.value.trim()) await look();
    current()?.click();
  }

  function current() {
    return list.querySelector("[aria-selected=true]");
  }

  function move(step) {
    const all = [...list.children];
    const next = all[(all.indexOf(current()) + step + all.length) % all.length];
    if (next) mark(next);
  }

  function mark(entry) {
    for (const each of list.children) each.setAttribute("aria-selected", String(each === entry));
    if (!entry) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", entry.id);
    entry.scrollIntoView({ block: "nearest" });
  }
}

/** What can be done on this page, whose name has every word. */
function here(words) {
  const wanted = fold(words).split(/\s+/).filter(Boolean);
  const links = [...document.querySelectorAll("main nav.acts a, .glance .actions a")];
  const fitting = links.filter((link) => wanted.every((word) => fold(nameOf(link)).includes(word)));
  return fitting.slice(0, MOST_HERE).map((link, number) => {
    const entry = document.createElement("a");
    entry.href = link.href;
    entry.id = `hit-here${number}`;
    entry.tabIndex = -1;
    entry.setAttribute("role", "option");
    const name = document.createElement("b");
    name.textContent = nameOf(link);
    entry.append(name);
    return entry;
  });
}

function nameOf(link) {
  const copy = link.cloneNode(true);
  for (const key of copy.querySelectorAll("kbd")) key.remove();
  return copy.textContent.trim();
}

function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// Menus (details.menu): one that is open closes at Escape, and where something else is clicked.

const OPEN = "details.menu[open]";

function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(OPEN)) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest(OPEN);
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

startKeys();
startPalette();
startMenus();
