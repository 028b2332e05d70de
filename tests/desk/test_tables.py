"""What contracts rest on, at the desk: committed times, rates, calendars, policies, in versions."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from acuse.actions import administration as admin
from acuse.interfaces.desk.table_forms import PARAMETERS, read_shifts, write_shifts
from acuse.models import (
    CalendarVersion,
    Change,
    Person,
    PolicyVersion,
    RateVersion,
    SlaVersion,
    Specialty,
)
from acuse.policy.billing import Activity
from acuse.policy.calendar import Shift
from acuse.policy.contracts import HourlyRate
from acuse.policy.fields import InvalidField
from acuse.policy.priority import Impact, Priority, Urgency
from acuse.policy.versions import PolicyParameters
from tests.desk.conftest import NOW
from tests.world import START, World

pytestmark = pytest.mark.usefixtures("all_read_english")


def enter(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def sent(form: Any) -> dict[str, str]:
    """What a browser sends of a form that nobody touched."""
    found = {}
    for field in form:
        value = field.value()
        if value in (None, "", False):
            continue
        found[field.html_name] = "on" if value is True else str(field.field.prepare_value(value))
    return found


def times(**other: Any) -> dict[str, Any]:
    rows = {f"{priority}_response": 60 for priority in Priority}
    rows |= {f"{priority}_delivery": 600 for priority in Priority}
    return {"seen": 0, "name": "plata", **rows, **other}


# Committed times and rates ----------------------------------------------------------------------


def test_a_table_of_times_is_published_and_followed_by_its_next_version(world: World) -> None:
    client = enter(world.mario)
    page = client.post("/desk/tables/sla/new", times(why="nuevo nivel"))["Location"]
    first = SlaVersion.objects.get(name="plata")
    assert page == f"/desk/tables/sla/{first.pk}"
    assert first.rows["urgent"] == {"response": 60, "delivery": 600, "round_the_clock": False}
    form = client.get(f"{page}/next").context["form"]
    given = sent(form) | {"urgent_always": "on"}
    assert client.post(f"{page}/next", given).status_code == 302
    second = SlaVersion.objects.get(name="plata", number=2)
    assert second.rows["urgent"]["round_the_clock"]
    assert SlaVersion.objects.get(pk=first.pk).rows == first.rows
    text = client.get(page).content.decode()
    assert "nuevo nivel" in text
    changes = Change.objects.filter(subject="sla").order_by("pk")
    assert [(c.row, c.act, c.by) for c in changes] == [
        (first.pk, "publish", world.mario),
        (second.pk, "publish", world.mario),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "ORO"}, "name"),  # exists
        ({"urgent_delivery": 30}, "__all__"),  # before the response
        ({"low_response": "", "low_delivery": ""}, "__all__"),  # a priority is missing
        ({"name": " "}, "name"),
    ],
)
def test_wrong_times_are_told_and_nothing_is_saved(
    world: World, wrong: dict[str, Any], field: str
) -> None:
    response = enter(world.ada).post("/desk/tables/sla/new", times(**wrong))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert SlaVersion.objects.count() == 1
    assert not Change.objects.exists()


def test_of_two_who_publish_the_second_looks_first(world: World) -> None:
    client, page = enter(world.ada), f"/desk/tables/sla/{world.sla.pk}/next"
    given = sent(client.get(page).context["form"])
    assert client.post(page, given).status_code == 302
    late = client.post(page, given)
    assert late.status_code == 422
    assert "version 2" in late.context["form"].non_field_errors()[0]
    assert SlaVersion.objects.count() == 2


def test_a_list_of_rates_keeps_its_currency(world: World) -> None:
    client = enter(world.ada)
    odoo = Specialty.objects.create(code="odoo", name="Odoo")
    row = {"activity_1": "execution", "specialty_1": odoo.pk, "hourly_1": "150000"}
    prices = {f"rate_{activity}": "100000.50" for activity in Activity}
    given = {"seen": 0, "name": "lista", "currency": "usd", **prices, **row}
    page = client.post("/desk/tables/rates/new", given)["Location"]
    first = RateVersion.objects.get(name="lista")
    assert first.currency == "USD"
    assert first.rates.get(specialty=odoo).hourly == Decimal("150000.00")
    form = client.get(f"{page}/next").context["form"]
    assert "currency" not in form.fields
    given = sent(form) | {"rate_meeting": "0"}
    assert client.post(f"{page}/next", given).status_code == 302
    second = RateVersion.objects.get(name="lista", number=2)
    assert second.currency == "USD"
    assert second.rates.get(activity="meeting").hourly == 0
    assert second.rates.get(specialty=odoo).hourly == Decimal("150000.00")
    assert "150000.00 USD" in client.get(page).content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"currency": "US"}, "currency"),
        ({"activity_1": "meeting"}, "hourly_1"),
        ({"rate_meeting": "-1"}, "rate_meeting"),
        ({"rate_meeting": ""}, "__all__"),  # no rate at all
        ({"name": "standard"}, "name"),
    ],
)
def test_wrong_rates_are_told_by_their_field(
    world: World, wrong: dict[str, Any], field: str
) -> None:
    given = {"seen": 0, "name": "lista", "currency": "USD", "rate_meeting": "1", **wrong}
    response = enter(world.ada).post("/desk/tables/rates/new", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert RateVersion.objects.count() == 1


def test_a_retired_table_is_offered_to_no_new_contract(world: World) -> None:
    client = enter(world.ada)
    page = f"/desk/tables/sla/{world.sla.pk}"
    new, own = f"/desk/customers/{world.brisa.pk}/contracts/new", world.contract.contract_id

    def offered(address: str) -> bool:
        choices = client.get(address).context["form"].fields["sla_choice"].choices
        return str(world.sla.pk) in dict(choices)

    assert offered(new)
    assert client.post(f"{page}/retirement", {"retired": "yes"}).status_code == 302
    assert not offered(new)
    assert offered(f"/desk/contracts/{own}/versions/new")  # what rests on it keeps it
    assert "(retired)" in client.get("/desk/tables/sla").content.decode()
    client.post(f"{page}/retirement", {"retired": "yes"})
    assert client.post(f"{page}/retirement", {"retired": "no"}).status_code == 302
    assert offered(new)
    assert [c.act for c in Change.objects.order_by("pk")] == ["retire", "restore"]


def test_what_cases_without_a_contract_follow_stays(world: World) -> None:
    page = f"/desk/tables/rates/{world.rates.pk}/retirement"
    assert enter(world.ada).post(page, {"retired": "yes"}).status_code == 422
    calendar = f"/desk/calendars/{world.calendar.pk}/retirement"
    assert enter(world.mario).post(calendar, {"retired": "yes"}).status_code == 302
    assert not Change.objects.exists()


# Calendars --------------------------------------------------------------------------------------

WEEK = {f"day_{day}": "08:00-12:00, 13:00-17:30" for day in range(5)}


def test_a_calendar_is_founded_and_its_year_reviewed(world: World) -> None:
    client = enter(world.mario)
    given = {"seen": 0, "name": "Chile", "zone": "America/Santiago", **WEEK, "why": "cliente"}
    page = client.post("/desk/calendars/new", given)["Location"]
    made = CalendarVersion.objects.get(name="Chile")
    assert page == f"/desk/calendars/{made.pk}"
    calendar = made.calendar
    assert calendar.week[0] == (Shift(480, 720), Shift(780, 1050))
    assert calendar.week[5] == ()
    assert not calendar.reviewed_years
    assert [year for year, *_ in client.get(page).context["years"]] == [2026, 2027]
    year = {"number": 1, "year": 2026, "holidays": "2026-12-25 Navidad"}
    assert client.post(f"{page}/years/2026", year).status_code == 302
    assert made.latest().calendar.holidays == {date(2026, 12, 25): "Navidad"}
    acts = Change.objects.filter(subject="calendar").order_by("pk")
    assert [(c.act, c.by) for c in acts] == [("publish", world.mario), ("review", world.mario)]


def test_other_hours_keep_holidays_and_reviews(world: World) -> None:
    client, page = enter(world.mario), f"/desk/calendars/{world.calendar.pk}"
    form = client.get(f"{page}/hours").context["form"]
    assert form.initial["day_0"] == "08:00-12:00, 14:00-18:00"
    given = sent(form) | {"day_5": "9:00-12:00"}
    assert client.post(f"{page}/hours", given).status_code == 302
    newest, before = world.calendar.latest().calendar, world.calendar.calendar
    assert newest.week[5] == (Shift(540, 720),)
    assert newest.week[:5] == before.week[:5]
    assert (newest.holidays, newest.reviewed_years) == (before.holidays, before.reviewed_years)
    late = client.post(f"{page}/hours", given)
    assert late.status_code == 422
    assert CalendarVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"day_0": "ocho a doce"}, "day_0"),
        ({"day_0": "08:00-25:00"}, "day_0"),
        ({"day_0": "08:70-12:00"}, "day_0"),
        ({"day_0": "12:00-08:00"}, "day_0"),
        ({"day_0": "08:00-12:00, 11:00-13:00"}, "day_0"),
        ({f"day_{day}": "" for day in range(5)}, "__all__"),
        ({"zone": "America/Nowhere"}, "zone"),
        ({"name": "standard"}, "name"),
    ],
)
def test_wrong_hours_are_told_by_their_day(world: World, wrong: dict[str, Any], field: str) -> None:
    given = {"seen": 0, "name": "Chile", "zone": "America/Santiago", **WEEK, **wrong}
    response = enter(world.mario).post("/desk/calendars/new", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert CalendarVersion.objects.count() == 1


@given(st.lists(st.integers(0, 1440), max_size=6))
def test_shifts_are_read_as_they_are_written(minutes: list[int]) -> None:
    even = sorted(minutes)[: len(minutes) // 2 * 2]
    shifts = tuple(Shift(a, b) for a, b in zip(even[::2], even[1::2], strict=True))
    assert read_shifts(write_shifts(shifts)) == shifts


@given(st.text(max_size=20))
def test_any_text_is_shifts_or_refused(text: str) -> None:
    told = ""
    try:
        read_shifts(text)
    except InvalidField as wrong:
        told = str(wrong)
    assert bool(told) is not _looks_like_shifts(text)


def _looks_like_shifts(text: str) -> bool:
    """Only nothing does, of what so short a random text can be."""
    return not text.replace(",", "").replace(";", "").strip()


# Policies ---------------------------------------------------------------------------------------


def test_every_parameter_can_be_set() -> None:
    fixed = {"priority_matrix", "day_ends_at"}
    assert set(PARAMETERS) | fixed == {item.name for item in fields(PolicyParameters)}


def test_the_policies_are_published_and_old_cases_keep_theirs(world: World) -> None:
    client, case = enter(world.mario), world.report("nora")
    form = client.get("/desk/policies/new").context["form"]
    given = sent(form) | {"acceptance_days": "7", "text": "Nuevas políticas", "why": "revisión"}
    page = client.post("/desk/policies/new", given)["Location"]
    version = PolicyVersion.objects.get(number=2)
    assert page == f"/desk/policies/{version.pk}"
    assert version.rules == PolicyParameters(acceptance_days=7)  # nothing else changed
    assert (version.text, version.in_force_from) == ("Nuevas políticas", NOW)
    assert world.fresh(case).policy == world.policy
    assert world.report("nora", at=NOW).policy == version
    change = Change.objects.get(subject="policy", row=version.pk)
    assert change.fields == {"acceptance_days": [5, 7]}
    assert "revisión" in client.get(page).content.decode()


def test_a_version_may_come_into_force_later_and_never_earlier(world: World) -> None:
    client = enter(world.mario)
    given = sent(client.get("/desk/policies/new").context["form"])
    past = client.post("/desk/policies/new", given | {"in_force_from": "2026-01-01T00:00"})
    assert past.status_code == 422
    assert list(past.context["form"].errors) == ["in_force_from"]
    later = client.post("/desk/policies/new", given | {"in_force_from": "2027-01-01T00:00"})
    assert later.status_code == 302
    version = PolicyVersion.objects.get(number=2)
    assert version.in_force_from == datetime(2027, 1, 1, 5, tzinfo=UTC)  # in Bogota
    assert world.report("nora", at=NOW).policy == world.policy
    assert "not yet in force" in client.get("/desk/policies").content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"acceptance_days": "0"}, "acceptance_days"),
        ({"acceptance_days": ""}, "acceptance_days"),
        ({"reminder_days_before": "dos"}, "reminder_days_before"),
        ({"reminder_days_before": "1, 2"}, "reminder_days_before"),  # must fall
        ({"text": " "}, "text"),
        ({"question-can_wait": "urgent"}, "__all__"),  # less impact, more priority
        ({"seen": "0"}, "__all__"),
    ],
)
def test_wrong_policies_are_told_by_their_parameter(
    world: World, wrong: dict[str, str], field: str
) -> None:
    client = enter(world.mario)
    given = sent(client.get("/desk/policies/new").context["form"])
    response = client.post("/desk/policies/new", given | wrong)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert PolicyVersion.objects.count() == 1


def test_the_matrix_is_sent_cell_by_cell(world: World) -> None:
    client = enter(world.mario)
    given = sent(client.get("/desk/policies/new").context["form"])
    cell = f"{Impact.CRITICAL_PROCESS}-{Urgency.WORK_BLOCKED}"
    assert client.post("/desk/policies/new", given | {cell: "medium"}).status_code == 302
    cells = PolicyVersion.objects.get(number=2).rules.priority_matrix.cells
    assert cells[Impact.CRITICAL_PROCESS, Urgency.WORK_BLOCKED] is Priority.MEDIUM


# Who may ----------------------------------------------------------------------------------------


def test_who_may_publish_what(world: World) -> None:
    calendar, policy = f"/desk/calendars/{world.calendar.pk}", f"/desk/policies/{world.policy.pk}"
    sla = f"/desk/tables/sla/{world.sla.pk}"
    for_managers = ["/desk/calendars/new", f"{calendar}/hours", "/desk/policies/new"]
    for_both = ["/desk/tables/sla/new", f"{sla}/next", "/desk/tables/rates/new"]
    to_read = ["/desk/tables/sla", "/desk/tables/rates", sla, "/desk/policies", policy]
    to_read += ["/desk/calendars", calendar, "/desk/settings"]
    for who, may in (("sara", []), ("ada", for_both), ("mario", for_both + for_managers)):
        client = enter(world.people[who])
        for address in for_both + for_managers:
            wanted = 200 if address in may else 403
            assert client.get(address).status_code == wanted, (who, address)
            if address not in may:
                assert client.post(address, {}).status_code == 403
        for address in to_read:
            assert client.get(address).status_code == 200
    for address in (f"{sla}/retirement", f"{calendar}/retirement"):
        assert enter(world.sara).post(address, {"retired": "yes"}).status_code == 403
    for address in [*to_read, *for_both, *for_managers]:
        assert enter(world.ana).get(address).status_code == 404
    assert enter(world.ada).get("/desk/tables/nothing").status_code == 404
    assert enter(world.ada).get("/desk/tables/sla/0").status_code == 404
    assert not Change.objects.exists()


def test_a_list_costs_the_same_for_any_number_of_tables(world: World) -> None:
    client = enter(world.ada)

    def statements(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    pages = ("/desk/tables/rates", "/desk/calendars", "/desk/policies")
    before = [statements(page) for page in pages for _ in range(2)][1::2]
    for number in range(5):
        admin.publish_rate_rows("COP", [HourlyRate(Activity.MEETING, Decimal(1))], f"L{number}")
        admin.publish_calendar(world.calendar.calendar, f"C{number}")
        admin.publish_policy("Otra", PolicyParameters(), START + timedelta(days=number))
    assert [statements(page) for page in pages] == before
