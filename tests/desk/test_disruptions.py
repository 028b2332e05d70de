"""Outages at the desk and in the portal: declared, told by mail, reports gathered (P04, P06)."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions import disruptions as acts
from acuse.connectors import smtp
from acuse.interfaces.jobs import disruptions as sending
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs import notices as notices_sent
from acuse.models import Address, Disruption, DisruptionLetter, Notice, Person
from acuse.queries.family import family_of
from tests.desk.conftest import NOW
from tests.web.entering import Browser, words_of
from tests.world import HOUR, World, last_line

GIVEN = {"since": "2026-11-19T08:00", "text_es": "Trabajamos en ello", "text_en": "We are on it"}


def declared(world: World, **given: Any) -> Disruption:
    data = GIVEN | {"environments": [world.production.pk]} | given
    answer = Browser(world.sara).post("/desk/outages/new", data)
    assert answer.status_code == 302, words_of(answer)
    return Disruption.objects.latest("pk")


def posted(
    trouble: Exception | None = None, sent: list[EmailMessage] | None = None
) -> list[EmailMessage]:
    """The mails that go out when the worker looks, after those `sent` before."""
    sent = [] if sent is None else sent

    def send(server: object, sender: str, to: str, raw: bytes) -> None:
        if trouble is not None:
            raise trouble
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert sender == ""
        sent.append(message)

    with patch.object(smtp, "send", send):
        sending.send_pending(lambda: NOW)
    return sent


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return " ".join(part.get_content().split())


def test_everybody_gets_one_mail_in_their_language(world: World) -> None:
    Person.objects.filter(pk=world.beto.pk).update(language="en")
    Person.objects.filter(pk=world.omar.pk).update(language="pt")
    found = declared(world)
    mails = {mail["To"].addresses[0].addr_spec: mail for mail in posted()}
    assert set(mails) == {f"{who}@andina.example" for who in ("ana", "beto", "lina", "omar")}
    assert posted() == []
    english = mails["beto@andina.example"]
    assert english["Subject"] == "Outage: Producción"
    assert english["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        said = text_of(english, kind)
        assert "Producción does not work as it should." in said
        assert "We are on it" in said
        assert f"/status#outage-{found.pk}" in said
    assert "Trabajamos en ello" in text_of(mails["ana@andina.example"])
    assert "Trabajamos en ello" in text_of(mails["omar@andina.example"])  # none in theirs
    assert len({mail["Message-ID"] for mail in mails.values()}) == 4
    assert len({mail["Subject"] for mail in mails.values()}) >= 1
    assert not DisruptionLetter.objects.filter(sent_at=None).exists()


def test_a_letter_names_only_what_its_reader_uses(world: World) -> None:
    cloud = admin.add_environment(world.brisa, "Nube")
    declared(world, environments=[world.production.pk, cloud.pk])
    for mail in posted():
        ours = mail["To"].addresses[0].domain == "andina.example"
        said = mail["Subject"] + text_of(mail) + text_of(mail, "html")
        assert ("Producción" in said) == ours
        assert ("Nube" in said) == (not ours)
        assert "Brisa" not in said
        assert not re.search(r"C-\d", said)


def test_later_words_stand_under_the_first(world: World) -> None:
    found = declared(world)
    first = {mail["To"]: mail["Message-ID"] for mail in posted()}
    browser = Browser(world.mario)
    words = f"/desk/outages/{found.pk}/words"
    assert browser.post(words, {"text_es": "Ya casi"}).status_code == 302
    second = posted()
    assert {mail["To"]: mail["In-Reply-To"] for mail in second} == first
    assert browser.post(words, {"text_es": "Listo", "end": "1"}).status_code == 302
    assert all("Listo" in text_of(mail) for mail in posted())
    found.refresh_from_db()
    assert found.ended_at == NOW
    again = browser.post(words, {"text_es": "Otra vez"})
    assert again.status_code == 422
    assert found.words.count() == 3


def test_what_a_server_does_not_take_is_tried_again_or_given_up(world: World) -> None:
    declared(world)
    assert posted(smtp.NotTaken("full", permanent=False)) == []
    letter = DisruptionLetter.objects.order_by("pk").first()
    assert letter is not None
    assert (letter.tries, letter.failed_at) == (1, None)
    assert letter.not_before is not None
    assert posted() == []  # not yet
    DisruptionLetter.objects.update(not_before=None)
    posted(smtp.NotTaken("nobody there", permanent=True))
    assert DisruptionLetter.objects.filter(failed_at=NOW).count() == 4
    assert Address.objects.filter(bouncing_since=NOW).count() == 4
    assert posted() == []


def test_whoever_has_left_gets_no_letter_any_more(world: World) -> None:
    declared(world)
    admin.end_role(world.lina.memberships.get(), world.lina.memberships.get().since + HOUR)
    Person.objects.filter(pk=world.omar.pk).update(is_active=False)
    assert {mail["To"].addresses[0].username for mail in posted()} == {"ana", "beto"}
    assert DisruptionLetter.objects.filter(failed_at=NOW).count() == 2
    assert not Address.objects.filter(bouncing_since__isnull=False).exists()


def test_one_letter_that_cannot_be_written_stops_no_other(world: World) -> None:
    declared(world)
    real = sending.write

    def write(letter: DisruptionLetter, at: Any) -> bytes:
        if letter.person_id == world.ana.pk:
            raise RuntimeError("odd")
        return real(letter, at)

    with patch.object(sending, "write", write):
        assert len(posted()) == 3
    assert DisruptionLetter.objects.get(sent_at=None).person == world.ana


def test_a_letter_whose_sending_could_not_be_noted_goes_again_as_the_same(world: World) -> None:
    """At least once: the reader's programme sees by its name that it is the same letter."""
    declared(world)
    sent: list[EmailMessage] = []
    real, noted = acts.note_sent, []

    def note_sent(letter: DisruptionLetter, at: datetime) -> None:
        noted.append(letter.person.email)
        if len(noted) == 2:  # one before it has been noted, two after it have not been sent
            raise OperationalError("the database went away")
        real(letter, at)

    with patch.object(acts, "note_sent", note_sent):
        with pytest.raises(OperationalError):
            posted(sent=sent)
        assert len(sent) == 2
        posted(sent=sent)
        posted(sent=sent)
    names: dict[str, list[str]] = {}
    for mail in sent:
        names.setdefault(mail["To"].addresses[0].addr_spec, []).append(mail["Message-ID"])
    twice = noted[1]
    assert {address: len(ids) for address, ids in names.items()} == {
        f"{who}@andina.example": 1 for who in ("ana", "beto", "lina", "omar")
    } | {twice: 2}
    assert len(set(names[twice])) == 1
    assert len({mail["Message-ID"] for mail in sent}) == 4
    assert DisruptionLetter.objects.filter(sent_at=NOW, tries=0, error="").count() == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"environments": []}, "environments"),
        ({"since": "2027-01-01T00:00"}, "since"),
        ({"since": "ayer"}, "since"),
        ({"text_es": "", "text_en": ""}, "text_es"),
        ({"parent": "C-999"}, "parent"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_kept(
    world: World, changes: dict[str, Any], field: str
) -> None:
    data = GIVEN | {"environments": [world.production.pk], "system": "Odoo.sh"} | changes
    response = Browser(world.sara).post("/desk/outages/new", data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert "Odoo.sh" in response.content.decode()
    assert not Disruption.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("carlos", 403), ("ada", 403), ("ana", 404)])
