// Nothing typed is lost: a form with data-draft is kept on the server while it is written.

import { afterwards } from "./parts.js";

const WAIT = 1000; // milliseconds after the last stroke
const AGAIN = 10_000; // and after a failure

for (const form of document.querySelectorAll("form[data-draft]")) keepWriting(form);

function keepWriting(form) {
  const state = form.querySelector("[data-draft-state]");
  let changed = false;
  let sent = false;

  async function keep() {
    if (sent || !changed) return;
    changed = false;
    const kept = await post(form.dataset.draft, typed(form));
    if (sent) return;
    if (state) state.textContent = kept ? state.dataset.kept : state.dataset.lost;
    if (kept) return;
    changed = true;
    setTimeout(keep, AGAIN);
  }

  const soon = afterwards(WAIT, keep);
  form.addEventListener("input", () => {
    changed = true;
    soon();
  });
  form.addEventListener("submit", () => {
    sent = true;
    const field = form.querySelector("[name=csrfmiddlewaretoken]");
    if (field) field.value = token(form); // another tab may have signed in meanwhile
  });
  window.addEventListener("pageshow", () => (sent = false));
  window.addEventListener("pagehide", () => {
    if (sent || !changed) return;
    const said = typed(form);
    said.set("csrfmiddlewaretoken", token(form));
    navigator.sendBeacon(form.dataset.draft, said);
  });
}

function typed(form) {
  const said = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && name !== "csrfmiddlewaretoken") said.append(name, value);
  }
  return said;
}

/** The token that the server takes now: the cookie's, where it may be read. */
export function token(form) {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return cookie ? cookie[1] : form.querySelector("[name=csrfmiddlewaretoken]").value;
}

async function post(address, body) {
  try {
    const headers = { "X-CSRFToken": token(document) };
    const answer = await fetch(address, { method: "POST", body, headers });
    return answer.ok && !answer.redirected;
  } catch {
    return false;
  }
}
