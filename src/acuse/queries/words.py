"""The words for codes, dates and ledger lines, in the active language. Every door takes them
from here, so that a thing is called the same everywhere."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import numberformat
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ..models import Estimate, LedgerLine, Person, Version
from ..policy import billing, coverage
from ..policy.deadlines import DEADLINES
from ..policy.fields import N_
from ..policy.kinds import KINDS
from ..policy.oncall import RUNGS, WHYS
from ..policy.stages import ACTS, STAGES, Stage
from .why_routed import why_routed

ROLES = {
    "user": N_("a user of the customer"),
    "lead": N_("the functional lead"),
    "owner": N_("the customer's service owner"),
    "support": N_("support"),
    "consultant": N_("a consultant"),
    "spoc": N_("the single point of contact"),
    "manager": N_("the service manager"),
    "administrator": N_("an administrator"),
    "stranger": N_("the sender"),
    "clock": N_("the clock"),
    "monitor": N_("the monitor"),
    "system": N_("the mail server"),
}
BALLS = {
    "firm": N_("The firm"),
    "customer": N_("The customer"),
    "both": N_("The customer and the firm"),
    "third_party": N_("A third party"),
    "nobody": N_("Nobody"),
}
PRIORITIES = {
    "urgent": N_("Urgent"),
    "high": N_("High"),
    "medium": N_("Medium"),
    "low": N_("Low"),
}
ACTIVITIES = {
    "diagnosis": N_("Diagnosis"),
    "meeting": N_("Meeting"),
    "execution": N_("Execution"),
    "correction": N_("Correction"),
    "warranty": N_("Warranty"),
    "internal": N_("Internal"),
}
CONTRACT_KINDS = {
    "support": N_("Support"),
    "implementation": N_("Implementation or improvement"),
}
RENEWALS = {
    "never": N_("never: they last as long as the contract"),
    "monthly": N_("every month"),
    "quarterly": N_("every three months"),
    "yearly": N_("every year"),
}
BEYONDS = {
    "rates": N_("work goes on and bills at the rates"),
    "approval": N_("new cases are not covered until more hours are agreed"),
}
DELIVERABLE_KINDS = {
    "estimate": N_("Estimate"),
    "development": N_("Development"),
    "parametrisation": N_("Parametrisation"),
    "documentation": N_("Functional documentation"),
    "answer": N_("Answer"),
}
OUTCOMES = {
    "pending": N_("Waiting for the customer"),
    "accepted": N_("Accepted explicitly"),
    "tacit": N_("Accepted by silence"),
    "rejected": N_("Rejected"),
    "withdrawn": N_("Withdrawn"),
}
TIME_STATES = {
    "logged": N_("Logged"),
    "submitted": N_("Waiting for approval"),
    "approved": N_("Approved"),
    "disputed": N_("Disputed"),
    "waived": N_("Waived"),
    "replaced": N_("Replaced"),
}
STATEMENT_STATES = {
    "issued": N_("Waiting for approval"),
    "approved": N_("Approved"),
    "disputed": N_("Disputed"),
    "credited": N_("Credited"),
    "exported": N_("Exported"),
}
CANCEL_REASONS = {
    "withdrawn": N_("The customer no longer needs it"),
    "solved_itself": N_("It solved itself"),
    "no_answer": N_("No answer was received"),
    "not_reproducible": N_("It could not be reproduced"),
    "not_our_service": N_("It is not part of the service"),
    "not_a_case": N_("It is not a case"),
}
EXCLUSIONS = {
    "odoo_version": N_("Change of the Odoo version"),
    "parametrisation_changed": N_("The functional parametrisation was changed"),
    "data_quality": N_("Quality of the data used"),
    "changed_by_others": N_("Changed by people outside the firm"),
    "not_specified": N_("It was not specified"),
    "late": N_("Claimed after the warranty ended"),
    "kind_not_covered": N_("This kind of deliverable has no warranty"),
}
MARKS = {
    "same": N_("As it was"),
    "added": N_("Added"),
    "removed": N_("Taken away"),
    "changed": N_("Changed"),
}
WORK_KINDS = {
    "import": N_("Import from a file"),
    "export": N_("List of cases"),
}
WORK_STATES = {
    "queued": N_("Waits for its turn"),
    "running": N_("Is being done"),
    "done": N_("Done"),
    "failed": N_("Came to nothing"),
}
ADDRESSEES = {
    "user": N_("The reporter"),
    "lead": N_("The functional lead"),
    "owner": N_("The service owner"),
    "third_party": N_("A third party"),
}
MEDIA = {
    "phone": N_("telephone"),
    "whatsapp": N_("WhatsApp"),
    "chat": N_("chat"),
    "visit": N_("visit"),
    "meeting": N_("meeting"),
    "other": N_("another channel"),
}
DIRECTIONS = {"functional": N_("functional"), "hierarchical": N_("hierarchical")}
DECISIONS = {
    "scope": N_("the scope"),
    "proposal": N_("the proposal"),
    "authorization": N_("the authorisation"),
    "result": N_("the delivery"),
    "time": N_("the executed time"),
    "billing": N_("the billing"),
    "closure": N_("the closure"),
}
OBJECTION_OUTCOMES = {
    "corrected": N_("corrected"),
    "out_of_scope": N_("out of scope: followed as a change"),
}
SETTLEMENTS = {"waived": N_("waived"), "upheld": N_("put to the customer again")}
LINKS = {
    "related": N_("Related"),
    "duplicate": N_("Duplicate"),
    "change": N_("Change"),
    "split": N_("Split"),
    "parent": N_("Parent"),
    "child": N_("Attached"),
}
CHANNELS = {
    "portal": N_("Portal"),
    "desk": N_("Desk"),
    "mail": N_("Mail"),
    "api": N_("API"),
    "cli": N_("Command line"),
    "clock": N_("Clock"),
    "monitor": N_("Monitor"),
}
MAIL_REASONS = {
    "wrong_sender": N_("Its sender has no part in the case that it names"),
    "proposed": N_("It seems to belong to a case, but nothing proves it"),
    "no_sender": N_("It does not say who wrote it"),
    "error": N_("It could not be read"),
    "unfetched": N_("The mail server did not hand it over"),
    "own": N_("We sent it ourselves"),
    "duplicate": N_("It had come in already"),
    "bounce": N_("It says that a mail of ours did not arrive"),
    "automatic": N_("A machine wrote it"),
    "found_late": N_("It was found after its term had ended"),
    "dismissed": N_("Somebody decided that it leads to nothing"),
    "to_case": N_("Somebody put it on a case"),
    "to_new_case": N_("Somebody opens a case with it"),
    "to_forward": N_("Somebody opens a case for whoever wrote the original"),
    "forward": N_("Somebody of the firm passed on a mail of somebody else"),
    "unproven": N_("It names somebody of the firm, and nothing proves that they wrote it"),
    "spoofed": N_("The domain of its sender does not vouch for it"),
    "unclear_sender": N_("It does not name exactly one author, or pretends to be somebody else"),
    "borrowed_name": N_("A stranger writes under the name of somebody of the firm"),
    "internal_words": N_("It would publish words of an internal note: write it anew on the case"),
    "digest": N_("It answers a letter about several cases: nothing says which one it is for"),
    "loop": N_("The sender repeats the same words, or writes faster than people do"),
}
# How far its mail has come.
NOTICE_STATES = {
    "queued": N_("on its way by mail"),
    "sending": N_("on its way by mail"),
    "sent": N_("mailed"),
    "failed": N_("could not be mailed"),
    "bounced": N_("its mail came back"),
    "suppressed": N_("not mailed"),
    "grouped": N_("goes with your next summary"),
    "in_portal": N_("only here"),
}
AUTHENTICATION = {
    "pass": N_("The sender's domain vouches for it"),
    "fail": N_("The sender's domain says that it is not theirs"),
    "none": N_("The sender's domain says nothing about it"),
    "unknown": N_("It is not known: the sender's domain was not asked, or gave no answer"),
    "": N_("Not asked yet"),
}
MAIL_OUTCOMES = {
    "new_case": N_("a case of its own"),
    "forward": N_("a case for whoever wrote the original"),
    "dismissed": N_("of no concern"),
}
DAY_REASONS = {
    "counted": N_("Counts"),
    "extended": N_("Counts: extension granted"),
    "event": N_("Day of the event: does not count"),
    "weekend": N_("Weekend"),
    "holiday": N_("Public holiday"),
    "hold": N_("On hold: a comment was being classified"),
    "rolled": N_("Moved to the next business day"),
    "paused": N_("Paused"),
    "closed": N_("No working hours"),
}
DEADLINE_KINDS = {name: kind.label for name, kind in DEADLINES.items()}
TRUTH = {True: N_("yes"), False: N_("no")}

FOLLOWING = {True: N_("follows it"), False: N_("no longer follows it")}
_BEFORE_STOP = re.compile(r"%\(\w+\)s\.(?=\s|$)")
_SEVERAL: dict[str, Mapping[str, str]] = {
    "priority": PRIORITIES,
    "activity": ACTIVITIES,
    "medium": MEDIA,
    "direction": DIRECTIONS,
    "decision": DECISIONS,
}
_OF_KIND: dict[tuple[str, str], Mapping[str, str]] = {
    ("cancel", "reason"): CANCEL_REASONS,
    ("answer_objection", "outcome"): OBJECTION_OUTCOMES,
    ("settle_time", "outcome"): SETTLEMENTS,
    ("settle_mail", "outcome"): MAIL_OUTCOMES,
    ("remind", "deadline"): DEADLINE_KINDS,
    ("warn", "deadline"): DEADLINE_KINDS,
    ("breach", "deadline"): DEADLINE_KINDS,
    ("page", "rung"): RUNGS,
    ("page", "why"): WHYS,
}


def label(words: Mapping[str, str], code: str) -> str:
    """The word for a code in the active language; nothing for no code."""
    return _(words[code]) if code else ""


def stage_label(stage: str, *, firm: bool) -> str:
    """How a stage is called at the desk (firm) or in the portal."""
    row = STAGES[Stage(stage)]
    return _(row.desk if firm else row.customer)


def act_label(name: str) -> str:
    return _(ACTS[name].label)


def who_could(roles: Iterable[str]) -> str:
    """The roles that could do something, as a list in words."""
    return ", ".join(_(ROLES[role]) for role in roles)


def condition_label(code: str, params: Mapping[str, object]) -> str:
    """One condition of cover (P09)."""
    return _(coverage.CONDITIONS[code]) % params


REFUSED_IT = N_("The case that it names refused it")


def mail_reason(code: str) -> str:
    """Why a mail stands where it stands; a code of no word here is a refusal of its case's."""
    return _(MAIL_REASONS.get(code, REFUSED_IT)) if code else ""


