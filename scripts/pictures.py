"""Takes the pictures of docs/pictures: a demo installation of its own, visited by Chromium."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.ops.installation import Installation  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
# name: (who enters, address, width, colour scheme)
PICTURES = {
    "portal-home": ("Ana Lucía", "/", 1100, "light"),
    "portal-case": ("Ana Lucía", "/cases/C-49", 1100, "light"),
    "portal-phone-dark": ("Ana Lucía", "/", 360, "dark"),
    "desk-inbox": ("Valentina", "/desk/", 1280, "light"),
    "desk-case": ("Valentina", "/desk/cases/C-49", 1280, "light"),
}


def main() -> None:
    """One installation, all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    ground = Path(tempfile.mkdtemp(prefix="acuse-pictures-"))
    ground.chmod(0o711)
    installation = Installation(ground / "var")
    for name in ("ACUSE_HOST", "ACUSE_SMTP_URL"):
        installation.environment.pop(name)
    installation.environment["ACUSE_ENV"] = "development"
    try:
        installation.start()
        installation.wait_healthy()
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for name, (who, path, width, scheme) in PICTURES.items():
                page = enter(browser, f"http://127.0.0.1:{installation.port}", who, width, scheme)
                page.goto(f"http://127.0.0.1:{installation.port}{path}")
                page.screenshot(path=FOLDER / f"{name}.png")
            browser.close()
    finally:
        installation.stop()
        shutil.rmtree(ground, ignore_errors=True)


def enter(browser: Browser, address: str, who: str, width: int, scheme: str) -> Page:
    """A browser in which somebody of the demo has entered."""
    size = {"width": width, "height": 780}
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="es-CO")
    page = context.new_page()
    page.goto(f"{address}/demo/")
    page.locator(f"button:has-text('{who}')").first.click()
    return page


if __name__ == "__main__":
    main()
