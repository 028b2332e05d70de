// Rows of an estimate added and taken away at once, and their total; without it the same buttons
// ask the server.

const NUMBERED = ["name", "id", "for", "value", "aria-describedby"];

for (const list of document.querySelectorAll("fieldset[data-rows]")) startList(list);

function startList(list) {
  const name = list.dataset.rows;
  const count = list.querySelector(`[name="${name}-TOTAL_FORMS"]`);
  const most = Number(list.querySelector(`[name="${name}-MAX_NUM_FORMS"]`).value);
  const rows = () => [...list.querySelectorAll("[data-row]")];
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.name === "add_row" && rows().length && rows().length < most) {
      event.preventDefault();
      const row = emptied(rows().at(-1));
      rows().at(-1).after(row);
      renumber(list, name, count);
      row.querySelector("input:not([type=hidden]), select, textarea").focus();
    } else if (button?.name === "remove_row" && rows().length > 1) {
      event.preventDefault();
      const row = button.closest("[data-row]");
      const next = row.nextElementSibling?.closest("[data-row]") ?? row.previousElementSibling;
      row.remove();
      renumber(list, name, count);
      next.querySelector("button").focus();
      tell(list);
    }
  });
  list.addEventListener("input", () => tell(list));
  tell(list);
}

function emptied(row) {
  const copy = row.cloneNode(true);
  for (const part of copy.querySelectorAll(".error, .errors")) part.remove();
  for (const field of copy.querySelectorAll("input, textarea")) field.value = "";
  for (const field of copy.querySelectorAll("input, textarea, select")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  for (const field of copy.querySelectorAll("select.activity, .activity select")) {
    field.value = row.querySelector(".activity select").value;
  }
  return copy;
}

function renumber(list, name, count) {
  const rows = [...list.querySelectorAll("[data-row]")];
  const numbered = new RegExp(`(${name}-)\\d+`, "g");
  rows.forEach((row, place) => {
    row.querySelector("legend").textContent = place + 1;
    row.querySelector("button .hidden").textContent = ` ${place + 1}`;
    for (const part of row.querySelectorAll("*")) {
      for (const attribute of NUMBERED) {
        if (attribute === "value" && part.name !== "remove_row") continue;
        const value = part.getAttribute(attribute);
        if (value) part.setAttribute(attribute, value.replace(numbered, `$1${place}`));
      }
    }
  });
  count.value = rows.length;
}

function tell(list) {
  const place = list.querySelector("[data-total]");
  if (!place) return;
  const typed = [...list.querySelectorAll(".minutes input")].map((field) => Number(field.value));
  const minutes = typed.reduce((sum, each) => sum + (Number.isInteger(each) && each > 0 ? each : 0), 0);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const told = hours ? [`${hours} h`, rest && `${rest} min`].filter(Boolean).join(" ") : `${rest} min`;
  if (place.textContent !== told) place.textContent = told;
}
