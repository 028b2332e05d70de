"""Signing in with a mailed code: in the person's language, telling nobody who is known."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from tests.web.entering import StoppedClock, words_of
from tests.world import World


def test_a_code_that_was_mailed_opens_the_door(
    world: World, clock: StoppedClock, client: Client
) -> None:
    start = client.get("/organisation")
    asked = client.post(start["Location"], {"email": "ana@andina.example", "next": "/organisation"})
    assert asked["Location"].startswith("/accounts/login/code/confirm/")
    page = client.get(asked["Location"])
    assert "ana@andina.example" in words_of(page)
    assert '<input type="hidden" name="next" value="/organisation">' in page.content.decode()
    (sent,) = mail.outbox
    assert sent.to == ["ana@andina.example"]
    code = re.search(r"^\s*([A-Z0-9-]{4,})\s*$", str(sent.body), re.M)
    assert code is not None, sent.body
    given = {"code": code[1], "next": "/organisation"}
    done = client.post("/accounts/login/code/confirm/", given)
    assert done["Location"] == "/organisation"
    assert "Andina" in words_of(client.get("/organisation"))


def test_a_wrong_code_opens_nothing(world: World, client: Client) -> None:
    client.post("/accounts/login/code/", {"email": "ana@andina.example"})
    wrong = client.post("/accounts/login/code/confirm/", {"code": "AAAA-AAAA"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()
    assert client.get("/organisation").status_code == 302


def test_who_is_not_known_is_told_the_same(world: World, client: Client) -> None:
    known = client.post("/accounts/login/code/", {"email": "ana@andina.example"})
    unknown = Client().post("/accounts/login/code/", {"email": "nadie@example.net"})
    assert known["Location"] == unknown["Location"]
    assert [sent.to for sent in mail.outbox] == [["ana@andina.example"]]


def test_nobody_signs_up(db: None, client: Client) -> None:
    page = client.get("/accounts/signup/")
    assert 'name="email"' not in page.content.decode()


def test_leaving_is_one_button(world: World, clock: StoppedClock, client: Client) -> None:
    client.post("/demo/enter", {"person": world.ana.pk})
    client.post("/accounts/logout/")
    assert client.get("/organisation").status_code == 302


def test_a_form_without_its_token_is_told_so(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(
        "/demo/enter", {"person": world.ana.pk}, headers={"Accept-Language": "en"}
    )
    assert response.status_code == 403
    assert "Your form has expired" in words_of(response)


@pytest.mark.parametrize("page", ["signup", "email", "password/change", "password/reset", "2fa"])
def test_only_the_mailed_code_lets_in(client: Client, db: None, page: str) -> None:
    assert client.get(f"/accounts/{page}/").status_code == 404
