"""Whose cases home shows, what the organisation's page holds, and what a receipt takes along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions import billing, conversation, triage
from acuse.models import Area, Attachment, Case, LedgerLine, Membership, PolicyVersion
from acuse.policy.billing import Activity
from acuse.policy.contracts import HourBank, Renewal
from acuse.policy.stages import Role
from tests.web.entering import Browser, StoppedClock, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]


def listed(browser: Browser, **asked: str) -> set[int]:
    return {row.case.pk for row in browser.get("/", asked).context["cases"].rows}


def test_each_sees_first_what_is_theirs(world: World, enter: Enter) -> None:
    of_ana, of_beto, elsewhere = (
        world.report(),
        world.report(who="beto"),
        world.report(who="nora"),
    )
    area = Area.objects.create(organisation=world.andina, name="Bodega")
    Case.objects.filter(pk=of_beto.pk).update(area=area)
    held = Membership.objects.filter(person=world.lina, role=Role.LEAD)
    assert held.update(area=area) == 1
    assert listed(enter("ana")) == {of_ana.pk}
    assert listed(enter("ana"), whose="organisation") == {of_ana.pk, of_beto.pk}
    assert listed(enter("lina")) == {of_beto.pk}
    assert listed(enter("lina"), whose="organisation") == {of_ana.pk, of_beto.pk}
    assert listed(enter("omar")) == {of_ana.pk, of_beto.pk}
    assert listed(enter("omar"), whose="mine") == set()
    assert elsewhere.pk not in listed(enter("omar"), whose="organisation")
    said = words_of(enter("ana").get("/"))
    assert "Of my organisation" in said
    assert "Of my area" not in said
    assert "Of my area" in words_of(enter("lina").get("/"))
    assert listed(enter("ana"), whose="area") == {of_ana.pk}  # she leads none


def test_what_somebody_follows_is_theirs_too(world: World, enter: Enter) -> None:
    case = world.report(who="beto")
    conversation.watch(world.on(case, "ana"))
    assert listed(enter("ana")) == {case.pk}


def attach(browser: Browser, case: Case, name: str) -> None:
    browser.send(case, "attachment", files=[SimpleUploadedFile(name, name.encode(), "text/plain")])


def test_documents_are_those_one_may_see_newest_first(
    world: World, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acuse.interfaces.portal.views.MANY_DOCUMENTS", 2)
    case, other = world.report(), world.report(who="nora")
    browser = enter("ana")
    for name in ("uno.txt", "dos.txt", "tres.txt"):
        attach(browser, case, name)
    attach(enter("nora"), other, "de-brisa.txt")
    note = SimpleUploadedFile("interno.txt", b"interno", "text/plain")
    enter("sara").send(case, "note", text="Solo nosotros", files=[note])
    assert Attachment.objects.count() == 5
    said = words_of(browser.get("/organisation"))
    assert said.index("tres.txt") < said.index("dos.txt") < said.index("uno.txt")
    assert "de-brisa.txt" not in said
    assert "interno.txt" not in said
    first = browser.get("/organisation/documents")
    assert [row.filename for row in first.context["documents"].files] == ["tres.txt", "dos.txt"]
    before = first.context["documents"].before
    second = browser.get("/organisation/documents", {"before": str(before)})
    assert [row.filename for row in second.context["documents"].files] == ["uno.txt"]
    assert second.context["documents"].before is None
    assert browser.get("/organisation/documents", {"before": "no"}).status_code == 200


def test_the_lists_of_the_organisation_ask_alike_however_long(world: World, enter: Enter) -> None:
    case, browser = world.report(), enter("ana")
    counts = []
    for wanted in (1, 3, 30):
        while Attachment.objects.count() < wanted:
            attach(browser, case, f"{Attachment.objects.count()}.txt")
        with CaptureQueriesContext(connection) as found:
            browser.get("/organisation/documents")
        counts.append(len(found))
    assert counts[0] == counts[1] == counts[2] <= 12, counts


def test_the_organisation_shows_its_systems_and_every_version_of_the_policies(
    world: World, enter: Enter
) -> None:
    page = enter("ana").get("/organisation")
    said = words_of(page)
    assert "Producción" in said
    for version in PolicyVersion.objects.all():
        assert f"Version {version.number}" in said


def test_the_hours_of_a_contract_are_shown_to_its_customer_alone(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    admin.publish_contract(
        world.contract.contract,
        valid_from=START.date().replace(day=1),
        valid_until=None,
        rates=world.rates,
        calendar=world.calendar,
        policy=world.policy,
        sla=world.sla,
        bank=HourBank(600, Renewal.MONTHLY),
    )
    case = world.analysed()
    clock.at = START + timedelta(days=1)
    for minutes in (90, 60):
        billing.log_time(
            world.on(case, "sara"),
            work_date=START.date(),
            minutes=minutes,
            activity=Activity.DIAGNOSIS,
            text="Mirar",
        )
    said = words_of(enter("ana").get("/organisation"))
    assert "Hours included10 h · " in said
    assert "Used2 h 30 min · 7 h 30 min left" in said
    other = words_of(enter("nora").get("/organisation"))
    assert "There is no contract" in other
    for hidden in ("Hours included", "Used", "7 h 30 min", world.contract.contract.name):
        assert hidden not in other


def test_a_receipt_is_taken_along_as_text(world: World, enter: Enter) -> None:
    case = world.report()
    response = enter("ana").get(f"/cases/{case.number}/receipts/1/text")
    text = response.content.decode()
    line = LedgerLine.objects.get(case=case, seq=1)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{line.receipt}.txt"'
    for told in (line.receipt, line.hash, case.subject, str(world.ana), line.at.isoformat()[:13]):
        assert told in text or told == line.at.isoformat()[:13]
    assert "&#" not in text
    assert enter("nora").get(f"/cases/{case.number}/receipts/1/text").status_code == 404
    assert enter("ana").get(f"/cases/{case.number}/receipts/9/text").status_code == 404


# The confirmation repeats what is decided ------------------------------------------------------


def confirmed(browser: Browser, case: Case, noun: str, **typed: object) -> str:
    asked = browser.get(f"/cases/{case.number}/{noun}").context["form"]
    given = {field.html_name: field.value() or "" for field in asked} | typed
    shown = browser.post(f"/cases/{case.number}/{noun}", given)
    assert "Please confirm" in words_of(shown), words_of(shown)
    return str(shown.context["repeated"])


def test_the_confirmation_repeats_name_time_and_money(world: World, enter: Enter) -> None:
    proposed = world.proposed()
    said = confirmed(enter("ana"), proposed, "proposal-acceptance")
    assert "version 1" in said
    assert "5 h" in said
    said = confirmed(enter("ana"), world.to_authorize(), "authorization")
    assert "scope, version 1" in said
    delivered = world.delivered()
    objections = {
        "objections-TOTAL_FORMS": "2",
        "objections-INITIAL_FORMS": "0",
        "objections-0-what": "No suma",
        "objections-0-why": "Falta el IVA",
        "objections-1-what": "",
        "objections-1-why": "",
    }
    assert "1 objection" in confirmed(enter("ana"), delivered, "rejection", **objections)
    assert "“Entrega development”, version 1" in confirmed(enter("ana"), delivered, "acceptance")


def test_the_confirmation_repeats_the_lines_of_time(world: World, enter: Enter) -> None:
    case = world.accepted()
    for minutes in (60, 90):
        billing.log_time(
            world.on(case, "carlos"),
            work_date=case.opened_at.date(),
            minutes=minutes,
            activity=Activity.MEETING,
            text="Reunión",
        )
    billing.submit_time(world.on(case, "carlos"))
    said = confirmed(enter("ana"), case, "time-approval")
    assert "2 lines" in said
    assert "2 h 30 min" in said


def test_a_decision_is_passed_on_from_its_card_and_taken_back(world: World, enter: Enter) -> None:
    case = world.submitted()
    owner = enter("omar")
    page = owner.look(case)
    assert f"/cases/{case.number}/delegation?decision=scope" in page.content.decode()
    form = owner.get(f"/cases/{case.number}/delegation?decision=scope").context["form"]
    assert form["decision"].value() == "scope"
    offered = enter("ana").get(f"/cases/{case.number}/delegation").context["form"]
    assert "scope" not in dict(offered.fields["decision"].choices)
    triage.delegate_decision(world.on(case, "omar"), person=world.ana, decision="scope")
    assert "Passed on" in words_of(owner.look(case))
    assert [d.choice.yes_act for d in enter("ana").look(case).context["decisions"]] == [
        "validate_scope"
    ]
    assert owner.send(case, "delegation-end").status_code in (302, 422)
    given = case.delegations.get()
    if given.ended_at is None:
        assert owner.send(case, "delegation-end", delegation=given.pk).status_code == 302
    assert not enter("ana").look(case).context["decisions"]


@pytest.mark.parametrize("odd", ["²", "-1", "9" * 5000, "1\0", "0"])
def test_an_odd_number_in_an_address_is_the_first_page(enter: Enter, odd: str) -> None:
    ana, sara = enter("ana"), enter("sara")
    for address, name in (
        ("/", "page"),
        ("/organisation/documents", "before"),
        ("/notices", "before"),
    ):
        assert ana.get(address, {name: odd}).status_code == 200, address
    for address, name in (("mail", "page"), ("mail/unsent", "before"), ("people", "organisation")):
        assert sara.get(f"/desk/{address}", {name: odd}).status_code == 200, address
    assert sara.get("/desk/outages/new", {"environment": odd}).status_code in (200, 403)
