"""The inbox of notices and the choice of how to be told, at both doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from acuse.actions import administration as admin
from acuse.actions import conversation, life, triage
from acuse.actions.preferences import mark_read, set_preferences
from acuse.models import Change, Membership, Notice, NoticePreferences, NoticeState, Person
from acuse.policy.fields import InvalidField
from acuse.policy.notices import Group, Way
from acuse.queries.notices import MOST_COUNTED, PAGE, count_unread
from tests.web.entering import Browser, StoppedClock, words_of
from tests.world import HOUR, START, World

pytestmark = pytest.mark.usefixtures("all_read_english")

Enter = Callable[[str], Browser]


def chosen(**given: str) -> dict[str, str]:
    """The form as a customer's person sends it."""
    form = {"conversation": "at_once", "progress": "at_once", "daily_hour": "8"} | given
    return {f"notices-{name}": value for name, value in form.items()}


def test_everything_told_stands_in_the_inbox_whatever_became_of_its_mail(
    world: World, enter: Enter
) -> None:
    case = world.report()
    line = conversation.comment(world.on(case, "sara"), text="Lo miramos.")
    states = [str(state) for state in NoticeState]
    for state in states:
        Notice.objects.filter(line=line, person=world.ana).update(state=state)
        page = words_of(enter("ana").get("/notices"))
        assert "Sara Soporte wrote a comment." in page, state
        assert line.receipt in page
        assert case.subject in page


def test_the_header_counts_what_is_unread(world: World, enter: Enter) -> None:
    case = world.report()
    browser = enter("ana")
    assert '<b class="count">1<span class="hidden"> unread</span></b>' in page_of(browser, "/")
    for number in range(3):
        conversation.comment(world.on(case, "sara"), text=str(number))
    assert '<b class="count">4<' in page_of(browser, "/")
    assert '<b class="count">4<' in page_of(browser, f"/cases/{case.number}")
    Notice.objects.filter(person=world.ana).update(read_at=START)
    assert 'class="count"' not in page_of(browser, "/")


def page_of(browser: Browser, path: str) -> str:
    return browser.get(path).content.decode()


def test_the_count_stops_where_nobody_reads_on(world: World, enter: Enter) -> None:
    case = world.report()
    line = conversation.comment(world.on(case, "sara"), text="Uno")
    people = Person.objects.get(pk=world.ana.pk)
    for _ in range(MOST_COUNTED + 5):
        again = conversation.comment(world.on(case, "sara", line.at), text="Otro")
        assert Notice.objects.filter(line=again, person=world.ana).exists()
    assert count_unread(people) == MOST_COUNTED + 1
    assert '<b class="count">99+<' in page_of(enter("ana"), "/")


