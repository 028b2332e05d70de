"""A delivery whose proof comes back: the term counts from the first proof that stands, and what
silence accepted on a proof that is gone is annulled (P23, P24)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError

from acuse.actions import clock, conversation, deliveries, life, mail
from acuse.actions import notices as states
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Case,
    Decision,
    Dispatch,
    Hold,
    LedgerLine,
    MailState,
    Notice,
    NoticeState,
    Outcome,
    RawMail,
    Version,
    Window,
)
from acuse.policy.authors import POSTMAN
from acuse.policy.refusals import Refused
from acuse.policy.stages import CancelReason, Stage
from tests.mail.post import postman, send_all
from tests.mail.samples import mail as sample
from tests.mail.test_verp import came
from tests.world import HOUR, World, refused

DAY = timedelta(days=1)


class Delivered:
    """A development delivered to two people of Andina's, Ana and Beto, each by a letter."""

    def __init__(self, world: World, **more: object) -> None:
        self.world = world
        self.case = world.working("development", **more)
        deliverable = self.case.deliverables.get(proposal=False)
        life.deliver(world.on(self.case, "carlos"), deliverable=deliverable, text="Listo")
        self.version = self.case.versions.latest("pk")
        self.at = self.version.at

    def copy(self, who: str) -> Dispatch:
        person = self.world.people[who]
        copy, made = Dispatch.objects.get_or_create(
            version=self.version, person=person, defaults={"sent_at": self.at}
        )
        if made:
            line = LedgerLine.objects.get(case=self.case, kind="deliver")
            Notice.objects.update_or_create(
                line=line, person=person, defaults={"case": self.case, "dispatch": copy}
            )
        return copy

    def prove(self, who: str, at: datetime) -> None:
        """The person's mail server takes the copy."""
        notice = Notice.objects.get(dispatch=self.copy(who))
        states.mark_sent(notice, at)

    def bounce(self, who: str, at: datetime, now: datetime | None = None) -> RawMail:
        """The copy comes back, by a report to the address that was signed for it."""
        notice = Notice.objects.get(dispatch=self.copy(who))
        address = replies.bounce_address(notice)
        content = sample(f"{who}: 550 5.1.1 no such user", to=address, subject="Returned")
        return self.report(content, address, at, now)

    def report(
        self, content: bytes, address: str, at: datetime, now: datetime | None = None
    ) -> RawMail:
        raw = mail.keep(
            content, self.world.mailbox, arrived_at=at, envelope_from="", envelope_to=[address]
        )
        intake.take_in(raw.pk, now or at)
        return RawMail.objects.get(pk=raw.pk)

    @property
    def window(self) -> Window:
        return Window.objects.get(version=self.version)

    @property
    def fresh(self) -> Version:
        return Version.objects.get(pk=self.version.pk)

    @property
    def stage(self) -> str:
        return Case.objects.get(pk=self.case.pk).stage

    def kinds(self, count: int) -> list[str]:
        lines = LedgerLine.objects.filter(case=self.case).order_by("-seq")[:count]
        return [line.kind for line in reversed(lines)]

    def silence(self) -> Window:
        """Time passes until silence accepts."""
        until = self.window.until
        assert until is not None
        for pk in clock.due(until):
            clock.fire(pk, until)
        assert self.fresh.outcome == Outcome.TACIT
        return self.window


@pytest.fixture
def sent(world: World) -> Delivered:
    return Delivered(world)


def told(kind: str, case: Case) -> set[str]:
    line = LedgerLine.objects.filter(case=case, kind=kind).latest("seq")
    return set(Notice.objects.filter(line=line).values_list("person__email", flat=True))


def test_the_term_counts_from_the_earliest_proof_that_stands(sent: Delivered) -> None:
    first, second = sent.at + HOUR, sent.at + 2 * DAY
    sent.prove("ana", first)
    sent.prove("beto", second)
    before = sent.window
    assert before.starts_at == first
    raw = sent.bounce("ana", second + HOUR)
    assert (raw.state, raw.reason, raw.detail) == (MailState.PROCESSED, "bounce", "")
    after = sent.window
    assert (after.starts_at, after.annulled, after.closed_at) == (second, False, None)
    assert after.until is not None
    assert before.until is not None
    assert after.until > before.until
    assert sent.fresh.delivered_at == second
    assert sent.kinds(2) == ["fail_delivery", "prove_delivery"]
    line = LedgerLine.objects.filter(case=sent.case).latest("seq")
    assert line.payload["dispatch"] == sent.copy("beto").pk
    assert line.payload["last_day"] == after.last_day.isoformat()  # type: ignore[union-attr]
    assert "beto@andina.example" in told("prove_delivery", sent.case)  # the new last day is told
    assert Notice.objects.get(dispatch=sent.copy("ana")).state == NoticeState.BOUNCED


