"""Mail at the desk: the list of what has not found its case, one mail, where it may belong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case as Choose
from django.db.models import IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from ..models import Case, LedgerLine, Mailbox, MailState, Organisation, Person, RawMail
from ..policy.fields import N_
from ..policy.stages import ENDED
from . import words
from .search import search
from .workload import WAITING

PAGE = 50
MOST_CANDIDATES = 6
STATES = {
    "": N_("Waiting"),
    MailState.RECEIVED: N_("Not read yet"),
    MailState.HELD: N_("Held"),
    MailState.FAILED: N_("Failed"),
    MailState.IGNORED: N_("Ignored"),
    MailState.PROCESSED: N_("Processed"),
}


@dataclass(frozen=True)
class MailFilters:
    """What the list is narrowed to; `state` "" is everything that waits."""

    state: str = ""
    reason: str = ""
    mailbox: int | None = None
    text: str = ""


@dataclass(frozen=True)
class MailRow:
    """One mail in the list: why it stands where it stands and what its sender's domain says of
    it, in words; whose customer it seems to be of."""

    mail: RawMail
    reason: str
    verdict: str
    customer: Organisation | None


@dataclass(frozen=True)
class MailPage:
    rows: list[MailRow]
    more: bool


def list_mail(person: Person, filters: MailFilters, *, page: int = 1) -> MailPage:
    """A page of the mail that is kept: what waits with the oldest first, what is settled with the
    newest first. Only the firm's."""
    if not person.is_firm:
        return MailPage([], more=False)
    found = _narrowed(filters).select_related(
        "mailbox__organisation", "person", "case__organisation"
    )
    settled = filters.state in (MailState.IGNORED, MailState.PROCESSED)
    found = found.order_by("-arrived_at", "-pk") if settled else found.order_by("arrived_at", "pk")
    first = (page - 1) * PAGE
    rows = list(found.defer("content")[first : first + PAGE + 1])
    return MailPage([_row(row) for row in rows[:PAGE]], more=len(rows) > PAGE)


def _narrowed(filters: MailFilters) -> QuerySet[RawMail]:
    states = [filters.state] if filters.state else WAITING
    found = RawMail.objects.filter(state__in=states)
    if filters.reason:
        found = found.filter(reason=filters.reason)
    if filters.mailbox is not None:
        found = found.filter(mailbox=filters.mailbox)
    for word in filters.text.split()[:8]:
        found = found.filter(Q(subject__icontains=word) | Q(sender__icontains=word))
    return found


def _row(mail: RawMail) -> MailRow:
    customer = mail.case.organisation if mail.case is not None else None
    if customer is None and mail.mailbox is not None:
        customer = mail.mailbox.organisation
    return MailRow(mail, words.mail_reason(mail.reason), verdict(mail), customer)


def verdict(mail: RawMail) -> str:
    """What the domain of the sender says of a mail, in words."""
    return words.label(words.AUTHENTICATION, mail.authentication)


def reasons_in_use(state: str) -> list[tuple[str, str]]:
    """The reasons for which mail stands in this state (or waits), as codes and words."""
    found = _narrowed(MailFilters(state)).exclude(reason="")
    codes = found.order_by("reason").values_list("reason", flat=True).distinct()
    return [(code, words.mail_reason(code)) for code in codes[:50]]


def mailboxes_of_mail() -> list[Mailbox]:
    """The mailboxes that a list may be narrowed to, by address."""
    return list(Mailbox.objects.order_by("address"))


def get_mail(person: Person, pk: int) -> RawMail:
    """One raw mail with its bytes, whatever its state. Raises RawMail.DoesNotExist."""
    if not person.is_firm:
        raise RawMail.DoesNotExist(pk)
    related = ("mailbox__organisation", "person", "case__organisation", "settled_by")
    return RawMail.objects.select_related(*related).get(pk=pk)


def lines_about(mail: RawMail) -> list[tuple[LedgerLine, str]]:
    """What the ledger of its case says of a mail, oldest first, each line as a sentence."""
    if mail.case_id is None:
        return []
    rows = LedgerLine.objects.filter(case=mail.case_id, payload__raw_mail=mail.pk)
    lines = list(rows.select_related("author").order_by("seq"))
    said = words.line_sentences(lines)
    return [(line, said[line.pk]) for line in lines]


def candidates(person: Person, mail: RawMail, text: str, now: datetime) -> list[Case]:
    """The cases that a mail may belong to: those found by the words of whoever looks, else the
    proposed one, then those of its sender and of its customer, running ones first, the newest
    first."""
    if text.strip():
        return [row.case for row in search(person, text, now).cases][:MOST_CANDIDATES]
    about = Q(pk=mail.case_id)
    if mail.person_id is not None:
        about |= Q(reporter=mail.person_id)
    if mail.mailbox is not None and mail.mailbox.organisation_id is not None:
        about |= Q(organisation=mail.mailbox.organisation_id)
    ended, theirs = Q(stage__in=ENDED), Q(reporter=mail.person_id)
    place = Choose(
        When(pk=mail.case_id, then=Value(0)),
        When(~ended & theirs, then=Value(1)),
        When(~ended, then=Value(2)),
        When(theirs, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    rows = Case.objects.visible_to(person).filter(about).annotate(place=place)
    rows = rows.select_related("organisation").order_by("place", "-opened_at", "-pk")
    return list(rows[:MOST_CANDIDATES])


def state_label(code: str) -> str:
    return _(STATES[code])
