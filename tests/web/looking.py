"""A page in a real browser, and everything that is checked on every one of them."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

PHONE, DESKTOP, ZOOMED = 360, 1280, 320  # CSS px; 320 is a window of 640 at 200 %
MOST_BYTES, MOST_REQUESTS = 60_000, 10
# Level A and AA of WCAG 2.2, and what is good practice beyond it.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What one look at the page as it is laid out tells.
LAID_OUT = """() => {
  const seconds = text => text.split(",").map(parseFloat);
  const all = [...document.querySelectorAll("*")];
  const moving = all.filter(one => {
    const style = getComputedStyle(one);
    return seconds(style.transitionDuration).some(s => s > 0) || style.animationName !== "none";
  });
  return {
    title: document.title,
    language: document.documentElement.lang,
    h1: document.querySelectorAll("h1").length,
    main: document.querySelectorAll("main").length,
    header: document.querySelectorAll("body > header").length,
    nav: document.querySelectorAll("nav[aria-label]").length,
    moving: moving.map(one => one.outerHTML.slice(0, 80)),
    inline: document.querySelectorAll("[style], style, script:not([src])").length,
  };
}"""
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > wide + 1)
    .slice(0, 3).map(one => one.outerHTML.slice(0, 100));
}"""
# After one press of Tab the browser shows the focus wherever it goes (:focus-visible).
UNSEEN_FOCUS = """() => {
  const found = [];
  const able = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  for (const one of document.querySelectorAll(able)) {
    if (one.disabled || !one.checkVisibility({visibilityProperty: true})) continue;
    one.focus();
    if (document.activeElement !== one) continue;
    const style = getComputedStyle(one);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)
      found.push(one.outerHTML.slice(0, 100));
  }
  return found;
}"""
AXE = """async tags => {
  const asked = {runOnly: tags, resultTypes: ["violations"], preload: false};
  const told = one => one.target + " " + one.failureSummary;
  return (await axe.run(document, asked)).violations
    .map(rule => rule.id + ": " + rule.nodes.slice(0, 3).map(told).join(" | "));
}"""


@cache
def axe_source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@cache
def _compressed(body: bytes) -> int:
    return len(gzip.compress(body, 6))


class Onlooker:
    """Sits in one browser page and notes what it asks for and complains about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.host = page, urlsplit(address).netloc
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        # Each visit is a first one: nothing comes from the browser's own store.
        page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.on("request", lambda request: self.requests.append(request))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        refusal = said.text.startswith("Failed to load resource: the server responded with")
        if said.type in ("error", "warning") and not refusal:
            self.complaints.append(f"console: {said.text}")

    def forget(self) -> None:
        self.requests.clear()
        self.complaints.clear()

    def look(self, answer: Response) -> list[str]:
        """Everything that is wrong with the page that has just been opened, in words."""
        return [
            *self.complaints,
            *policy_faults(answer),
            *(self._weight_faults() if answer.request.method == "GET" else []),
            *self._layout_faults(),
            *accessibility_faults(self.page),
            *self._narrow_faults(),
        ]

    def _weight_faults(self) -> list[str]:
        found = []
        away = [one.url for one in self.requests if urlsplit(one.url).netloc != self.host]
        if away:
            found.append(f"asks elsewhere: {away}")
        # What scripts ask for later is not needed to show the page.
        kinds = ("fetch", "xhr")
        needed = {one.url: one for one in self.requests if one.resource_type not in kinds}
        answers = [one.response() for one in needed.values()]
        weight = sum(_compressed(one.body()) for one in answers if one is not None and one.ok)
        if weight > MOST_BYTES or len(needed) > MOST_REQUESTS:
            found.append(f"weighs {weight} bytes in {len(needed)} requests: {list(needed)}")
        return found

    def _layout_faults(self) -> list[str]:
        seen: dict[str, Any] = self.page.evaluate(LAID_OUT)
        found = [f"{seen[what]} x {what}" for what in ("h1", "main", "header") if seen[what] != 1]
        if not seen["title"].removesuffix("Acuse").strip(" ·"):
            found.append(f"no title: {seen['title']}")
        if not seen["nav"]:
            found.append("no named navigation")
        if seen["inline"]:
            found.append("something inline")
        return found + [f"moves in spite of reduced motion: {one}" for one in seen["moving"]]

    def _narrow_faults(self) -> list[str]:
        """What only a phone, a magnified window or the keyboard shows."""
        found = []
        for width in (ZOOMED, PHONE):
            self.page.set_viewport_size({"width": width, "height": 740})
            wide = self.page.evaluate(TOO_WIDE)
            found += [f"wider than {width} px: {one}" for one in wide]
        found += [f"at {PHONE} px: {fault}" for fault in accessibility_faults(self.page)]
        self.page.keyboard.press("Tab")
        return found + [f"focus is not seen: {one}" for one in self.page.evaluate(UNSEEN_FOCUS)]


def policy_faults(answer: Response) -> list[str]:
    """What the headers of an answer allow that none should (CSP Level 3)."""
    policy = answer.header_value("content-security-policy") or ""
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    wanted = {"default-src": "'self'", "object-src": "'none'", "base-uri": "'none'"}
    if "unsafe" in policy or "*" in policy or any(rules.get(k) != v for k, v in wanted.items()):
        return [f"policy of contents: {policy}"]
    return []


def accessibility_faults(page: Page) -> list[str]:
    """The violations that axe-core finds."""
    page.evaluate(axe_source())
    return page.evaluate(AXE, TAGS)
