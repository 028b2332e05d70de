"""The customer's terms: opening, holding, extending and closing a window (P24)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from ..journal.writer import Writing
from ..models import (
    CalendarVersion,
    Case,
    Hold,
    Mailbox,
    MailState,
    Message,
    MessageKind,
    Outcome,
    RawMail,
    Transport,
    Version,
    Window,
)
from ..models.roles import is_customer_side
from ..policy import terms
from ..policy.stages import DeliverableState, Stage, derive
from ..policy.terms import Term, business_days, later


def open_window(case: Case, version: Version, starts_at: datetime) -> Window:
    """Start the term of a version whose delivery is proven. It pins the newest version of the
    case's calendar. Silence does not accept a corrected version (parameter of the policy)."""
    rules = case.policy.rules
    window, _ = Window.objects.update_or_create(
        version=version,
        defaults={
            "case": case,
            "calendar": case.calendar.latest(),
            "starts_at": starts_at,
            "length": rules.acceptance_days,
            "tacit": not (version.corrected and rules.corrected_needs_explicit),
            "closed_at": None,
            "annulled": False,
        },
    )
    return recompute(window)


def recompute(window: Window) -> Window:
    """Compute the term again from its holds and extensions. A calendar edited since may lengthen
    it, never shorten it."""
    pinned = _term(window, window.calendar)
    newest = window.calendar.latest()
    term = pinned if newest == window.calendar else later(pinned, _term(window, newest))
    window.last_day, window.until = term.last_day, term.until
    window.computation = term.to_json()
    window.save()
    return window


def restart(window: Window, starts_at: datetime) -> Window:
    """Count the term from a later proof, the first having come back; its calendar, what was
    granted and what held it stay."""
    window.starts_at = starts_at
    return recompute(window)


def _term(window: Window, version: CalendarVersion) -> Term:
    holds = [terms.Hold(hold.since, hold.ended_at) for hold in window.holds.order_by("since")]
    return business_days(
        window.starts_at, window.length, version.calendar, holds, extra=window.extra
    )


def in_time(window: Window | None, at: datetime) -> bool:
    """Whether a rejection at this moment is in time: before `until`, or in a window that silence
    can not end."""
    if window is None or window.until is None or at < window.until:
        return True
    return not (window.tacit and window.term.reviewed)


def hold_windows(writing: Writing, message: Message) -> list[int]:
    """A customer's word inside a window holds its clock until it has been classified (P24).
    Returns the ids of the holds."""
    return hold_open_windows(writing.case, message) if is_customer_side(writing.roles) else []


def hold_open_windows(case: Case, message: Message) -> list[int]:
    """Hold every window that runs at the moment of a customer's message; the ids of the holds."""
    held = []
    for window in case.windows.filter(closed_at__isnull=True, starts_at__lte=message.at):
        if window.until is not None and message.at >= window.until:
            continue
        held.append(hold(case, window, message).pk)
    return held


def hold_words_said_before_proof(case: Case, window: Window) -> None:
    """Hold a window for what the customer said in it before its proof was written: the proof of
    a copy may come in after the answer to it. What holds it already, or has been classified,
    does not hold it once more."""
    settled = Q(ended_at__isnull=True) | Q(objection__isnull=False)
    known = window.holds.filter(settled).values("message")
    for message in (
        case.messages.filter(
            at__gte=window.starts_at,
            kind__in=[MessageKind.COMMENT, MessageKind.ANSWER, MessageKind.ATTACHMENT],
            author__isnull=False,
        )
        .exclude(pk__in=known)
        .select_related("author")
    ):
        assert message.author is not None  # filtered above
        if not message.author.is_firm:
            hold(case, window, message)


def hold(case: Case, window: Window, message: Message) -> Hold:
    """Hold a window from this message on."""
    row = Hold.objects.create(window=window, message=message, since=message.at)
    if case.policy.rules.any_comment_excludes_silence:
        window.tacit = False
    recompute(window)
    return row


def close_window(version: Version, at: datetime, *, annulled: bool = False) -> Window | None:
    """End a version's term, if it has one that still runs."""
    window = Window.objects.filter(version=version, closed_at__isnull=True).first()
    if window is not None:
        window.holds.filter(ended_at__isnull=True).update(ended_at=at)
        window.closed_at, window.annulled = at, annulled
        window.save()
    return window


