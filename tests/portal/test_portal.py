"""The customer's pages: what waits, reporting, one case, the organisation, the profile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from acuse.actions import conversation, deliveries, life
from acuse.models import Case, Dispatch, LedgerLine, PolicyAcceptance, Window
from acuse.policy.stages import Stage
from tests.web.entering import Browser, StoppedClock, words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]
HOUR = timedelta(hours=1)


def test_home_shows_first_what_waits_with_its_date_and_what_silence_does(
    world: World, enter: Enter
) -> None:
    later = world.delivered(subject="La segunda", at=START + 30 * HOUR)
    sooner = world.delivered(subject="La primera")
    quiet = world.report(subject="Nada que decidir")
    page = enter("ana").get("/")
    assert [row.case.pk for row in page.context["waiting"]] == [sooner.pk, later.pk]
    said = words_of(page)
    assert "If you do not answer, it will count as accepted that day." in said
    assert said.index("La primera") < said.index("La segunda") < said.index("Nada que decidir")
    assert quiet.pk in [row.case.pk for row in page.context["cases"].rows]


def test_home_filters_by_end_and_by_reporter_and_pages(world: World, enter: Enter) -> None:
    for number in range(21):
        world.report(who="beto", subject=f"De Beto {number}", at=START + number * HOUR)
    mine = world.report(who="ana", at=START + 22 * HOUR)
    ended = world.closed()
    browser = enter("ana")
    first = browser.get("/", {"whose": "organisation"}).context["cases"]
    assert (len(first.rows), first.before, first.after) == (20, None, 2)
    second = browser.get("/", {"whose": "organisation", "page": "2"}).context["cases"]
    assert (len(second.rows), second.before, second.after) == (2, 1, None)
    only_mine = browser.get("/").context["cases"]
    assert [row.case.pk for row in only_mine.rows] == [mine.pk]
    only_ended = browser.get("/", {"state": "ended"}).context["cases"]
    assert [row.case.pk for row in only_ended.rows] == [ended.pk]
    assert browser.get("/", {"page": "no"}).status_code == 200


def test_empty_home_teaches_the_next_step(world: World, enter: Enter) -> None:
    said = words_of(enter("nora").get("/"))
    assert "Nothing waits for you." in said
    assert "Report one when something does not work" in said


REPORT = {
    "subject": "No imprime",
    "text": "Desde hoy",
    "impact": "whole_operation",
    "urgency": "work_blocked",
}


def test_a_case_is_reported_in_plain_words(world: World, enter: Enter) -> None:
    browser = enter("ana")
    shown = words_of(browser.get("/report"))
    assert "diagnosis and meetings are payable" in shown
    given = REPORT | {
        "organisation": world.andina.pk,
        "environment": world.production.pk,
        "key": "k",
    }
    sent = browser.post("/report", given)
    case = Case.objects.get()
    assert sent["Location"] == f"/cases/{case.number}/receipts/1"
    assert (case.priority, case.environment_id, case.reporter_id) == (
        "urgent",
        world.production.pk,
        world.ana.pk,
    )
    assert browser.post("/report", given)["Location"] == sent["Location"]
    assert Case.objects.count() == 1


def test_a_report_without_its_subject_keeps_the_rest(world: World, enter: Enter) -> None:
    given = REPORT | {"organisation": world.andina.pk, "subject": ""}
    response = enter("ana").post("/report", given)
    assert response.status_code == 422
    assert "Desde hoy" in response.content.decode()
    assert set(response.context["form"].errors) == {"subject"}
    assert not Case.objects.exists()


def test_a_report_for_somebody_elses_system_is_not_possible(world: World, enter: Enter) -> None:
    given = REPORT | {"organisation": world.brisa.pk, "environment": world.production.pk}
    response = enter("nora").post("/report", given)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"environment"}


def test_opening_the_case_proves_the_delivery_once(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    case = world.delivered(prove=False)
    version = case.versions.latest("pk")
    assert not Window.objects.filter(version=version).exists()
    browser = enter("beto")
    page = browser.look(case)
    assert "until Wednesday, 25 November 2026" in words_of(page)
    copy = Dispatch.objects.get(version=version, person=world.beto)
    assert copy.opened_at == clock.at
    assert Window.objects.get(version=version).starts_at == clock.at
    browser.look(case)
    assert (
        LedgerLine.objects.filter(case=case, kind="prove_delivery", author=world.beto).count() == 1
    )


def test_the_page_of_the_decision_proves_it_too(world: World, enter: Enter) -> None:
    case = world.delivered(prove=False)
    page = enter("ana").look(case, "acceptance")
    assert "Silence accepts the delivery on" in words_of(page)


def test_fetching_ahead_proves_nothing(world: World, enter: Enter) -> None:
    case = world.delivered(prove=False)
    enter("ana").get(f"/cases/{case.number}", headers={"Sec-Purpose": "prefetch"})
    enter("ana").head(f"/cases/{case.number}")
    assert not Window.objects.filter(version=case.versions.latest("pk")).exists()


def test_the_firm_looking_proves_nothing(world: World, enter: Enter) -> None:
    case = world.delivered(prove=False)
    enter("sara").look(case)
    assert not Window.objects.filter(version=case.versions.latest("pk")).exists()


def test_why_this_date_lists_every_day(world: World, enter: Enter) -> None:
    case = world.delivered(at=START)
    said = words_of(enter("ana").look(case))
    assert "Day of the event: does not count" in said
    assert "Weekend" in said
    assert "5 business days, counted from the day after the delivery (P24)." in said
    assert "The days of America/Bogota count" in said


def test_a_legal_date_names_its_zone_where_it_is_not_the_readers(
    world: World, enter: Enter
) -> None:
    case = world.delivered()
    world.ana.zone = "Europe/Madrid"
    world.ana.save()
    said = words_of(enter("ana").look(case))
    assert "Tuesday, 24 November 2026 (America/Bogota)" in said


def test_a_comment_in_the_term_holds_it(world: World, enter: Enter, clock: StoppedClock) -> None:
    case = world.delivered()
    browser = enter("ana")
    assert "a comment makes it stand still" in words_of(browser.look(case))
    assert browser.send(case, "comment", text="¿Incluye el IVA?").status_code == 302
    said = words_of(browser.look(case))
    assert "We are reading your comment" in said
    assert "¿Incluye el IVA?" in said


def test_what_the_firm_says_among_itself_is_not_shown(world: World, enter: Enter) -> None:
    case = world.analysed()
    conversation.internal_note(world.on(case, "sara"), text="Cliente difícil")
    assert "Cliente difícil" not in words_of(enter("ana").look(case))


def test_the_policies_are_asked_once_a_version(world: World, enter: Enter) -> None:
    first, second = world.report(), world.report()
    browser = enter("ana")
    assert "Please accept it once." in words_of(browser.look(first))
    browser.send(first, "policy-acceptance", policy=world.policy.pk)
    assert PolicyAcceptance.objects.get().person_id == world.ana.pk
    assert "Please accept it once." not in words_of(browser.look(second))


def test_each_version_waiting_has_its_own_card(world: World, enter: Enter) -> None:
    case = world.working("development", "documentation")
    for deliverable in case.deliverables.filter(proposal=False):
        life.deliver(world.on(case, "carlos"), deliverable=deliverable, text="Listo")
        world.prove(case)
    page = enter("ana").look(case)
    assert len(page.context["decisions"]) == 2
    assert page.content.decode().count("/acceptance?version=") == 2


def test_a_scope_is_decided_by_the_owner_alone(world: World, enter: Enter) -> None:
    case = world.submitted()
    assert not enter("ana").look(case).context["decisions"]
    (decision,) = enter("omar").look(case).context["decisions"]
    assert decision.choice.yes_act == "validate_scope"


def test_related_cases_are_shown_where_they_may_be_seen(world: World, enter: Enter) -> None:
    case = world.report()
    enter("ana").send(case, "change", subject="También por correo", text="Enviar el PDF")
    change = Case.objects.get(origin=case)
    assert change.number in words_of(enter("ana").look(case))
    assert case.number in words_of(enter("ana").look(change))


def test_the_organisation_shows_its_people_and_contracts(world: World, enter: Enter) -> None:
    said = words_of(enter("ana").get("/organisation"))
    assert "Omar Dueño" in said
    assert "Soporte Andina" in said
    assert "Nora" not in said
    said = words_of(enter("nora").get("/organisation"))
    assert "There is no contract: your cases are Low" in said


def test_the_policy_text_is_there_by_version(world: World, enter: Enter) -> None:
    browser = enter("ana")
    assert "Políticas" in words_of(browser.get("/policy/1"))
    assert browser.get("/policy/9").status_code == 404


def test_the_profile_changes_language_and_zone(world: World, enter: Enter) -> None:
    browser = enter("ana")
    given = {"name": "Ana R.", "language": "pt", "zone": "Europe/Lisbon"}
    assert browser.post("/profile", given).status_code == 302
    world.ana.refresh_from_db()
    assert (world.ana.name, world.ana.language, world.ana.zone) == (
        "Ana R.",
        "pt",
        "Europe/Lisbon",
    )
    assert 'lang="pt"' in browser.get("/profile").content.decode()
    wrong = browser.post("/profile", given | {"zone": "Marte/Base"})
    assert wrong.status_code == 422


def test_a_stranger_sees_their_own_case_and_may_comment(world: World, clock: StoppedClock) -> None:
    from acuse.actions import administration

    stranger = administration.add_person("desconocida@example.net", "Desconocida")
    stranger.language = "en"
    stranger.save()
    browser = Browser(stranger)
    browser.post("/report", {key: REPORT[key] for key in REPORT})
    case = Case.objects.get()
    assert case.organisation_id is None
    assert browser.look(case).status_code == 200
    assert browser.send(case, "comment", text="Soy de Andina").status_code == 302
    assert browser.send(case, "cancellation", reason="withdrawn").status_code == 409


def test_a_withdrawn_delivery_is_no_longer_asked(world: World, enter: Enter) -> None:
    case = world.delivered()
    version = case.versions.latest("pk")
    deliveries.withdraw_delivery(world.on(case, "carlos"), version=version, text="Otro archivo")
    assert not enter("ana").look(case).context["decisions"]
    assert world.fresh(case).stage == Stage.IN_PROGRESS


def test_signing_in_asks_for_the_address_first(db: None, client: Client) -> None:
    response = client.get("/", headers={"Accept-Language": "en"})
    assert response.status_code == 302
    page = client.get(response["Location"], headers={"Accept-Language": "en"})
    assert "there is no password" in words_of(page)