def billing_reason(code: str) -> str:
    """Why time bills or does not (P18)."""
    return _(billing.REASONS[code])


# The Spanish of Colombia writes the day first and its month small. In Portuguese the weekday goes
# last: before it, "on" and "by" would have to agree with its gender.
_DAY = {"es": r"l j \d\e F \d\e Y", "en": "l, j F Y", "pt": r"j \d\e F \d\e Y (l)"}


def long_date(day: date | str) -> str:
    """martes 1 de diciembre de 2026"""
    value = date.fromisoformat(day) if isinstance(day, str) else day
    language = (get_language() or "es")[:2]
    return _written(value, _DAY.get(language, _DAY["es"]), language)


@functools.lru_cache(maxsize=4096)
def _written(day: date, form: str, language: str) -> str:
    """A day in the active language, which is named because it is part of what is remembered: a
    page of cases writes the same few days over and over."""
    text = date_format(day, form)
    return text if language == "en" else text.lower()


def moment(at: datetime | str, zone: str, *, named: bool = False) -> str:
    """martes 1 de diciembre de 2026, 14:05; with the zone's name where it may be doubted."""
    value = datetime.fromisoformat(at) if isinstance(at, str) else at
    local = value.astimezone(ZoneInfo(zone))
    text = _("%(day)s, %(time)s") % {"day": long_date(local.date()), "time": f"{local:%H:%M}"}
    return f"{text} ({zone})" if named else text


