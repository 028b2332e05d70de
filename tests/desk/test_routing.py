"""Routing at the desk: rules with their preview, who takes cases, absences (P14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from acuse.actions import administration as admin
from acuse.actions.routing_rules import RuleFacts, add_rule, set_rule_retired
from acuse.actions.staffing import SkillFacts, add_absence, set_skills
from acuse.interfaces.jobs.routing import route_waiting
from acuse.models import (
    Absence,
    Case,
    Change,
    Person,
    Queue,
    RoutingRule,
    RuleVersion,
    Skills,
    Specialty,
)
from acuse.models.routing import rules_in_force
from acuse.policy.calendar import around_the_clock
from tests.desk.conftest import NOW
from tests.web.entering import words_of
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")
TODAY = date(2026, 11, 19)
DAY = timedelta(days=1)


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def queue() -> Queue:
    return Queue.objects.get(code="soporte")


def rule(world: World, name: str = "Todo", **asked: Any) -> RoutingRule:
    return add_rule(RuleFacts(name, queue(), **asked), by=world.mario, at=START)


def typed(name: str = "Andina", **more: Any) -> dict[str, Any]:
    return {"name": name, "queue": queue().pk} | more


@pytest.mark.parametrize("who", ["mario", "ada"])
def test_a_rule_is_set_up_previewed_and_changed(world: World, who: str) -> None:
    client = enter(world.people[who])
    case, _other = world.report(), world.report("nora")
    given = typed(customer=world.andina.pk, level="n2")
    shown = client.post("/desk/routing/new", given | {"preview": "yes"})
    assert shown.status_code == 200
    assert "1 of the last 2 cases" in words_of(shown)
    assert f"{case.number} No imprime" in words_of(shown)
    assert not RoutingRule.objects.exists()  # nothing is kept by looking
    assert client.post("/desk/routing/new", given)["Location"] == "/desk/routing"
    made = RoutingRule.objects.get()
    page = f"/desk/routing/{made.pk}"
    assert "Customer: Andina" in words_of(client.get("/desk/routing"))
    changed = given | {"number": 1, "customer": "", "priority": "low"}
    assert "2 of the last 2" in words_of(client.post(page, changed | {"preview": "yes"}))
    assert client.post(page, changed)["Location"] == "/desk/routing"
    newest = made.versions.latest("number")
    assert (newest.number, newest.customer, newest.priority, newest.since) == (2, None, "low", NOW)
    assert Change.objects.get(act="edit").by == world.people[who]
    assert "Customer: Andina → —" in words_of(client.get(page))
    assert client.post(page, changed).status_code == 422  # from a page of before
    assert RuleVersion.objects.count() == 2


def test_the_preview_is_what_happens(world: World) -> None:
    rule(world, "Brisa", customer=world.brisa)
    cases = [world.report(who, at=START + n * DAY / 24) for n, who in enumerate(["ana", "nora"])]
    shown = enter(world.mario).post("/desk/routing/new", typed("Resto") | {"preview": "yes"})
    (taken,) = shown.context["preview"].taken
    assert taken == cases[0]
    assert shown.context["preview"].overtaken == 1
    assert "A rule before it takes 1 more" in words_of(shown)
    made = rule(world, "Resto")
    route_waiting(NOW)
    ids = Case.objects.filter(ledger__payload__rule=made.versions.get().pk)
    assert [case.pk for case in ids] == [taken.pk]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "todo"}, "name"),
        ({"queue": ""}, "queue"),
        ({"level": "n7"}, "level"),
        ({"customer": "firm"}, "customer"),
        ({"customer": "brisa", "environment": "production"}, "environment"),
    ],
)
def test_a_wrong_rule_is_told_by_its_field(world: World, wrong: dict[str, str], field: str) -> None:
    rule(world)
    rows = {"firm": world.firm.pk, "brisa": world.brisa.pk, "production": world.production.pk}
    given = typed() | {name: rows.get(value, value) for name, value in wrong.items()}
    response = enter(world.ada).post("/desk/routing/new", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert response.context["form"]["name"].value() == given["name"]
    assert RoutingRule.objects.count() == 1


def test_order_retirement_and_return(world: World) -> None:
    client = enter(world.mario)
    first, second = rule(world, "Uno"), rule(world, "Dos", environment=world.production)
    page = words_of(client.get("/desk/routing"))
    assert "Environment: Andina · Producción" in page
    assert "Never takes anything: “Uno” takes all of it before." in page
    assert client.post(f"/desk/routing/{second.pk}/place", {"to": "up"}).status_code == 302
    assert [version.rule for version in rules_in_force()] == [second, first]
    assert "Never takes anything" not in words_of(client.get("/desk/routing"))
    client.post(f"/desk/routing/{second.pk}/place", {"to": "down"})
    assert [version.rule for version in rules_in_force()] == [first, second]
    assert client.post(f"/desk/routing/{first.pk}/retirement").status_code == 302
    assert [version.rule for version in rules_in_force()] == [second]
    assert "Uno · retired" in words_of(client.get("/desk/routing"))
    client.post(f"/desk/routing/{first.pk}/place", {"to": "up"})  # out of use: has no place
    client.post(f"/desk/routing/{first.pk}/restoration")
    assert [version.rule for version in rules_in_force()] == [second, first]
    history = words_of(client.get(f"/desk/routing/{first.pk}"))
    assert "took it into use again" in history


def test_a_rule_comes_back_only_to_a_queue_in_use(world: World) -> None:
    made = rule(world)
    set_rule_retired(made, True, by=world.mario, at=START)
    Queue.objects.update(retired_at=START)
    client = enter(world.mario)
    response = client.post(f"/desk/routing/{made.pk}/restoration", follow=True)
    assert "Soporte is retired" in words_of(response)
    assert rules_in_force() == []


@pytest.mark.parametrize("who", ["sara", "carlos"])
def test_rules_are_read_by_the_firm_and_kept_by_those_who_run_it(world: World, who: str) -> None:
    made, client = rule(world), enter(world.people[who])
    page = client.get("/desk/routing")
    assert page.status_code == 200
    assert "Set up a rule" not in words_of(page)
    addresses = ["/desk/routing/new", f"/desk/routing/{made.pk}"]
    addresses += [
        f"/desk/routing/{made.pk}/{act}" for act in ("place", "retirement", "restoration")
    ]
    addresses += [f"/desk/people/{world.sara.pk}/skills"]
    for address in addresses:
        assert client.post(address, typed()).status_code == 403, address
    assert made.versions.count() == 1
    assert not Skills.objects.exists()


def test_to_a_customer_none_of_it_exists(world: World) -> None:
    made, client = rule(world), enter(world.omar)
    absence = add_absence(world.sara, TODAY, TODAY, by=world.sara, at=START)
    for address in ("routing", "routing/new", f"routing/{made.pk}", "agents", "absences"):
        assert client.get(f"/desk/{address}").status_code == 404, address
    assert client.post(f"/desk/absences/{absence.pk}/end").status_code == 404
    absence.refresh_from_db()
    assert absence.ended_at is None


def test_what_is_not_there_is_missing(world: World) -> None:
    client = enter(world.mario)
    assert client.get("/desk/routing/999").status_code == 404
    assert client.post("/desk/routing/999/retirement").status_code == 404
    assert client.get("/desk/people/999/skills").status_code == 404
    assert client.get(f"/desk/people/{world.ana.pk}/skills").status_code == 404
    assert client.post("/desk/absences/999/end").status_code == 404


def test_the_page_of_the_rules_takes_as_many_queries_for_many(
    world: World,
    django_assert_num_queries: Callable[[int], Any],
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    client = enter(world.sara)
    rule(world, "Uno", customer=world.andina)
    world.report()
    client.get("/desk/routing")  # what is kept in memory is read
    with django_assert_max_num_queries(20) as first:
        client.get("/desk/routing")
    wanted = len(first)  # now: the next request empties the log
    for number in range(5):
        rule(world, f"Otra {number}", environment=world.production)
        world.report()
    with django_assert_num_queries(wanted):
        client.get("/desk/routing")


# People


def test_what_somebody_knows_is_kept_and_shown(world: World) -> None:
    admin.add_words(Specialty, [("contable", "Contabilidad")])
    admin.publish_calendar(around_the_clock("America/Bogota"), "Noches")
    client = enter(world.ada)
    address = f"/desk/people/{world.sara.pk}/skills"
    assert client.get(address).status_code == 200
    given = {
        "specialties": [Specialty.objects.get().pk],
        "languages": ["pt"],
        "customers": [world.andina.pk],
        "calendar": "Noches",
    }
    assert client.post(address, given)["Location"] == "/desk/agents"
    skills = Skills.objects.get(person=world.sara)
    assert (skills.languages, skills.calendar) == (["pt"], "Noches")
    shown = words_of(client.get("/desk/agents"))
    assert "Sara SoporteThere now · NochesN1ContabilidadEnglish, PortugueseAndina" in shown
    wrong = client.post(address, given | {"languages": ["fr"], "calendar": "Luna"})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"languages", "calendar"}
    history = words_of(client.get(f"/desk/people/{world.sara.pk}"))
    assert "changed what cases are routed by" in history
    assert "Specialties: Contabilidad" in history


def test_the_page_of_the_people_takes_as_many_queries_for_many(
    world: World,
    django_assert_num_queries: Callable[[int], Any],
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    client = enter(world.mario)
    admin.add_words(Specialty, [("contable", "Contabilidad")])
    given = {"customers": [world.andina.pk], "specialties": [Specialty.objects.get().pk]}
    client.post(f"/desk/people/{world.sara.pk}/skills", given)
    client.get("/desk/agents")
    with django_assert_max_num_queries(20) as first:
        client.get("/desk/agents")
    wanted = len(first)  # now: the next request empties the log
    for number in range(4):
        person = admin.add_person(f"x{number}@firm.example", f"X {number}")
        admin.give_role(person, world.firm, "support", since=START)  # type: ignore[arg-type]
        client.post(f"/desk/people/{person.pk}/skills", given)
    with django_assert_num_queries(wanted):
        client.get("/desk/agents")


def test_who_is_not_there_is_said(world: World) -> None:
    shut = {TODAY + n * DAY: "Cerrado" for n in range(60)}
    closed = replace(world.calendar.calendar, holidays=shut)
    admin.publish_calendar(closed, "Cerrado")
    set_skills(world.carlos, SkillFacts(calendar="Cerrado"), by=world.ada, at=START)
    add_absence(world.sara, TODAY, TODAY, by=world.sara, at=START)
    shown = words_of(enter(world.mario).get("/desk/agents"))
    assert "Carlos ConsultorDoes not work these weeks · Cerrado" in shown
    assert "Sara SoporteAbsent" in shown


# Absences


def away(first: date = TODAY, last_day: date = TODAY, **more: Any) -> dict[str, Any]:
    return {"first": first.isoformat(), "last_day": last_day.isoformat()} | more


def test_an_agent_notes_and_ends_their_own_absence(world: World) -> None:
    client = enter(world.sara)
    given = away(last_day=TODAY + DAY, person=world.sara.pk, substitute=world.paula.pk)
    assert client.post("/desk/absences", given)["Location"] == "/desk/absences"
    absence = Absence.objects.get()
    assert (absence.person, absence.substitute) == (world.sara, world.paula)
    page = words_of(client.get("/desk/absences"))
    assert "Sara SoporteAway now" in page
    assert "Paula Puente" in page
    assert client.post(f"/desk/absences/{absence.pk}/end").status_code == 302
    absence.refresh_from_db()
    assert absence.ended_at == NOW
    assert "Nobody is away" in words_of(client.get("/desk/absences"))
    acts = Change.objects.filter(subject="person").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["add_absence", "end_absence"]


def test_nobody_notes_or_ends_anothers_absence_but_who_runs_the_firm(world: World) -> None:
    given = away(person=world.carlos.pk)
    refused = enter(world.sara).post("/desk/absences", given)
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["person"]
    assert not Absence.objects.exists()
    assert enter(world.mario).post("/desk/absences", given).status_code == 302
    absence = Absence.objects.get()
    assert enter(world.sara).post(f"/desk/absences/{absence.pk}/end").status_code == 404
    absence.refresh_from_db()
    assert absence.ended_at is None
    assert enter(world.ada).post(f"/desk/absences/{absence.pk}/end").status_code == 302


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"first": "mañana"}, "first"),
        ({"last_day": "2026-11-18"}, "last_day"),
        ({"first": "2026-11-01", "last_day": "2026-11-02"}, "last_day"),
        ({"substitute": "self"}, "substitute"),
        ({"substitute": "customer"}, "substitute"),
    ],
)
def test_a_wrong_absence_is_told_by_its_field(
    world: World, wrong: dict[str, str], field: str
) -> None:
    people = {"self": world.sara.pk, "customer": world.ana.pk}
    given = away(person=world.sara.pk) | {n: people.get(v, v) for n, v in wrong.items()}
    response = enter(world.sara).post("/desk/absences", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Absence.objects.exists()


def test_two_absences_do_not_overlap(world: World) -> None:
    client = enter(world.sara)
    client.post("/desk/absences", away(person=world.sara.pk))
    again = client.post("/desk/absences", away(last_day=TODAY + DAY, person=world.sara.pk))
    assert list(again.context["form"].errors) == ["first"]
    assert Absence.objects.count() == 1


def test_the_page_of_absences_takes_as_many_queries_for_many(
    world: World,
    django_assert_num_queries: Callable[[int], Any],
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    client = enter(world.sara)
    client.get("/desk/absences")
    with django_assert_max_num_queries(20) as first:
        client.get("/desk/absences")
    wanted = len(first)  # now: the next request empties the log
    for number in range(1, 6):
        day = TODAY + number * DAY
        add_absence(world.sara, day, day, by=world.sara, at=START, substitute=world.paula)
    with django_assert_num_queries(wanted):
        client.get("/desk/absences")


# The case


def test_the_case_says_why_somebody_has_it(world: World) -> None:
    rule(world, "Todo")
    case = world.report()
    route_waiting(START + DAY)
    shown = words_of(enter(world.mario).get(f"/desk/cases/{case.number}"))
    why = "rule “Todo”; queue Soporte; N1;"
    assert shown.count(why) == 2  # beside the assignee, and in the ledger


def test_a_customer_is_not_told_who_was_looked_for(world: World) -> None:
    rule(world, "Regla de la firma")
    case = world.report()
    route_waiting(START + DAY)
    shown = words_of(enter(world.ana).get(f"/cases/{case.number}"))
    assert "Regla de la firma" not in shown
