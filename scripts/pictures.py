"""Takes the pictures of docs/pictures: a demo installation of its own, visited by Chromium."""

from __future__ import annotations

import shutil
import smtplib
import sys
import tempfile
from email.message import EmailMessage
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.ops.installation import Installation, eventually  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"


class Picture(NamedTuple):
    """Who enters and goes to which address, how wide, in which colours; `link`: a selector of
    what is clicked there, once it is there."""

    who: str
    path: str
    width: int = 1280
    scheme: Literal["light", "dark"] = "light"
    link: str = ""


PICTURES = {
    "portal-home": Picture("Ana Lucía", "/", 1100),
    "portal-case": Picture("Ana Lucía", "/cases/C-49", 1100),
    "portal-phone-dark": Picture("Ana Lucía", "/", 360, "dark"),
    "desk-inbox": Picture("Valentina", "/desk/"),
    "desk-case": Picture("Valentina", "/desk/cases/C-49"),
    "desk-held-mail": Picture("Valentina", "/desk/mail?state=held", link="td.what a"),
    "desk-mail-health": Picture("Valentina", "/desk/mail/health"),
    "desk-triage": Picture("Valentina", "/desk/triage"),
    "desk-board": Picture("Gloria", "/desk/board"),
    "portal-report-phone": Picture("Ana Lucía", "/report", 360),
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
        write_as_a_stranger(installation.smtp_port)
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for name, picture in PICTURES.items():
                page = look(browser, f"http://127.0.0.1:{installation.port}", picture)
                page.screenshot(path=FOLDER / f"{name}.png")
            browser.close()
    finally:
        installation.stop()
        shutil.rmtree(ground, ignore_errors=True)


def write_as_a_stranger(port: int) -> None:
    """A mail that names a case of somebody else's, so that one is held at the desk."""
    letter = EmailMessage()
    letter["From"] = "Rosa Neira <rosa.neira@transportes.example>"
    letter["To"] = "soporte@example.com"
    letter["Subject"] = "[C-49] Datos de la transportadora"
    letter["Message-ID"] = "<c49@transportes.example>"
    letter.set_content("Buenos días:\n\nEstos son los datos que pidieron.\n\nRosa Neira")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(letter)


def look(browser: Browser, address: str, picture: Picture) -> Page:
    """The page of a picture, in the browser of somebody of the demo who has entered."""
    size = {"width": picture.width, "height": 780}
    context = browser.new_context(viewport=size, color_scheme=picture.scheme, locale="es-CO")
    page = context.new_page()
    page.goto(f"{address}/demo/")
    page.locator(f"button:has-text('{picture.who}')").first.click()
    page.goto(address + picture.path)
    if picture.link:
        eventually(lambda: is_there(page, picture.link))
        page.locator(picture.link).first.click()
        page.wait_for_load_state()
    return page


def is_there(page: Page, selector: str) -> bool:
    """Whether the page, loaded again, has it."""
    page.reload()
    return page.locator(selector).count() > 0


if __name__ == "__main__":
    main()
