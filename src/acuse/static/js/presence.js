// Who else has this case open: told and asked every twenty seconds while the page is looked at.

const EVERY = 20_000; // milliseconds
const FIRST = 2000; // whoever only passes by is not announced
const WRITES = 10_000; // so long after a stroke somebody is still writing
const place = document.querySelector("#presence");
let known = "";
let struck = 0;
let told = false;
let timer = 0;

if (place) start();

function start() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;

  async function beat() {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(beat, EVERY);
    const typing = Date.now() - struck < WRITES;
    told = typing;
    const said = new URLSearchParams({ known });
    if (typing) said.set("typing", "1");
    try {
      const headers = { "X-CSRFToken": token };
      const answer = await fetch(place.dataset.url, { method: "POST", body: said, headers });
      if (answer.status === 200 && !answer.redirected) show(await answer.text());
    } catch {
      show(""); // nobody knows without the network
    }
  }

  function show(part) {
    place.innerHTML = part;
    known = place.firstElementChild?.dataset.tag ?? "";
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("textarea")) return;
    struck = Date.now();
    if (!told) beat();
  });
  document.addEventListener("visibilitychange", beat);
  window.addEventListener("pagehide", () => {
    const said = new URLSearchParams({ leaving: "1", csrfmiddlewaretoken: token });
    navigator.sendBeacon(place.dataset.url, said);
  });
  timer = setTimeout(beat, FIRST);
}
