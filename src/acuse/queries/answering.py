"""What somebody has to know before they answer: who will read it, what is on its way, and what
stands for the variables of a template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Case, Organisation, OrganisationKind, Person, ReplyTemplate, Sending
from ..models import SendingState as State
from ..policy.replies import fill
from .sentence import sentence_for

if TYPE_CHECKING:
    from .case import CaseView

IN_FORCE = Q(memberships__until__isnull=True) | Q(memberships__until__gt=Now())


def crowds_of(case: Case) -> QuerySet[Organisation]:
    """The firm and the case's customer, each with the number of its `people` today."""
    active = IN_FORCE & Q(memberships__since__lte=Now(), memberships__person__is_active=True)
    rows = Organisation.objects.filter(Q(kind=OrganisationKind.FIRM) | Q(pk=case.organisation_id))
    return rows.annotate(people=Count("memberships__person", filter=active, distinct=True))


def unsaid(case: Case, person: Person) -> QuerySet[Sending]:
    """Somebody's replies on a case that wait, were taken back, or were refused; and the last of
    those said of which something beside it was refused."""
    mine = Sending.objects.filter(case=case, person=person)
    return mine.filter(~Q(state=State.SENT) | ~Q(refusals=[])).order_by("pk")


@dataclass(frozen=True)
class Readers:
    """Who will read a reply and who a note, in words, told before it is sent; `by_mail`: the
    customer's people to whom the reply is mailed, by name."""

    reply: str
    note: str
    by_mail: list[str]


def readers_of(view: CaseView, followers: Iterable[Person]) -> Readers:
    """Who reads what is written on a case now. No query."""
    people = {row.kind: row.people for row in view.folder.crowds}  # type: ignore[attr-defined]
    count = people.get(OrganisationKind.FIRM, 0)
    firm = ngettext("%(n)s person of the firm", "%(n)s people of the firm", count) % {"n": count}
    reporter = view.case.reporter
    mailed = [] if reporter is None or reporter.is_firm else [reporter]
    mailed += [each for each in followers if not each.is_firm and each not in mailed]
    customer = _customer_words(view.case, people.get(OrganisationKind.CUSTOMER, 0))
    both = _("They will see it: %(customer)s and %(firm)s.")
    reply = both % {"customer": customer, "firm": firm} if customer else ""
    note = _("Only the firm will see it: %(firm)s, and nobody of the customer.") % {"firm": firm}
    return Readers(reply, note, [str(each) for each in mailed])


def _customer_words(case: Case, count: int) -> str:
    if case.organisation is None:
        return str(case.reporter or "")
    words = ngettext("%(n)s person of %(customer)s", "%(n)s people of %(customer)s", count)
    return words % {"n": count, "customer": case.organisation}


def fill_for(view: CaseView, template: ReplyTemplate, host: str) -> str:
    """The text of a template for one case, its variables replaced as the customer reads them, in
    the template's language. `host`: the public address, without a slash at its end."""
    case, reporter = view.case, view.case.reporter
    with translation.override(template.language):
        values = {
            "reporter": str(reporter) if reporter is not None else "",
            "number": case.number,
            "subject": case.subject,
            "sentence": str(sentence_for(case, reporter or view.person)),
            "me": str(view.person),
            "link": f"{host}/cases/{case.number}",
        }
    return fill(template.text, values)


def assignment_words(template: ReplyTemplate) -> str:
    """To whom a macro assigns a case, in words; "" where it does not."""
    to = [str(each) for each in (template.assignee, template.queue) if each is not None]
    return " · ".join(to)


def find_unsaid(person: Person, pk: int) -> Sending | None:
    """One of somebody's own replies, with its case."""
    return Sending.objects.select_related("case", "line").filter(person=person, pk=pk).first()


def seconds_left(sending: Sending, now: datetime) -> int:
    """How long a reply may still be taken back, in full seconds."""
    return max(0, round((sending.due_at - now).total_seconds()))