def test_support_and_managers_declare(world: World, who: str, status: int) -> None:
    found = declared(world)
    browser = Browser(world.people[who])
    data = GIVEN | {"environments": [world.production.pk]}
    assert browser.post("/desk/outages/new", data).status_code == status
    assert browser.post(f"/desk/outages/{found.pk}/words", GIVEN).status_code == status
    assert browser.post(f"/desk/outages/{found.pk}/reports", {}).status_code == status
    assert found.words.count() == 1
    reads = 200 if status == 403 else 404
    assert browser.get(f"/desk/outages/{found.pk}").status_code == reads


def test_the_portal_shows_it_to_its_customers_only(world: World) -> None:
    found = declared(world)
    for path in ("/", "/status"):
        assert "Trabajamos en ello" in words_of(Browser(world.ana).get(path)), path
        assert "Trabajamos en ello" not in words_of(Browser(world.nora).get(path)), path
    acts.end(found, {"es": "Listo ya"}, by=world.sara, at=NOW)
    assert "Listo ya" not in words_of(Browser(world.ana).get("/"))
    assert "Listo ya" in words_of(Browser(world.ana).get("/status"))


def confirmation(world: World, person: Person) -> str:
    notice = Notice.objects.filter(person=person, line__kind="open").latest("pk")
    raw = letters.write(notices_sent._load(notice.pk), NOW).content
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return text_of(message) + text_of(message, "html")


