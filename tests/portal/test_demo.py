"""The demo's pages: enter as anybody, read the mail; neither exists in production."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage

import pytest
from django.test import Client

from acuse.config import config
from acuse.models import CaughtMail
from tests.web.entering import StoppedClock, words_of
from tests.world import World


@pytest.fixture
def mail(db: None) -> CaughtMail:
    message = EmailMessage()
    message["Subject"] = "[C-1] Recibido"
    message["To"] = "ana@andina.example"
    message.set_content("Recibimos su caso.")
    message.add_alternative("<p style='color:red'>Recibimos</p><script>x</script>", subtype="html")
    return CaughtMail.objects.create(
        sender="soporte@example.com",
        recipients=["ana@andina.example"],
        subject="[C-1] Recibido",
        content=message.as_bytes(),
    )


def test_anybody_of_the_demo_can_be_entered_as(
    world: World, clock: StoppedClock, client: Client
) -> None:
    said = words_of(client.get("/demo/"))
    assert "Ana Ruiz" in said
    assert "Sara Soporte" in said
    client.post("/demo/enter", {"person": world.ana.pk})
    assert client.get("/organisation").status_code == 200
    assert client.post("/demo/enter", {"person": "0"}).status_code == 404
    assert client.get("/demo/enter").status_code == 405


def test_the_mail_that_went_out_is_shown_in_a_sandbox(
    mail: CaughtMail, clock: StoppedClock, client: Client
) -> None:
    assert "[C-1] Recibido" in words_of(client.get("/demo/"))
    page = client.get(f"/demo/mail/{mail.pk}")
    assert "Recibimos su caso." in words_of(page)
    assert "<iframe" in page.content.decode()
    assert " sandbox" in page.content.decode()
    html = client.get(f"/demo/mail/{mail.pk}/html")
    assert html["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "script-src" not in html["Content-Security-Policy"]
    assert client.get("/demo/mail/999999").status_code == 404


def test_none_of_it_exists_in_production(
    mail: CaughtMail, world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replace(config, environment="production")
    monkeypatch.setattr("acuse.interfaces.portal.demo.config", real)
    for path in ("/demo/", f"/demo/mail/{mail.pk}", f"/demo/mail/{mail.pk}/html"):
        assert client.get(path).status_code == 404
    assert client.post("/demo/enter", {"person": world.ana.pk}).status_code == 404
