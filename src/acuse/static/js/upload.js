// Files go up as soon as they are chosen, dropped or pasted, each with its progress, and again
// where one did not arrive. Without this the form sends them itself.

import { token } from "./drafts.js";

for (const place of document.querySelectorAll("[data-upload]")) takeFiles(place);

function takeFiles(place) {
  const form = place.closest("form");
  const list = place.querySelector("ul.kept");
  const input = place.querySelector("input[type=file]");
  let underway = 0;
  let waiting = null;
  place.querySelector("[data-hint]").hidden = false;

  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  form.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      place.classList.add("over");
    });
  }
  form.addEventListener("dragleave", () => place.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer.files);
  });
  // A form that is sent meanwhile waits for its files.
  form.addEventListener(
    "submit",
    (event) => {
      if (!underway) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      waiting = event.submitter;
    },
    { capture: true },
  );

  function take(files) {
    for (const file of [...files]) send(file, list.appendChild(document.createElement("li")));
  }

  function send(file, row) {
    const progress = document.createElement("progress");
    progress.max = file.size || 1;
    progress.value = 0;
    progress.setAttribute("aria-label", file.name);
    row.replaceChildren(text(file.name), progress);
    if (file.size > Number(place.dataset.largest)) {
      row.replaceChildren(text(file.name), failure(place.dataset.large));
      return;
    }
    const said = new FormData();
    said.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", place.dataset.upload);
    request.setRequestHeader("X-CSRFToken", token(form));
    request.upload.addEventListener("progress", (event) => (progress.value = event.loaded));
    request.addEventListener("loadend", () => {
      underway -= 1;
      const arrived = request.status === 200 && request.responseURL.endsWith(place.dataset.upload);
      if (arrived) row.outerHTML = request.responseText;
      else offerAgain(file, row, request.status === 422 ? request.responseText : "");
      if (!underway && waiting && arrived) form.requestSubmit(waiting);
      if (!underway) waiting = null;
    });
    underway += 1;
    request.send(said);
  }

  function offerAgain(file, row, why) {
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = place.dataset.retry;
    again.addEventListener("click", () => send(file, row));
    row.replaceChildren(text(file.name), failure(why || place.dataset.failed), again);
  }
}

function text(said) {
  const span = document.createElement("span");
  span.textContent = said;
  return span;
}

function failure(said) {
  const bold = text(said);
  bold.className = "error";
  return bold;
}
