"""Notices as their people want them: at once, together, at working hours, or in the portal only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acuse.actions import administration as admin
from acuse.actions import conversation, digests, life, notices, staffing, triage
from acuse.actions.preferences import set_preferences
from acuse.actions.staffing import SkillFacts
from acuse.config import config
from acuse.connectors import smtp
from acuse.interfaces.jobs import digests as together
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.jobs import tasks
from acuse.interfaces.mail.reply import cut_reply
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Addressee,
    Case,
    Digest,
    LedgerLine,
    MailState,
    Membership,
    Message,
    Notice,
    NoticeState,
    Person,
)
from acuse.models.preferences import calendar_of
from acuse.policy.calendar import around_the_clock
from acuse.policy.notices import Group, Way
from tests.mail.post import Postman, arrived, body, postman, written
from tests.world import HOUR, START, World

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ANA, SARA = "ana@andina.example", "sara@firm.example"


def choose(person: Person, *, daily_hour: int = 8, quiet: bool = False, **ways: str) -> None:
    set_preferences(person, ways=ways, daily_hour=daily_hour, quiet=quiet, at=START)


def work(at: datetime) -> None:
    """All that a worker does in the minute of `at`: what waits by itself, then what is due."""
    for pk in list(notices.pending(at).order_by("pk").values_list("pk", flat=True)):
        sending.send(pk, lambda: at)
    for pk in list(digests.pending(at).order_by("pk").values_list("pk", flat=True)):
        together.send(pk, lambda: at)


def receipts_in(post: Postman, address: str) -> list[str]:
    """The receipts of the lines that all letters to an address tell of, in order."""
    found = []
    for message in post.to(address):
        text = body(message)
        for line in LedgerLine.objects.order_by("pk"):
            found += [line.receipt] * text.count(f"{line.receipt}, ")
    return found


def test_by_default_everything_goes_at_once(world: World) -> None:
    case = world.report()
    conversation.comment(world.on(case, "sara"), text="Lo miramos.")
    with postman() as post:
        work(START + DAY)
    assert len(post.to(ANA)) == 2
    assert not Digest.objects.exists()


def test_a_digest_tells_each_line_once_at_its_hour(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY, progress=Way.HOURLY)
    case, other = world.report(), world.report(subject="No abre")
    first = conversation.comment(world.on(case, "sara", START + MINUTE), text="Lo miramos.")
    second = conversation.comment(world.on(other, "sara", START + MINUTE), text="Ya abre.")
    third = life.take(world.on(other, "sara", START + 2 * MINUTE))
    with postman() as post:
        work(START + 5 * MINUTE)
        assert len(post.to(ANA)) == 2  # the confirmations, which are never late
        work(START + 59 * MINUTE)
        assert len(post.to(ANA)) == 2
        work(START + HOUR)
        work(START + HOUR)
        work(START + 3 * HOUR)
    letter = post.to(ANA)[2]
    assert len(post.to(ANA)) == 3
    for line in (first, second, third):
        assert body(letter).count(f"{line.receipt}, ") == 1
        assert body(letter, "html").count(f"{line.receipt}, ") == 1
        notice = Notice.objects.get(line=line, person=world.ana)
        assert (notice.state, notice.sent_at) == (NoticeState.SENT, START + HOUR)
    assert "Ya abre." in body(letter)


@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_a_digest_is_a_letter_like_any_other(world: World, language: str) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    Person.objects.filter(pk=world.ana.pk).update(language=language, zone="Europe/Madrid")
    for subject in ("No imprime", "No abre"):
        case = world.report(subject=subject)
        conversation.comment(world.on(case, "sara"), text="Lo <b>miramos</b>.")
    with postman() as post:
        work(START + 2 * HOUR + MINUTE)
        Notice.objects.filter(person=world.ana, state=NoticeState.QUEUED).update(state="sent")
        work(START + 4 * HOUR)
    sender, _, letter = next(row for row in post.taken if "d" in row[0].split("+")[-1][:1])
    digest = Digest.objects.get()
    assert sender == replies.digest_bounce_address(digest)
    assert letter["Message-ID"] == f"<{replies.digest_message_id(digest)}>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["From"].addresses[0].addr_spec == "soporte@example.com"
    assert f'lang="{language}"' in body(letter, "html")
    assert "Europe/Madrid" in body(letter)
    assert "Lo &lt;b&gt;miramos&lt;/b&gt;." in body(letter, "html")
    for case in Case.objects.all():
        assert f"{config.host}/cases/{case.number}" in body(letter)
        assert f"{config.host}/cases/{case.number}" in body(letter, "html")
        assert case.number in letter["Subject"]
        assert f"[{case.number}]" not in letter["Subject"]  # no tag may name one of several
    for kind in ("plain", "html"):
        assert f"{config.host}/profile" in body(letter, kind)
        assert f"{config.host}/notices" in body(letter, kind)


def test_what_binds_is_mailed_at_once_whatever_was_chosen(world: World) -> None:
    everything = {str(group): Way.PORTAL for group in Group}
    for short in ("ana", "omar", "paula"):
        choose(world.people[short], quiet=True, **everything)
    saturday = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    case = world.delivered("development", at=saturday, prove=False)
    line = LedgerLine.objects.get(case=case, kind="deliver")
    with postman() as post:
        sending.send_line(line.pk, lambda: saturday)
        assert post.to(ANA)
    assert Notice.objects.get(line=line, person=world.ana).state == NoticeState.SENT
    legal = Notice.objects.filter(legal=True)
    work_at = saturday + MINUTE
    with postman():
        work(work_at)
    assert legal.exists()
    assert not legal.exclude(state=NoticeState.SENT).exists()
    silent = Notice.objects.filter(legal=False, person=world.ana).exclude(line__kind="open")
    assert silent.exists()
    assert set(silent.values_list("state", flat=True)) == {NoticeState.IN_PORTAL}


def test_the_confirmation_of_a_report_is_never_kept_waiting(world: World) -> None:
    choose(world.ana, quiet=True, progress=Way.PORTAL, conversation=Way.DAILY)
    night = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)  # midnight in Bogota
    case = world.report(at=night)
    with postman() as post:
        work(night)
    (letter,) = post.to(ANA)
    assert f"[{case.number}]" in letter["Subject"]


def test_quiet_hours_hold_what_does_not_bind_until_the_next_opening(world: World) -> None:
    choose(world.ana, quiet=True)
    Person.objects.filter(pk=world.ana.pk).update(zone="Europe/Madrid")
    case = world.report()
    friday_night = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
    line = conversation.comment(world.on(case, "sara", friday_night), text="Lo miramos.")
    notice = Notice.objects.get(line=line, person=world.ana)
    opening = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # Monday at eight in Madrid
    with postman() as post:
        sending.send(notice.pk, lambda: friday_night)
        notice.refresh_from_db()
        assert (notice.state, notice.not_before) == (NoticeState.QUEUED, opening)
        sending.send(notice.pk, lambda: opening - MINUTE)
        assert not post.to(ANA)
        # The worker is late: what has waited once does not wait again.
        sending.send(notice.pk, lambda: opening + 12 * HOUR)
        assert len(post.to(ANA)) == 1


def test_quiet_hours_go_by_the_calendar_somebody_works_by(world: World) -> None:
    admin.publish_calendar(around_the_clock("UTC"), "24x7")
    zone = "Asia/Tokyo"  # a calendar of one's own has its own clocks
    office = {"zone": zone, "week": world.calendar.calendar.week, "holidays": {}}
    admin.publish_calendar(around_the_clock(zone), "Tokio")
    admin.publish_calendar(replace(around_the_clock(zone), **office), "Tokio")
    for short, name in (("sara", "24x7"), ("carlos", "Tokio"), ("paula", "")):
        choose(world.people[short], quiet=True)
        facts = SkillFacts(calendar=name)
        staffing.set_skills(world.people[short], facts, by=world.mario, at=START)
    choose(world.mario, quiet=True)  # of whom no skills are kept
    case = world.report()
    night = datetime(2026, 11, 19, 4, 0, tzinfo=UTC)  # 23:00 in Bogota, 13:00 in Tokyo
    line = conversation.comment(world.on(case, "ana", night), text="¿Cómo va?")
    told = {}
    for short in ("sara", "carlos", "paula", "mario"):
        person = Person.objects.get(pk=world.people[short].pk)
        notice, _ = Notice.objects.get_or_create(
            line=line, person=person, defaults={"case": case, "queued_at": night}
        )
        with postman() as post:
            sending.send(notice.pk, lambda: night)
        notice.refresh_from_db()
        told[short] = (len(post.to(person.email)), notice.not_before)
    opening = datetime(2026, 11, 19, 13, 0, tzinfo=UTC)
    assert told == {
        "sara": (1, None),
        "carlos": (1, None),  # one o'clock is lunch there, which is no quiet hour
        "paula": (0, opening),
        "mario": (0, opening),
    }


def test_the_calendar_of_a_person_is_one_question(
    world: World, django_assert_num_queries: Any
) -> None:
    admin.publish_calendar(around_the_clock("UTC"), "24x7")
    facts = SkillFacts(calendar="24x7")
    staffing.set_skills(world.sara, facts, by=world.mario, at=START)
    for short, zone in (("sara", "UTC"), ("paula", "America/Bogota")):
        with django_assert_num_queries(1):
            calendar = calendar_of(world.people[short])
        assert calendar is not None
        assert calendar.zone == zone
    # A mail on its way into a case asks for none of it, whatever its readers chose.
    choose(world.paula, quiet=True)
    with CaptureQueriesContext(connection) as asked:
        raw = arrived(written(ANA, "No imprime."), START)
    assert raw.state == MailState.PROCESSED
    statements = [row["sql"] for row in asked]
    assert any("acuse_notice" in sql for sql in statements)
    assert not [sql for sql in statements if "acuse_skills" in sql or "preferences" in sql]


def test_an_hourly_digest_waits_for_the_opening_too(world: World) -> None:
    choose(world.ana, quiet=True, conversation=Way.HOURLY)
    case = world.report()
    night = datetime(2026, 11, 19, 3, 30, tzinfo=UTC)  # half past ten at night in Bogota
    for minutes in (0, 90):
        at = night + minutes * MINUTE
        line = conversation.comment(world.on(case, "sara", at), text="Lo miramos.")
        sending.send_line(line.pk, lambda at=at: at)
    digest = Digest.objects.get()
    assert digest.due_at == datetime(2026, 11, 19, 13, 0, tzinfo=UTC)
    assert digest.notices.count() == 2


def test_a_digest_that_is_not_taken_keeps_its_lines_and_its_name(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    line = conversation.comment(world.on(case, "sara", START + MINUTE), text="Uno")
    work_at = START + 2 * MINUTE
    with postman():
        work(work_at)
    with postman(refuse=smtp.NotTaken("451 later")):
        work(START + HOUR)
    digest = Digest.objects.get()
    assert (digest.state, digest.tries) == (NoticeState.QUEUED, 1)
    assert digest.error == "451 later"
    assert digest.not_before == START + HOUR + notices.PAUSE
    # What comes meanwhile is another letter's: this one has been taken once.
    later = conversation.comment(world.on(case, "sara", START + HOUR + 10 * MINUTE), text="Dos")
    with postman() as post:
        work(START + HOUR)
        assert not post.taken
        work(START + HOUR + 11 * MINUTE)
        work(START + 2 * HOUR)
    first, second = post.to(ANA)
    assert first["Message-ID"] == f"<{replies.digest_message_id(digest)}>"
    assert first["Message-ID"] != second["Message-ID"]
    assert receipts_in(post, ANA) == [line.receipt, later.receipt]


def test_a_digest_is_given_up_after_days_and_seen_at_the_desk(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Uno")
    with postman():
        work(START + 2 * MINUTE)
    at = START + HOUR
    with postman(refuse=smtp.NotTaken("451 later")):
        while Digest.objects.get().state == NoticeState.QUEUED:
            at = max(at, Digest.objects.get().not_before)
            work(at)
    digest = Digest.objects.get()
    assert (digest.state, digest.tries) == (NoticeState.FAILED, notices.MOST_TRIES)
    assert at - START > timedelta(days=4)
    notice = digest.notices.get()
    assert (notice.state, notice.error) == (NoticeState.FAILED, "451 later")


def bounced_to(address: str, *, message_id: str = "") -> bytes:
    return written(
        "MAILER-DAEMON@andina.example",
        f"550 5.1.1 no such user\n\nMessage-ID: <{message_id}>",
        subject="Undelivered Mail Returned to Sender",
        to=address,
        Auto_Submitted="auto-replied",
    )


def test_a_digest_that_comes_back_marks_its_notices_and_the_address(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Uno")
    with postman():
        work(START + 2 * MINUTE)
        work(START + HOUR)
    digest = Digest.objects.get()
    raw = arrived(bounced_to(replies.digest_bounce_address(digest)), START + 2 * HOUR)
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "bounce")
    digest.refresh_from_db()
    assert digest.state == digest.notices.get().state == NoticeState.BOUNCED
    assert Address.objects.get(person=world.ana).bouncing_since == START + 2 * HOUR
    # A second report changes nothing, nor does one that anybody could have written.
    arrived(bounced_to(replies.digest_bounce_address(digest)), START + 3 * HOUR)
    assert Address.objects.get(person=world.ana).bouncing_since == START + 2 * HOUR


def test_a_forged_report_marks_no_digest(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Uno")
    with postman():
        work(START + 2 * MINUTE)
        work(START + HOUR)
    digest = Digest.objects.get()
    forged = f"soporte+d{digest.pk}.aaaaaaaaaaaaaaaaaaaa@example.com"
    arrived(bounced_to(forged), START + 2 * HOUR)
    digest.refresh_from_db()
    assert digest.state == NoticeState.SENT


def test_a_digest_refused_for_good_bounces(world: World) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Uno")
    with postman():
        work(START + 2 * MINUTE)
    with postman(refuse=smtp.NotTaken("550 no such user", permanent=True)):
        work(START + HOUR)
        work(START + 2 * HOUR)
    digest = Digest.objects.get()
    assert (digest.state, digest.tries) == (NoticeState.BOUNCED, 1)
    assert Address.objects.get(person=world.ana).bouncing_since == START + HOUR


def digest_of(world: World, cases: int) -> EmailMessage:
    choose(world.ana, conversation=Way.HOURLY)
    for number in range(cases):
        case = world.report(subject=f"Caso {number}")
        conversation.comment(world.on(case, "sara", START + MINUTE), text="Lo miramos.")
    with postman():
        work(START + 2 * MINUTE)
    with postman() as post:
        work(START + HOUR)
    (letter,) = post.to(ANA)
    return letter


def test_an_answer_to_a_digest_of_one_case_is_a_comment_there(world: World) -> None:
    letter = digest_of(world, 1)
    case = Case.objects.get()
    assert letter["Subject"] == f"[{case.number}] Caso 0"
    text = f"Gracias.\n\n{body(letter)}"
    assert cut_reply(text).text == "Gracias."
    to = letter["Reply-To"].addresses[0].addr_spec
    raw = arrived(written(ANA, text, to=to), START + 2 * HOUR, to=to)
    assert (raw.state, raw.case) == (MailState.PROCESSED, case)
    assert Message.objects.latest("pk").text == "Gracias."


def test_an_answer_to_a_digest_of_several_cases_waits_for_somebody(world: World) -> None:
    letter = digest_of(world, 2)
    assert letter["Reply-To"] is None
    answer = written(
        ANA, "Gracias.", subject=f"Re: {letter['Subject']}", In_Reply_To=letter["Message-ID"]
    )
    raw = arrived(answer, START + 2 * HOUR)
    assert (raw.state, raw.reason, raw.case) == (MailState.HELD, "digest", None)
    assert Case.objects.count() == 2


def test_our_own_digest_that_comes_back_to_us_is_left_alone(world: World) -> None:
    letter = digest_of(world, 2)
    raw = arrived(bytes(letter), START + 2 * HOUR)
    assert (raw.state, raw.reason) == (MailState.IGNORED, "own")


def test_no_line_of_the_firms_own_reaches_a_customers_digest(world: World) -> None:
    secret = "the margin on this customer is thin"
    every = {str(group): Way.HOURLY for group in Group}
    for short in ("ana", "omar", "lina", "paula", "sara"):
        choose(world.people[short], **every)
    case = world.analysed()
    conversation.internal_note(world.on(case, "sara"), text=secret)
    triage.assign(world.on(case, "sara"), person=world.paula)
    conversation.comment(world.on(case, "paula"), text="Lo miramos.")
    conversation.ask(world.on(case, "paula"), addressee=Addressee.USER, text="¿Cuál?")
    with postman() as post:
        for hours in range(12):
            work(START + hours * HOUR)
    firm = {
        row.receipt for row in LedgerLine.objects.filter(case=case).exclude(audience="customer")
    }
    told = {address: receipts_in(post, address) for _, address, _ in post.taken}
    for address, receipts in told.items():
        assert len(receipts) == len(set(receipts)), address
        if not address.endswith("@firm.example"):
            assert not firm & set(receipts), address
    assert firm & set(told["paula@firm.example"])
    for _, _, message in post.taken:
        assert secret not in body(message)
        assert secret not in body(message, "html")


def test_whoever_leaves_before_the_hour_is_told_nothing(world: World) -> None:
    choose(world.ana, conversation=Way.DAILY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Lo miramos.")
    with postman() as post:
        work(START + 2 * MINUTE)
        admin.end_role(Membership.objects.get(person=world.ana), START + HOUR)
        work(START + 2 * DAY)
        work(START + 3 * DAY)
    assert len(post.to(ANA)) == 1  # the confirmation
    digest = Digest.objects.get()
    assert digest.state == digest.notices.get().state == NoticeState.SUPPRESSED


def test_a_letter_that_cannot_be_written_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for short in ("ana", "beto"):
        choose(world.people[short], conversation=Way.HOURLY)
        case = world.report(short)
        conversation.comment(world.on(case, "sara", START + MINUTE), text="Lo miramos.")
    real = together.write

    def broken(digest: Digest, at: datetime) -> object:
        if digest.person_id == world.ana.pk:
            raise ValueError("boom")
        return real(digest, at)

    monkeypatch.setattr(together, "write", broken)
    with postman() as post:
        work(START + 2 * MINUTE)
        work(START + HOUR)
    assert len(post.to("beto@andina.example")) == 2
    assert "boom" in Digest.objects.get(person=world.ana).error


def test_the_sweep_finds_what_is_due(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(world.ana, conversation=Way.HOURLY)
    case = world.report()
    conversation.comment(world.on(case, "sara", START + MINUTE), text="Lo miramos.")
    with postman():
        work(START + 2 * MINUTE)
    found: list[tuple[str, dict[str, int]]] = []
    monkeypatch.setattr(tasks, "_enqueue", lambda name, **given: found.append((name, given)))
    monkeypatch.setattr(tasks.clock, "now", lambda: START + 59 * MINUTE)
    tasks.sweep.func(0)
    assert (digests.SEND, {"digest_id": Digest.objects.get().pk}) not in found
    monkeypatch.setattr(tasks.clock, "now", lambda: START + HOUR)
    tasks.sweep.func(0)
    assert (digests.SEND, {"digest_id": Digest.objects.get().pk}) in found
    assert digests.SEND in tasks.app.tasks


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 200),  # minutes since the one before
        st.sampled_from(["comment", "ask", "take", "note", "other"]),
        st.booleans(),  # whether the worker looks then
        st.booleans(),  # whether the mail server takes what it gets
    ),
    min_size=1,
    max_size=14,
)
WAYS = st.sampled_from([str(way) for way in Way])


@given(
    ARRIVALS,
    st.dictionaries(st.sampled_from([str(group) for group in Group]), WAYS),
    st.integers(0, 23),
    st.booleans(),
    st.sampled_from(["America/Bogota", "Europe/Madrid", "Asia/Kolkata"]),
)
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_everybody_is_told_each_line_by_exactly_one_letter(
    world: World,
    arrivals: list[tuple[int, str, bool, bool]],
    ways: dict[str, str],
    daily_hour: int,
    quiet: bool,
    zone: str,
) -> None:
    """Whatever comes when, and however often the mail server refuses."""
    for model in (Notice, Digest):
        model.objects.all().delete()
    for short in ("ana", "paula"):
        choose(world.people[short], daily_hour=daily_hour, quiet=quiet, **ways)
        Person.objects.filter(pk=world.people[short].pk).update(zone=zone)
    at = START
    case, other = world.report(at=at), world.report(at=at, subject="No abre")
    taken = asked = False
    post = Postman()
    for minutes, what, looks, works in arrivals:
        at += minutes * MINUTE
        if what == "take" and not taken:
            life.take(world.on(case, "sara", at))
            taken = True
        elif what == "note":
            conversation.internal_note(world.on(case, "sara", at), text="Secreto")
        elif what == "ask" and not asked:
            conversation.ask(world.on(case, "sara", at), addressee=Addressee.USER, text="¿Y?")
            asked = True
        else:
            conversation.comment(world.on(other if what == "other" else case, "sara", at), text="x")
        if looks:
            with postman(taken=post.taken, refuse=None if works else smtp.NotTaken("451")):
                work(at)
    with postman(taken=post.taken):
        for _ in range(40):
            work(at)
            waiting = [*Digest.objects.filter(sent_at=None), *Notice.objects.filter(state="queued")]
            if not waiting:
                break
            at = max(at, min(row.not_before for row in waiting))
    settled = (NoticeState.SENT, NoticeState.IN_PORTAL)
    assert not Notice.objects.exclude(state__in=settled).exists()
    assert not Digest.objects.exclude(state=NoticeState.SENT).exists()
    letters = {str(message["Message-ID"]) for _, _, message in post.taken}
    assert len(letters) == len(post.taken)
    for person in {notice.person for notice in Notice.objects.select_related("person")}:
        mailed = Notice.objects.filter(person=person, state=NoticeState.SENT)
        wanted = sorted(notice.line.receipt for notice in mailed.select_related("line"))
        assert sorted(receipts_in(post, person.email)) == wanted
    assert "Secreto" not in "".join(body(message) for _, _, message in post.taken)