def brief_date(day: date) -> str:
    """mar 1 dic 2026, where many dates stand in a row"""
    return _written(day, "D j M Y", (get_language() or "es")[:2])


def brief_month(day: date) -> str:
    """dic, under a day of a strip"""
    return _written(day, "M", (get_language() or "es")[:2])


def brief_moment(at: datetime, zone: tzinfo) -> str:
    """mar 1 dic 2026, 14:05"""
    local = at.astimezone(zone)
    return f"{brief_date(local.date())}, {local:%H:%M}"


def minutes(count: int) -> str:
    """Minutes as hours and minutes: 1 h 30 min."""
    hours, rest = divmod(count, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def more_minutes(count: int) -> str:
    """A difference of minutes with its sign: +1 h 30 min, −15 min, 0 min."""
    sign = "+" if count > 0 else "\u2212" if count < 0 else ""
    return f"{sign}{minutes(abs(count))}"


# Decimal and thousands signs as Colombia and Brazil write them; Django's "es" groups with a space.
_SIGNS = {"es": (",", "."), "en": (".", ","), "pt": (",", ".")}


def money(amount: Decimal | float | str, currency: str) -> str:
    """An amount with its currency: 1.234,50 COP"""
    return f"{figure(amount)} {currency}"


def figure(amount: Decimal | float | str) -> str:
    """An amount as the active language writes it: 1.234,50"""
    decimal, thousands = _SIGNS.get((get_language() or "es")[:2], _SIGNS["es"])
    return str(
        numberformat.format(
            amount, decimal, 2, grouping=3, thousand_sep=thousands, force_grouping=True
        )
    )


def line_sentence(line: LedgerLine) -> str:
    """A ledger line as a sentence."""
    return line_sentences([line])[line.pk]


def line_sentences(
    lines: Iterable[LedgerLine], known: Iterable[models.Model] = ()
) -> dict[int, str]:
    """Ledger lines as sentences, by the line's id: three more queries at most, however many lines.
    What the lines name and is `known` already is not read. Their authors should be loaded with
    them."""
    lines = list(lines)
    at_hand: dict[type[models.Model], dict[Any, Any]] = {}
    for record in known:
        at_hand.setdefault(type(record), {})[record.pk] = record

    def named(rows: models.QuerySet[Any], ids: set[Any]) -> dict[int, Any]:
        have = at_hand.get(rows.model, {})
        return {**have, **rows.in_bulk(ids - have.keys() - {None})}

    version_ids = {line.payload.get("version") for line in lines if _names_version(line)}
    versions = named(Version.objects.select_related("deliverable"), version_ids)
    estimates = named(Estimate.objects.all(), {line.payload.get("estimate") for line in lines})
    people = named(Person.objects.all(), {x.payload["person"] for x in lines if x.kind == "watch"})
    routed = why_routed(lines)
    return {
        line.pk: _sentence(line, versions, estimates, people, routed.get(line.pk, ""))
        for line in lines
    }


def _names_version(line: LedgerLine) -> bool:
    """In the line of a scope `version` is its number; everywhere else a version's id."""
    return line.kind not in ("submit_scope", "validate_scope")


def _sentence(
    line: LedgerLine,
    versions: Mapping[int, Version],
    estimates: Mapping[int, Estimate],
    people: Mapping[int, Person],
    routed: str,
) -> str:
    words: dict[str, object] = {
        name: _word(line.kind, name, value) for name, value in line.payload.items()
    }
    words["who"] = author_name(line)
    if routed:
        words["outcome"] = routed
    if line.kind == "watch":
        words["person"] = people.get(line.payload["person"], "")
        words["following"] = _(FOLLOWING[line.payload["following"]])
    if "total" in line.payload:
        words["total"] = figure(line.payload["total"])
    version = versions.get(line.payload.get("version") or 0) if _names_version(line) else None
    estimate = estimates.get(line.payload.get("estimate") or 0)
    if version is not None:
        words["number"], words["title"] = version.number, version.deliverable.title
    elif estimate is not None:
        words["number"] = estimate.number
    text = fill(_(KINDS[line.kind].sentence), words)
    return text[:1].upper() + text[1:]  # a machine's name is a small word inside a sentence


def fill(sentence: str, words: Mapping[str, object]) -> str:
    """A sentence with its words; one that ends in a full stop (S.A.S., a. m.) brings no second
    one to the end of a sentence."""
    return _BEFORE_STOP.sub(lambda found: _without_stop(found[0], words), sentence) % words


def _without_stop(place: str, words: Mapping[str, object]) -> str:
    ends = (place % words).endswith("..")
    return place.removesuffix(".") if ends else place


def author_name(line: LedgerLine) -> str:
    """The author of a line: a person's name, or which machine it was."""
    return str(line.author) if line.author is not None else _(ROLES[line.author_kind])


def _word(kind: str, name: str, value: object) -> object:
    if isinstance(value, bool):
        return _(TRUTH[value])
    if not isinstance(value, str):
        return value if value is not None else ""
    table = _OF_KIND.get((kind, name)) or _SEVERAL.get(name)
    if table is not None:
        return _(table[value]) if value in table else value
    return long_date(value) if name == "last_day" and value else value