def test_whoever_reports_the_same_is_told_that_it_is_known(world: World) -> None:
    found = declared(world)
    world.report(at=NOW + HOUR, environment=world.production)
    said = confirmation(world, world.ana)
    assert said.count(f"/status#outage-{found.pk}") == 2
    world.report("nora", at=NOW + HOUR)
    assert "/status#outage" not in confirmation(world, world.nora)
    acts.end(found, {"es": "Listo"}, by=world.sara, at=NOW + HOUR)
    world.report(at=NOW + 2 * HOUR)
    assert "/status#outage" not in confirmation(world, world.ana)


def test_a_report_is_attached_by_one_click_and_answered_with_the_others(world: World) -> None:
    found = declared(world)
    case, other = world.report(at=NOW), world.report("beto", at=NOW)
    sara = Browser(world.sara)
    page = sara.look(case).content.decode()
    assert f'name="parent" value="C-{found.parent_id}"' in page
    assert f"/desk/outages/{found.pk}" in page
    sent = sara.send(case, "parent", parent=f"C-{found.parent_id}")
    assert sent.status_code == 302
    assert 'name="parent"' not in sara.look(case).content.decode()
    assert f"/status#outage-{found.pk}" in Browser(world.ana).look(case).content.decode()
    reports = f"/desk/outages/{found.pk}/reports"
    ticked = [other.pk, case.pk, "x", 999, "²", "9" * 5000]
    assert sara.post(reports, {"case": ticked}).status_code == 302
    assert [row.pk for row in family_of(found.parent).children] == [case.pk, other.pk]
    acts.end(found, {"es": "Listo"}, by=world.sara, at=NOW)
    outage = sara.get(f"/desk/outages/{found.pk}").content.decode()
    assert f"/desk/cases/{case.number}/cancellation?reason=solved_itself" in outage
    assert f"/desk/cases/{found.parent.number}/attached-answer" in outage
    assert "reason=solved_itself" in sara.look(case).content.decode()
    answer = sara.look(found.parent, "attached-answer").content.decode()
    assert answer.count(" checked") == 2
    told = sara.send(found.parent, "attached-answer", children=[case.pk], text="Ya funciona")
    assert told.status_code == 302
    assert last_line(case).kind == "comment"
    assert last_line(other).kind == "attach_to_parent"
    leak = sara.send(
        found.parent, "attached-answer", children=[case.pk, other.pk], text=f"{found.parent} listo"
    )
    assert leak.status_code == 409
    assert "listo" in leak.content.decode()
    assert sara.send(case, "parent-removal").status_code == 302
    assert [row.pk for row in family_of(found.parent).children] == [other.pk]


def test_the_pages_ask_alike_however_many_outages_and_reports(world: World) -> None:
    found = declared(world)
    environments = [admin.add_environment(world.andina, f"E{n}") for n in range(6)]
    sara, ana = Browser(world.sara), Browser(world.ana)
    counts: list[list[int]] = []
    for number in (1, 6):
        for n in range(number):
            world.report(at=NOW, environment=world.production)
            if not environments[n].disruptions.exists():
                acts.declare(
                    world.on(None, "sara", at=NOW),
                    environments=[environments[n]],
                    since=NOW,
                    texts={"es": "x"},
                )
        row = []
        for browser, path in (
            (sara, "/desk/outages"),
            (sara, f"/desk/outages/{found.pk}"),
            (ana, "/"),
            (ana, "/status"),
        ):
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(path).status_code == 200
            row.append(len(asked))
        counts.append(row)
    assert counts[0] == counts[1]
