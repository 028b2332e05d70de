// Going through the cases that wait for triage: J the next, K the one before.

import { onKey } from "./desk.js";

onKey("j", () => follow("next"));
onKey("k", () => follow("prev"));

function follow(rel) {
  const link = document.querySelector(`.triage-head a[rel=${rel}]`);
  if (!link) return false;
  location.assign(link.href);
  return true;
}
