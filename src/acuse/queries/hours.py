"""What is told of the hours of contracts, to whom, in which words (P09)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..models import BankNews, Person
from ..policy.contracts import BankAlert
from ..policy.fields import N_
from . import health, words

WORDS = {
    BankAlert.MINUTES_LEFT: N_("%(contract)s (%(customer)s): %(time)s of its hours are left."),
    BankAlert.USED_UP: N_("%(contract)s (%(customer)s): its hours are used up."),
    BankAlert.DAYS_LEFT: N_(
        "%(contract)s (%(customer)s): its hours end on %(last_day)s, with %(time)s left."
    ),
}


def untold() -> list[BankNews]:
    """The news of which not everybody has been told, the oldest first."""
    rows = BankNews.objects.filter(told_at__isnull=True)
    return list(rows.select_related("contract__organisation__spoc").order_by("pk"))


def whom_to_tell(news: BankNews) -> list[Person]:
    """The customer's single point of contact and those who manage and administer."""
    found = {person.pk: person for person in health.whom_to_tell()}
    spoc = news.contract.organisation.spoc
    if spoc is not None and spoc.is_active:
        found.setdefault(spoc.pk, spoc)
    return list(found.values())


def sentence(news: BankNews) -> str:
    """What is told, in the active language; hours as they stood when it was found."""
    return _(WORDS[BankAlert(news.kind)]) % {
        "contract": news.contract.name,
        "customer": news.contract.organisation.name,
        "time": words.minutes(max(0, news.left)),
        "last_day": words.long_date(news.last_day) if news.last_day is not None else "",
    }