def test_a_later_proof_on_the_same_day_changes_no_term(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.prove("beto", sent.at + 2 * HOUR)
    before = sent.window.until
    sent.bounce("ana", sent.at + 3 * HOUR)
    assert sent.window.until == before
    assert sent.kinds(1) == ["fail_delivery"]


def test_a_copy_that_did_not_start_the_term_changes_nothing(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.prove("beto", sent.at + 2 * DAY)
    before = sent.window
    sent.bounce("beto", sent.at + 3 * DAY)
    assert (sent.window.starts_at, sent.window.until) == (before.starts_at, before.until)
    assert sent.kinds(1) == ["fail_delivery"]


def test_a_copy_opened_in_the_portal_stays_proven(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    opened = sent.at + DAY
    deliveries.prove_delivery(sent.world.on(sent.case, "ana", opened), version=sent.version)
    sent.bounce("ana", sent.at + 2 * DAY)
    assert sent.window.starts_at == opened
    assert not sent.window.annulled
    assert Dispatch.objects.get(pk=sent.copy("ana").pk).opened_at == opened


def test_what_held_the_term_holds_it_still(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    conversation.comment(sent.world.on(sent.case, "beto", sent.at + DAY), text="Una duda")
    sent.prove("beto", sent.at + 2 * DAY)
    sent.bounce("ana", sent.at + 3 * DAY)
    window = sent.window
    assert window.starts_at == sent.at + 2 * DAY
    assert window.until is None
    assert Hold.objects.filter(window=window).count() == 1


def test_a_classified_comment_does_not_hold_again(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.prove("beto", sent.at + DAY)
    line = conversation.comment(sent.world.on(sent.case, "beto", sent.at + 2 * DAY), text="Gracias")
    message = sent.case.messages.get(pk=line.payload["message"])
    deliveries.classify_comment(sent.world.on(sent.case, "sara"), message=message, objection=False)
    sent.bounce("ana", sent.at + 3 * DAY)
    assert sent.window.until is not None
    assert Hold.objects.filter(window=sent.window).count() == 1


def test_without_any_proof_the_term_is_annulled(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.bounce("ana", sent.at + DAY)
    assert sent.window.annulled
    assert sent.fresh.delivered_at is None
    sent.prove("beto", sent.at + 4 * DAY)
    assert (sent.window.annulled, sent.window.starts_at) == (False, sent.at + 4 * DAY)


def test_a_copy_sent_again_has_its_proof_when_it_is_taken(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.bounce("ana", sent.at + DAY)
    notice = Notice.objects.get(dispatch=sent.copy("ana"))
    states.send_again(notice, by=sent.world.sara, at=sent.at + 2 * DAY)
    assert sent.copy("ana").bounced_at is not None  # until their server has taken it
    with postman() as post:
        sending.send(notice.pk, lambda: sent.at + 3 * DAY)
    assert len(post.to("ana@andina.example")) == 1
    copy = sent.copy("ana")
    assert (copy.accepted_at, copy.bounced_at) == (sent.at + 3 * DAY, None)
    assert (sent.window.annulled, sent.window.starts_at) == (False, sent.at + 3 * DAY)
    assert sent.kinds(2) == ["fail_delivery", "prove_delivery"]


def test_silence_on_a_proof_that_came_back_is_annulled(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    window = sent.silence()
    assert sent.stage == Stage.ACCEPTED
    now = window.until + DAY  # type: ignore[operator]
    raw = sent.bounce("ana", now)
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "bounce")
    assert (sent.stage, sent.fresh.outcome) == (Stage.DELIVERED, Outcome.PENDING)
    assert sent.window.annulled
    assert sent.fresh.delivered_at is None
    assert sent.kinds(2) == ["fail_delivery", "annul_tacit"]
    line = LedgerLine.objects.filter(case=sent.case).latest("seq")
    assert (line.payload["raw_mail"], line.payload["message"]) == (raw.pk, None)
    decision = Decision.objects.get(pk=line.payload["decision"])
    assert decision.annulled_at == now
    assert not sent.case.warranties.filter(annulled_at__isnull=True).exists()
    assert "mario@firm.example" in told("fail_delivery", sent.case)
    for pk in clock.due(now + 30 * DAY):
        clock.fire(pk, now + 30 * DAY)
    assert sent.fresh.outcome == Outcome.PENDING  # nothing more by silence without a proof


def test_silence_counted_too_early_leaves_at_least_a_day(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.prove("beto", sent.at + 2 * DAY)
    window = sent.silence()
    now = window.until + 20 * DAY  # type: ignore[operator]
    sent.bounce("ana", now)
    again = sent.window
    assert (sent.stage, sent.fresh.outcome) == (Stage.DELIVERED, Outcome.PENDING)
    assert (again.starts_at, again.annulled, again.closed_at) == (sent.at + 2 * DAY, False, None)
    assert again.until is not None
    assert again.until > now + DAY / 2
    for pk in clock.due(again.until):
        clock.fire(pk, again.until)
    assert sent.fresh.outcome == Outcome.TACIT


def test_silence_that_another_proof_carries_stands(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.prove("beto", sent.at + 2 * HOUR)
    window = sent.silence()
    sent.bounce("ana", window.until + DAY)  # type: ignore[operator]
    assert (sent.stage, sent.fresh.outcome) == (Stage.ACCEPTED, Outcome.TACIT)
    assert sent.kinds(1) == ["fail_delivery"]
    assert "mario@firm.example" not in told("fail_delivery", sent.case)


def test_a_closure_by_the_customer_shows_that_they_had_it(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    window = sent.silence()
    life.close(sent.world.on(sent.case, "ana", window.until + HOUR))  # type: ignore[operator]
    raw = sent.bounce("ana", window.until + DAY)  # type: ignore[operator]
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "found_late")
    assert raw.detail
    assert (sent.stage, sent.fresh.outcome) == (Stage.CLOSED, Outcome.TACIT)
    assert "mario@firm.example" in told("fail_delivery", sent.case)


def test_a_proposal_whose_work_was_authorised_stays(world: World) -> None:
    case = world.proposed("development", prove=False)
    version = case.versions.latest("pk")
    notice = Notice.objects.filter(dispatch__version=version, person=world.ana).get()
    states.mark_sent(notice, version.at + HOUR)
    for other in Notice.objects.filter(dispatch__version=version).exclude(pk=notice.pk):
        states.mark_bounced(other, "550", version.at + HOUR)
    window = Window.objects.get(version=version)
    assert window.until is not None
    for pk in clock.due(window.until):
        clock.fire(pk, window.until)
    assert world.fresh(case).stage == Stage.AUTHORIZATION
    life.authorize(world.on(case, "ana", window.until + HOUR))
    address = replies.bounce_address(notice)
    raw = came(sample("550 5.1.1 no such user", to=address), address)
    assert (raw.state, raw.reason) == (MailState.PROCESSED, "found_late")
    assert world.fresh(case).stage == Stage.IN_PROGRESS


def test_a_delay_changes_nothing(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    notice = Notice.objects.get(dispatch=sent.copy("ana"))
    address = replies.bounce_address(notice)
    raw = sent.report(sample("4.4.1 later", to=address), address, sent.at + DAY)
    assert (raw.state, raw.reason) == (MailState.IGNORED, "bounce")
    assert not sent.window.annulled
    assert not Address.objects.filter(bouncing_since__isnull=False).exists()


def test_a_report_that_nobody_can_read_keeps_silence_from_counting(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    until = sent.window.until
    assert until is not None
    notice = Notice.objects.get(dispatch=sent.copy("ana"))
    address = replies.bounce_address(notice)
    raw = sent.report(sample("lo siento", to=address), address, until - HOUR)
    assert (raw.state, raw.reason) == (MailState.HELD, "bounce")
    for pk in clock.due(until + HOUR):
        clock.fire(pk, until + HOUR)
    assert sent.fresh.outcome == Outcome.PENDING


def test_the_second_report_of_one_notice_says_nothing_new(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.bounce("ana", sent.at + DAY)
    lines = LedgerLine.objects.filter(case=sent.case).count()
    sent.bounce("ana", sent.at + 2 * DAY)
    assert LedgerLine.objects.filter(case=sent.case).count() == lines


def test_the_firm_sees_it_even_where_no_delivery_hangs_on_it(world: World) -> None:
    case = world.report()
    with postman():
        send_all()
    notice = Notice.objects.get(case=case, person=world.paula)
    address = replies.bounce_address(notice)
    came(sample("550 5.1.1 no such user", to=address), address)
    notice.refresh_from_db()
    assert (notice.state, notice.error) == (NoticeState.BOUNCED, "bounced: paula@firm.example")
    assert Address.objects.get(email="paula@firm.example").bouncing_since is not None


def test_a_term_that_a_later_proof_lets_run_on_keeps_its_days(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    proof = sent.at + 6 * DAY
    sent.prove("beto", proof)
    window = sent.silence()
    sent.bounce("ana", window.until + HOUR)  # type: ignore[operator]
    again = sent.window
    assert (again.starts_at, again.extra, again.closed_at) == (proof, 0, None)
    assert again.until is not None
    assert again.until > window.until + DAY  # type: ignore[operator]


def test_without_a_proof_there_is_nothing_to_name(sent: Delivered) -> None:
    with refused("not_delivered"):
        deliveries.prove_delivery(sent.world.on(sent.case, POSTMAN), version=sent.version)


def test_a_silence_whose_proof_stands_is_not_annulled(sent: Delivered) -> None:
    sent.prove("ana", sent.at + HOUR)
    sent.silence()
    with refused("tacit_only"):
        deliveries.annul_tacit(
            sent.world.on(sent.case, POSTMAN), version=sent.version, copy=sent.copy("ana")
        )


def test_what_comes_back_on_a_cancelled_case_marks_the_notice_alone(world: World) -> None:
    case = world.proposed("development", prove=False)
    notice = Notice.objects.get(dispatch__version=case.versions.latest("pk"), person=world.ana)
    life.cancel(world.on(case, "ana"), reason=CancelReason.WITHDRAWN)
    lines = LedgerLine.objects.filter(case=case).count()
    at = LedgerLine.objects.filter(case=case).latest("seq").at + HOUR
    states.mark_sent(notice, at)
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.SENT
    assert states.mark_bounced(notice, "550", at) == ""
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.BOUNCED
    assert LedgerLine.objects.filter(case=case).count() == lines


@pytest.mark.parametrize("answered", ["taken", "not taken"])
def test_what_comes_back_before_the_server_has_answered_proves_nothing(
    sent: Delivered, answered: str
) -> None:
    """A server on the same machine may return a mail before its 250 has been noted."""
    Notice.objects.filter(dispatch=sent.copy("ana")).update(state=NoticeState.QUEUED)
    notice = states.claim(Notice.objects.get(dispatch=sent.copy("ana")).pk, sent.at)
    assert notice is not None
    sent.bounce("ana", sent.at + timedelta(minutes=1))
    if answered == "taken":
        states.mark_sent(notice, sent.at + timedelta(minutes=2))
    else:
        states.mark_not_taken(notice, "421 gone", sent.at + timedelta(minutes=2))
    assert Notice.objects.get(pk=notice.pk).state == NoticeState.BOUNCED
    assert sent.copy("ana").accepted_at is None
    assert not Window.objects.filter(version=sent.version).exists()
    assert states.claim(notice.pk, sent.at + DAY) is None


def test_a_proof_in_trouble_is_noted_and_the_letter_not_sent_again(sent: Delivered) -> None:
    notice = Notice.objects.get(dispatch=sent.copy("ana"))
    with patch.object(deliveries, "prove_delivery", side_effect=RuntimeError("broken")):
        states.mark_sent(notice, sent.at)
    notice.refresh_from_db()
    assert notice.state == NoticeState.SENT
    assert "broken" in notice.error
    gone = OperationalError("gone")
    with (
        patch.object(deliveries, "prove_delivery", side_effect=gone),
        pytest.raises(OperationalError),
    ):
        states.mark_sent(notice, sent.at)


@pytest.mark.parametrize(
    ("act", "mark"),
    [("prove_delivery", states.mark_sent), ("fail_delivery", states.mark_bounced)],
)
def test_another_refusal_is_no_secret(sent: Delivered, act: str, mark: Any) -> None:
    notice = Notice.objects.get(dispatch=sent.copy("ana"))
    with patch.object(deliveries, act, side_effect=Refused("stale_version", number=2)):
        if mark is states.mark_sent:
            mark(notice, sent.at)
            assert "newer version" in Notice.objects.get(pk=notice.pk).error
        else:
            with pytest.raises(Refused):
                mark(notice, "550", sent.at)