def latest_pending(writing: Writing, version: Version) -> Version:
    """The version, if it is the newest of its deliverable and still to be decided on; otherwise
    the refusal that says why not."""
    version = Version.objects.select_related("deliverable").get(pk=version.pk, case=writing.case)
    latest = version.deliverable.latest
    if latest is not None and latest.pk != version.pk:
        writing.refuse("stale_version", number=latest.number)
    if version.outcome != Outcome.PENDING:
        decision = version.decisions.filter(annulled_at__isnull=True).first()
        if decision is None:
            writing.refuse("no_open_window")
        by = str(decision.person) if decision.person else "clock"
        writing.refuse("already_decided", by=by, when=decision.at)
    return version


def end_side_rows(case: Case, at: datetime) -> None:
    """No question and no term of the main line outlives the case."""
    case.waits.filter(ended_at__isnull=True).update(ended_at=at)
    for window in case.windows.filter(closed_at__isnull=True).select_related("version"):
        close_window(window.version, at, annulled=True)


def derived_stage(case: Case) -> Stage:
    """Where a case with planned deliverables stands (life.md). An answer that was withdrawn
    leaves a case without authorisation in diagnosis, and is not owed once work is authorised."""
    rows = [(row, row.latest) for row in case.deliverables.filter(proposal=False)]
    if case.authorized_at is None:
        owed = [latest for _, latest in rows if latest is not None]
        return derive(map(_state, owed)) if owed else Stage.DIAGNOSIS
    return derive(
        _state(latest)
        for row, latest in rows
        if latest is not None or row.planned_at >= case.authorized_at
    )


def _state(version: Version | None) -> DeliverableState:
    if version is None:
        return DeliverableState(False, False, False, False)
    return DeliverableState(
        delivered=True,
        open_window=version.outcome == Outcome.PENDING,
        rejected_unanswered=version.outcome == Outcome.REJECTED,
        accepted=version.outcome in (Outcome.ACCEPTED, Outcome.TACIT),
    )


def give_a_day_from(window: Window, at: datetime) -> None:
    """Reopen a term that has ended: one business day is left, the first after the day of `at`."""
    assert window.last_day is not None  # it ended, so no hold runs
    calendar = window.calendar.latest().calendar
    today = calendar.local_day(at)
    window.extra += terms.count_business_days(window.last_day, today, calendar) + 1
    recompute(window)


def require_in_time(writing: Writing, version: Version) -> Window | None:
    """The version's window, refused when its term has ended (P25)."""
    window = Window.objects.filter(version=version, closed_at__isnull=True).first()
    if not in_time(window, writing.at):
        assert window is not None
        writing.refuse("window_ended", last_day=window.last_day)
    return window


def end_by_silence(writing: Writing, version: Version) -> Window:
    """Close the window by silence: only when it has ended, is not held, lies in a reviewed year,
    and all mail that arrived before its end has been read and settled (life.md, legal dates)."""
    window = Window.objects.filter(version=version, closed_at__isnull=True).first()
    if window is None:
        writing.refuse("no_open_window")
    recompute(window)
    if window.until is None:
        writing.refuse("window_held")
    if writing.at < window.until:
        writing.refuse("window_open")
    if not window.tacit:
        writing.refuse("explicit_only" if version.corrected else "silence_excluded")
    if not window.term.reviewed:
        writing.refuse("year_not_reviewed")
    if mail_unsettled(writing.case, window.until):
        writing.refuse("mail_unread")
    closed = close_window(version, writing.at)
    assert closed is not None
    return closed


def mail_unsettled(case: Case, until: datetime) -> bool:
    """Whether mail that arrived before `until` may still hold a word of this customer's: a
    polled mailbox not read past it, or a mail not settled that could be theirs. A mail whose
    sender is not known yet could be anybody's."""
    unread = Mailbox.objects.filter(active=True, transport=Transport.IMAP).filter(
        Q(read_until__isnull=True) | Q(read_until__lt=until)
    )
    if unread.exists():
        return True
    unsettled = RawMail.objects.filter(
        arrived_at__lt=until, state__in=[MailState.RECEIVED, MailState.HELD, MailState.FAILED]
    )
    # A mail that nobody sent whom we know may be anybody's, unless it names a case.
    theirs = Q(case=case) | Q(person=case.reporter) | Q(person__isnull=True, case__isnull=True)
    theirs |= Q(person__memberships__organisation=case.organisation_id)
    theirs |= Q(case__organisation=case.organisation_id)  # terms run on bound cases only
    return unsettled.filter(theirs).exists()
