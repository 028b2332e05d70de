"""Who may do what, at the pages: the stage table decides, and a refusal says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acuse.interfaces.web.nouns import NOUNS
from acuse.models import RefusalNote
from acuse.models.roles import roles_on
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, Stage, check
from tests.web.entering import Browser, StoppedClock, words_of
from tests.web.stages import BUILD, case_in
from tests.world import World

Enter = Callable[[str], Browser]
INSIDERS = ("ana", "lina", "omar", "sara", "carlos", "paula", "mario", "ada")


def refusal_of(world: World, act: str, short: str, case, at) -> Refused | None:  # type: ignore[no-untyped-def]
    """What the tables say, asked directly."""
    roles = frozenset(roles_on(case, world.people[short], at))
    try:
        check(ACTS[act], Stage(case.stage), roles)
    except Refused as refusal:
        return refusal
    return None


def has_right(world: World, act: str, short: str, case, at) -> bool:  # type: ignore[no-untyped-def]
    """Whether the person stands in one of the act's roles on this case."""
    return bool(ACTS[act].who & roles_on(case, world.people[short], at))


@pytest.mark.parametrize("stage", list(BUILD))
def test_every_act_is_offered_or_refused_as_the_table_says(
    world: World, enter: Enter, clock: StoppedClock, stage: Stage
) -> None:
    case = case_in(world, stage)
    browsers = {short: enter(short) for short in ("ana", "omar", "sara", "carlos", "mario")}
    for act, noun in NOUNS.items():
        short = next(s for s in browsers if has_right(world, act, s, case, clock.at))
        response = browsers[short].look(case, noun)
        expected = 200 if Stage(case.stage) in ACTS[act].stages else 409
        assert response.status_code == expected, (short, act)


@pytest.mark.parametrize("short", INSIDERS)
def test_every_role_is_offered_its_acts_and_told_who_could_do_the_others(
    world: World, enter: Enter, clock: StoppedClock, short: str
) -> None:
    case = case_in(world, Stage.DELIVERED)
    world.people[short].language = "en"
    world.people[short].save()
    browser = enter(short)
    for act, noun in NOUNS.items():
        response = browser.look(case, noun)
        refusal = refusal_of(world, act, short, case, clock.at)
        if refusal is None:
            assert response.status_code == 200, act
            continue
        said = words_of(response)
        assert response.status_code == 409, act
        reason = {
            "not_in_stage": "This is not possible while the case is in the stage",
            "not_your_role": "This is not yours to do on this case. It can be done by:",
        }[refusal.code]
        assert reason in said, act


def test_a_refused_send_is_told_and_noted(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.AUTHORIZATION)
    response = enter("sara").send(case, "authorization")
    assert response.status_code == 409
    assert world.fresh(case).stage == Stage.AUTHORIZATION
    note = RefusalNote.objects.get()
    assert (note.act, note.code, note.person_id) == (
        "authorize",
        "not_your_role",
        world.sara.pk,
    )


def test_to_another_customer_a_case_does_not_exist(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.DELIVERED)
    browser = enter("nora")
    for noun in NOUNS.values():
        assert browser.look(case, noun).status_code == 404, noun
        assert browser.send(case, noun).status_code == 404, noun
    assert not RefusalNote.objects.exists()


def test_a_form_with_errors_is_refused_too_where_the_table_refuses(
    world: World, enter: Enter
) -> None:
    case = case_in(world, Stage.RECEIVED)
    response = enter("ana").send(case, "rejection", **{"objections-0-what": "No suma"})
    assert response.status_code == 409
    assert RefusalNote.objects.get().code == "not_in_stage"


def test_who_has_not_signed_in_is_asked_to(world: World, client) -> None:  # type: ignore[no-untyped-def]
    case = case_in(world, Stage.RECEIVED)
    response = client.get(f"/cases/{case.number}/comment")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/code/?next=/cases/")


def test_a_link_of_the_portal_leads_the_firm_to_the_desk(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.RECEIVED)
    response = enter("sara").get(f"/cases/{case.number}/analysis")
    assert (response.status_code, response["Location"]) == (
        307,
        f"/desk/cases/{case.number}/analysis",
    )


def test_the_desk_does_not_exist_for_customers(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.RECEIVED)
    assert enter("ana").get(f"/desk/cases/{case.number}/comment").status_code == 404


def test_a_noun_that_is_none_is_missing(world: World, enter: Enter) -> None:
    case = case_in(world, Stage.RECEIVED)
    assert enter("ana").look(case, "accept-tacitly").status_code == 404
