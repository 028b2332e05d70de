"""People and roles, the review of a year: what the desk changes beside the cases."""

from __future__ import annotations

from datetime import date

import pytest

from acuse.models import CalendarVersion, Person
from acuse.policy.stages import Role
from tests.desk.conftest import NOW
from tests.web.entering import Browser
from tests.world import World


@pytest.mark.parametrize("who", ["ada", "mario"])
def test_people_are_added_and_given_roles(world: World, who: str) -> None:
    client = Browser(world.people[who])
    given = {"email": "Eva@andina.example", "name": "Eva Nueva", "language": "pt"}
    person_page = client.post("/desk/people/new", given)["Location"]
    eva = Person.objects.get(email="eva@andina.example")
    assert person_page == f"/desk/people/{eva.pk}"
    assert (eva.name, eva.language) == ("Eva Nueva", "pt")
    role = {"organisation": world.andina.pk, "role": "lead"}
    assert client.post(f"{person_page}/roles", role).status_code == 302
    held = eva.memberships.get()
    assert (held.role, held.organisation_id, held.since) == (Role.LEAD, world.andina.pk, NOW)
    assert client.post("/desk/people/new", given)["Location"] == person_page
    assert Person.objects.filter(email="eva@andina.example").count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"role": "support"}, "role"),  # the firm's role in a customer
        ({"role": "user"}, "role"),  # held already
        ({"role": "nothing"}, "role"),
        ({"role": "lead", "organisation": "0"}, "organisation"),
        ({"role": "lead", "level": "n2"}, "level"),
        ({"role": "lead", "substitute": "on"}, "substitute"),
    ],
)
def test_a_role_that_breaks_a_rule_is_told_beside_its_field(
    world: World, wrong: dict[str, str], field: str
) -> None:
    given = {"organisation": world.andina.pk} | wrong
    response = Browser(world.ada).post(f"/desk/people/{world.ana.pk}/roles", given)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert world.ana.memberships.count() == 1


def test_a_role_is_ended_once(world: World) -> None:
    client, held = Browser(world.ada), world.beto.memberships.get()
    assert held.until is None
    assert "Beto" in client.get(f"/desk/roles/{held.pk}/end").content.decode()
    held.refresh_from_db()
    assert held.until is None  # looking changes nothing
    client.post(f"/desk/roles/{held.pk}/end")
    held.refresh_from_db()
    assert held.until == NOW
    client.post(f"/desk/roles/{held.pk}/end")
    held.refresh_from_db()
    assert held.until == NOW
    assert client.get("/desk/roles/999999/end").status_code == 404


@pytest.mark.parametrize("who", ["sara", "carlos"])
def test_others_of_the_firm_are_told_whose_it_is(world: World, who: str) -> None:
    client, held = Browser(world.people[who]), world.beto.memberships.get()
    for address in ("/desk/people/new", f"/desk/roles/{held.pk}/end"):
        response = client.get(address)
        assert response.status_code == 403
        assert 'class="refusal"' in response.content.decode()
    given = {"organisation": world.andina.pk, "role": "lead"}
    assert client.post(f"/desk/people/{world.ana.pk}/roles", given).status_code == 403
    review = f"/desk/calendars/{world.calendar.pk}/years/2028"
    assert client.post(review, {}).status_code == 403
    assert "/roles" not in client.get(f"/desk/people/{world.ana.pk}").content.decode()
    assert world.ana.memberships.count() == 1


def test_an_administrator_reviews_no_year(world: World) -> None:
    review = f"/desk/calendars/{world.calendar.pk}/years/2028"
    assert Browser(world.ada).get(review).status_code == 403


def review(world: World, year: int, holidays: str, number: int = 1):
    given = {"number": number, "year": year, "holidays": holidays}
    return Browser(world.mario).post(f"/desk/calendars/{world.calendar.pk}/years/{year}", given)


def test_a_manager_reviews_a_year(world: World) -> None:
    page = Browser(world.mario).get(f"/desk/calendars/{world.calendar.pk}/years/2028")
    listed = page.context["form"].initial["holidays"]
    assert "2028-12-25 Navidad" in listed  # proposed, for a calendar that has none of that year
    assert page.context["proposed"]
    assert review(world, 2028, listed + "\n2028-03-15 Día de la firma").status_code == 302
    newest = CalendarVersion.objects.filter(name=world.calendar.name).latest("number")
    assert newest.number == 2
    calendar = newest.calendar
    assert 2028 in calendar.reviewed_years
    assert calendar.holidays[date(2028, 3, 15)] == "Día de la firma"
    assert calendar.holidays[date(2026, 12, 25)]  # other years stay
    assert set(world.calendar.calendar.reviewed_years) == {2025, 2026, 2027}


@pytest.mark.parametrize(
    ("holidays", "said"),
    [
        ("2028-12-25 Navidad\nmañana Fiesta", "2"),
        ("2027-12-25 Navidad", "2027-12-25"),
        ("2028-12-25", "1"),
        ("2028-12-25 Navidad\n2028-12-25 Otra", "2"),
        ("", ""),
    ],
)
def test_a_year_that_cannot_be_read_is_not_published(
    world: World, holidays: str, said: str
) -> None:
    response = review(world, 2028, holidays)
    assert response.status_code == 422
    [error] = response.context["form"].errors["holidays"]
    assert said in error
    assert holidays.split("\n")[0] in response.content.decode()  # what was typed is kept
    assert CalendarVersion.objects.count() == 1


def test_a_review_of_what_has_changed_meanwhile_is_told(world: World) -> None:
    assert review(world, 2028, "2028-12-25 Navidad").status_code == 302
    late = review(world, 2029, "2029-12-25 Navidad", number=1)
    assert late.status_code == 422
    assert late.context["form"].non_field_errors()
    assert CalendarVersion.objects.count() == 2
