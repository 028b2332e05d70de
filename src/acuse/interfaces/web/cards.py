"""What exactly is decided: version, number, fingerprints, files, amounts (experience.md, cards)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from acuse.models import Attachment, Case, Estimate, EstimateLine, Person, Rate, Version
from acuse.policy.billing import amount
from acuse.queries import words

from .consequences import BY_ACT, Choice, silence
from .forms import rows
from .forms.base import ActForm
from .nouns import ActPage


@dataclass
class Card:
    """`template`: shared/cards/<template>.html; `facts`: what it reads."""

    template: str
    choice: Choice | None = None
    silence: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def card_for(page: ActPage, case: Case, person: Person, form: ActForm) -> Card | None:
    """The card of a binding act, or None where there is nothing to show beside the form."""
    choice = BY_ACT.get(page.act)
    if choice is None and not page.card:
        return None
    facts = _FACTS[page.card](case, person, form) if page.card else {}
    version = facts.get("version")
    return Card(page.card, choice, silence(choice, version) if choice else "", facts)


def in_one_line(card: Card | None, form: ActForm) -> str:
    """What is decided, as the confirmation repeats it: its name and version, how much time, how
    much money, how many lines or objections."""
    facts = card.facts if card is not None else {}
    parts = [*_named(facts), *_measured(facts), *_lines(form), *_objected(form)]
    return " · ".join(parts)


def _named(facts: dict[str, Any]) -> Iterator[str]:
    for version in facts.get("versions", ()):
        title, number = version.deliverable.title, version.number
        yield words.fill(_("“%(title)s”, version %(number)s"), {"title": title, "number": number})
    if "estimate" in facts and not facts.get("versions"):
        yield _("scope, version %(number)s") % {"number": facts["estimate"].number}
    for statement in facts.get("statements", ()):
        amount_shown = words.money(statement.total, statement.currency)
        told = {"number": statement.number, "amount": amount_shown}
        yield words.fill(_("billing statement %(number)s: %(amount)s"), told)


def _measured(facts: dict[str, Any]) -> Iterator[str]:
    if facts.get("minutes"):
        yield words.minutes(facts["minutes"])
    if facts.get("total") is not None:
        yield words.money(facts["total"], facts["currency"])


def _lines(form: ActForm) -> Iterator[str]:
    """The lines of time that were ticked, and what is billed of them; a cap on emergency work."""
    entries = list(form.cleaned_data.get("entries") or ())
    if entries:
        billed = sum(entry.billed_minutes for entry in entries if entry.billable)
        lines = ngettext("%(count)d line", "%(count)d lines", len(entries)) % {
            "count": len(entries)
        }
        yield _("%(lines)s, of which %(time)s are billed") % {
            "lines": lines,
            "time": words.minutes(billed),
        }
    if form.cleaned_data.get("cap_minutes"):
        yield _("at most %(time)s") % {"time": words.minutes(form.cleaned_data["cap_minutes"])}


def _objected(form: ActForm) -> Iterator[str]:
    if "objections" in form.rows:
        count = len(form.given_rows("objections"))
        yield ngettext("%(count)d objection", "%(count)d objections", count) % {"count": count}


def _version(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    return _of_version(rows.pending_versions(case, person), person, form)


def _proposal(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    facts = _of_version(rows.pending_proposal(case, person), person, form)
    version = facts.get("version")
    if version is not None and version.estimate is not None:
        facts |= estimate_facts(case, version.estimate)
    return facts


def _of_version(found: Any, person: Person, form: ActForm) -> dict[str, Any]:
    """The version that the form is about; all that wait, where it has still to be chosen."""
    files = Attachment.objects.visible_to(person).select_related("blob")
    versions = list(found.prefetch_related(Prefetch("files", files)))
    chosen = _chosen(form, "version")
    version = next((v for v in versions if str(v.pk) == chosen), None)
    if version is None and len(versions) == 1:
        version = versions[0]
    return {"version": version, "versions": [version] if version else versions}


def _chosen(form: ActForm, name: str) -> str:
    if name not in form.fields:
        return ""
    bound: forms.BoundField = form[name]
    return str(bound.value() or "")


def _estimate(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    newest = case.estimates.order_by("-number").first()
    return estimate_facts(case, newest) if newest is not None else {}


def _authorization(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    """What the authorisation starts: the estimate of the proposal that was accepted."""
    accepted = Version.objects.filter(
        case=case, deliverable__proposal=True, outcome__in=["accepted", "tacit"]
    )
    version = accepted.select_related("estimate").order_by("-number").first()
    if version is None or version.estimate is None:
        return {}
    return estimate_facts(case, version.estimate)


@dataclass(frozen=True)
class PricedLine:
    line: EstimateLine
    amount: Decimal | None


def estimate_facts(case: Case, estimate: Estimate) -> dict[str, Any]:
    """An estimate with what each line costs at the case's rates, where it has them."""
    lines = list(estimate.lines.all())
    hourly = _rates(case)
    currency = case.rates.currency if case.rates is not None else ""
    priced = [PricedLine(line, _price(line, hourly, currency, case)) for line in lines]
    known = [row.amount for row in priced if row.amount is not None]
    return {
        "estimate": estimate,
        "items": list(estimate.items.all()),
        "lines": priced,
        "minutes": sum(line.minutes for line in lines),
        "currency": currency,
        "total": sum(known, Decimal(0)) if known and len(known) == len(priced) else None,
    }


def _rates(case: Case) -> dict[tuple[str, int | None], Decimal]:
    found: Iterable[Rate] = Rate.objects.filter(version=case.rates_id)
    return {(rate.activity, rate.specialty_id): rate.hourly for rate in found}


def _price(
    line: EstimateLine, hourly: dict[tuple[str, int | None], Decimal], currency: str, case: Case
) -> Decimal | None:
    rate = hourly.get((line.activity, case.specialty_id), hourly.get((line.activity, None)))
    return amount(line.minutes, rate, currency) if rate is not None else None


def _statement(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    issued = rows.statements_issued(case, person).prefetch_related("lines__entry__person")
    return {"statements": list(issued)}


def _accounts(case: Case, person: Person, form: ActForm) -> dict[str, Any]:
    """What has been settled when the case is to be closed."""
    return {
        "statements": list(case.statements.exclude(state="credited").order_by("number")),
        "versions": list(rows.accepted_results(case, person).order_by("deliverable", "number")),
    }


_FACTS: dict[str, Callable[[Case, Person, ActForm], dict[str, Any]]] = {
    "version": _version,
    "proposal": _proposal,
    "estimate": _estimate,
    "authorization": _authorization,
    "statement": _statement,
    "accounts": _accounts,
}