def test_opening_a_notice_reads_it_and_leads_to_its_case(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    case = world.report()
    notice = Notice.objects.get(person=world.ana)
    browser = enter("ana")
    address = f"/notices/{notice.pk}/reading"
    assert address in page_of(browser, "/notices")
    assert browser.get(address).status_code == 405  # a link that is followed changes nothing
    notice.refresh_from_db()
    assert notice.read_at is None
    answer = browser.post(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/cases/{case.number}")
    notice.refresh_from_db()
    assert notice.read_at == clock.at
    clock.at += HOUR
    browser.post(address)
    notice.refresh_from_db()
    assert notice.read_at == clock.at - HOUR  # when it was read first
    page = page_of(browser, "/notices")
    assert address not in page
    assert f'href="/cases/{case.number}"' in page
    assert "You have read everything." in words_of(browser.get("/notices?show=unread"))


def test_marking_all_leaves_what_came_since(world: World, enter: Enter) -> None:
    case = world.report()
    browser = enter("ana")
    shown = Notice.objects.get(person=world.ana)
    assert f'name="newest" value="{shown.pk}"' in page_of(browser, "/notices")
    conversation.comment(world.on(case, "sara"), text="Llegó después")
    others = Notice.objects.exclude(person=world.ana).filter(read_at__isnull=True).count()
    answer = browser.post("/notices/reading", {"newest": str(shown.pk)})
    assert answer["Location"] == "/notices"
    unread = Notice.objects.filter(person=world.ana, read_at__isnull=True)
    assert [row.line.kind for row in unread.select_related("line")] == ["comment"]
    assert Notice.objects.exclude(person=world.ana).filter(read_at=None).count() == others
    for odd in ("", "x", "-1", "9" * 40, "٣"):
        browser.post("/notices/reading", {"newest": odd})
    assert unread.count() == 1


def test_nobody_reads_anothers_notice(world: World, enter: Enter) -> None:
    world.report()
    notice = Notice.objects.get(person=world.ana)
    for short in ("beto", "nora", "sara"):
        browser = enter(short)
        assert browser.post(f"{browser.door}/notices/{notice.pk}/reading").status_code == 404
        assert mark_read(browser.person, notice.pk, START) is None
    notice.refresh_from_db()
    assert notice.read_at is None
    assert "No imprime" not in words_of(enter("nora").get("/notices"))


def test_whoever_left_reads_nothing_more(world: World, enter: Enter) -> None:
    world.report()
    admin.end_role(Membership.objects.get(person=world.ana), START + HOUR)
    browser = enter("ana")
    page = words_of(browser.get("/notices"))
    assert "No imprime" not in page
    assert count_unread(Person.objects.get(pk=world.ana.pk)) == 0


def test_the_desk_has_its_own_inbox(world: World, enter: Enter) -> None:
    case = world.analysed()
    triage.assign(world.on(case, "sara"), person=world.paula)
    browser = enter("paula")
    page = words_of(browser.get("/desk/notices"))
    assert "Sara Soporte assigned the case." in page
    notice = Notice.objects.get(person=world.paula, line__kind="assign")
    answer = browser.post(f"/desk/notices/{notice.pk}/reading")
    assert answer["Location"] == f"/desk/cases/{case.number}"
    # A link for customers leads the firm's people to the desk.
    assert browser.get("/notices")["Location"] == "/desk/notices"
    assert enter("ana").get("/desk/notices").status_code == 404


def test_no_line_of_the_firms_own_stands_in_a_customers_inbox(world: World, enter: Enter) -> None:
    case = world.analysed()
    line = triage.assign(world.on(case, "sara"), person=world.paula)
    conversation.internal_note(world.on(case, "sara"), text="margin is thin")
    # Even one that was told to somebody who now stands on the other side.
    Notice.objects.create(case=case, line=line, person=world.ana)
    page = words_of(enter("ana").get("/notices"))
    assert "assigned" not in page
    assert "internal note" not in page
    unread = Notice.objects.filter(person=world.ana, line__audience="customer").count()
    assert count_unread(Person.objects.get(pk=world.ana.pk)) == unread


def test_what_was_rolled_back_is_told_to_nobody(world: World, enter: Enter) -> None:
    case = world.report()
    before = Notice.objects.count()
    with transaction.atomic():
        line = conversation.comment(world.on(case, "sara"), text="Nunca")
        assert Notice.objects.filter(line=line).exists()
        transaction.set_rollback(True)
    assert Notice.objects.count() == before
    assert "wrote a comment" not in words_of(enter("ana").get("/notices"))


@pytest.mark.parametrize("door", ["", "/desk"])
def test_the_inbox_asks_the_database_alike_however_much_it_holds(
    world: World, enter: Enter, door: str
) -> None:
    case = world.delivered("development")
    browser = enter("sara" if door else "ana")
    asked = []
    for wanted in (1, 4, 30):
        for _ in range(wanted):
            conversation.comment(world.on(case, "ana" if door else "sara"), text="Seguimos")
        with CaptureQueriesContext(connection) as found:
            assert browser.get(f"{door}/notices").status_code == 200
        asked.append(len(found))
    assert len(set(asked)) == 1, asked
    assert asked[0] <= 9, [query["sql"][:80] for query in found]


def test_the_inbox_goes_on_page_by_page(world: World, enter: Enter) -> None:
    case = world.report()
    line = conversation.comment(world.on(case, "sara"), text="Uno")
    for _ in range(PAGE + 5):
        conversation.comment(world.on(case, "sara", line.at), text="Otro")
    browser = enter("ana")
    total = Notice.objects.filter(person=world.ana).count()
    seen: list[int] = []
    query = "show=unread"
    for _ in range(2):
        answer = browser.get(f"/notices?{query}")
        page: Any = answer.context["page"]  # type: ignore[attr-defined]
        seen += [entry.notice.pk for entry in page.entries]
        query = f"before={page.older}&show=unread"
        follows = f'href="?{query.replace("&", "&amp;")}"' in answer.content.decode()
        assert follows is (len(seen) < total)
    assert len(seen) == len(set(seen)) == total
    assert seen == sorted(seen, reverse=True)


def test_preferences_are_chosen_on_the_profile_and_noted(
    world: World, enter: Enter, clock: StoppedClock
) -> None:
    browser = enter("ana")
    page = words_of(browser.get("/profile"))
    assert "cannot be silenced" in page
    form = chosen(conversation="daily", progress="portal", daily_hour="7", quiet="on")
    assert browser.post("/profile/notices", form)["Location"] == "/profile"
    row = NoticePreferences.objects.get(person=world.ana)
    assert row.chosen.ways == {Group.CONVERSATION: Way.DAILY, Group.PROGRESS: Way.PORTAL}
    assert (row.daily_hour, row.quiet) == (7, True)
    change = Change.objects.get(subject="person", act="set_preferences")
    assert (change.row, change.by, change.at) == (world.ana.pk, world.ana, clock.at)
    browser.post("/profile/notices", form)
    assert Change.objects.filter(act="set_preferences").count() == 1  # nothing has changed
    html = page_of(browser, "/profile")
    assert '<option value="daily" selected>' in html
    assert '<option value="portal" selected>' in html
    history = words_of(enter("mario").get(f"/desk/people/{world.ana.pk}"))
    assert "chose how to be told" in history
    assert "By mail in a summary once a day" in history


@pytest.mark.parametrize(
    "wrong", [{"conversation": "never"}, {"daily_hour": "24"}, {"daily_hour": ""}]
)
def test_a_wrong_choice_is_told_and_changes_nothing(
    world: World, enter: Enter, wrong: dict[str, str]
) -> None:
    answer = enter("ana").post("/profile/notices", chosen(**wrong))
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not NoticePreferences.objects.exists()


def test_only_the_firms_people_choose_for_what_is_the_firms(world: World, enter: Enter) -> None:
    assert "notices-firm" not in page_of(enter("ana"), "/profile")
    assert "notices-firm" in page_of(enter("sara"), "/profile")
    # What a customer's person sends beside the form is left alone.
    enter("ana").post("/profile/notices", chosen(firm="portal"))
    assert NoticePreferences.objects.get().chosen.ways == {}


def test_the_rules_hold_without_a_form(world: World) -> None:
    for given, field in (
        ({"ways": {"legal": "portal"}, "daily_hour": 8}, "legal"),
        ({"ways": {"progress": "never"}, "daily_hour": 8}, "progress"),
        ({"ways": {}, "daily_hour": 24}, "daily_hour"),
    ):
        with pytest.raises(InvalidField) as told:
            set_preferences(world.ana, quiet=False, at=START, **given)  # type: ignore[arg-type]
        assert told.value.field == field
    assert not NoticePreferences.objects.exists()


def test_a_stranger_has_an_inbox_for_their_own_case(world: World) -> None:
    somebody = Person.objects.get(pk=world.stranger().person_id)
    from acuse.models.roles import author
    from acuse.policy.authors import Channel, Occasion

    occasion = Occasion(None, author(somebody, Channel.MAIL), START)
    case = life.open(occasion, subject="Hola", text="¿Me ayudan?").case
    page = words_of(Browser(somebody).get("/notices"))
    assert case.number in page
