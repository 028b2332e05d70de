"""A case on one sheet, for a terminal or a program: what the firm sees of it, in plain types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..models import Case, Deadline, Person, Window
from ..models.people import OrganisationKind
from . import words
from .case import CaseView, days_of, get_case


def sheet(number: str, now: datetime) -> dict[str, Any]:
    """The case of this number with its sentence, open terms and why, deadlines and ledger.

    Moments are ISO 8601. Raises Case.DoesNotExist, also where the firm has nobody yet.
    """
    people = Person.objects.get_queryset().filter(is_active=True)
    reader = people.filter(memberships__organisation__kind=OrganisationKind.FIRM).first()
    if reader is None:
        raise Case.DoesNotExist(number)
    view = CaseView(get_case(reader, number), reader, now)
    case = view.case
    return {
        "number": case.number,
        "subject": case.subject,
        "stage": case.stage,
        "stage_label": view.stage_label,
        "ball": case.ball,
        "zone": case.calendar.calendar.zone,
        "sentence": str(view.sentence),
        "opened_at": case.opened_at.isoformat(),
        "ended_at": case.ended_at.isoformat() if case.ended_at is not None else None,
        "priority": case.priority,
        **{name: _text(getattr(case, name)) for name in _NAMED},
        "terms": [_term(window) for window in view.open_windows],
        "warranties": [
            {
                "version": str(w.version),
                "last_day": w.last_day.isoformat(),
                "ended": bool(w.ended_at),
            }
            for w in view.warranties
        ],
        "deadlines": [_deadline(row) for row in _pending(case)],
        "ledger": [
            {
                "receipt": line.receipt,
                "at": line.at.isoformat(),
                "kind": line.kind,
                "author": words.author_name(line),
                "stage": line.stage_to,
                "sentence": said,
                "hash": line.hash,
            }
            for line, said in view.timeline
        ],
    }


_NAMED = (
    "organisation",
    "reporter",
    "assignee",
    "contract",
    "sla",
    "policy",
    "calendar",
    "type",
    "specialty",
    "module",
    "environment",
)


def _text(row: object) -> str | None:
    return str(row) if row is not None else None


def _term(window: Window) -> dict[str, Any]:
    return {
        "version": str(window.version),
        "starts_at": window.starts_at.isoformat(),
        "last_day": window.last_day.isoformat() if window.last_day is not None else None,
        "until": window.until.isoformat() if window.until is not None else None,
        "held": window.until is None,
        "silence_accepts": window.tacit,
        "days": [{**day, "on": str(day["on"])} for day in days_of(window.term)],
    }


def _pending(case: Case) -> list[Deadline]:
    return list(case.deadlines.filter(fired_at__isnull=True).order_by("due_at", "pk"))


def _deadline(row: Deadline) -> dict[str, Any]:
    return {"kind": row.kind, "due_at": row.due_at.isoformat(), "failed": row.failed_at is not None}


def as_text(found: Mapping[str, Any]) -> Iterator[str]:
    """The sheet as lines for a terminal, moments to the minute in the zone of the calendar."""
    zone = ZoneInfo(found["zone"])
    yield f"{found['number']}  {found['subject']}"
    yield f"{found['stage_label']} · {found['priority']} · {found['sentence']}"
    yield ""
    for name in ("opened_at", "ended_at", "zone", *_NAMED):
        if found[name] is not None:
            value = _short(found[name], zone) if name.endswith("_at") else found[name]
            yield f"  {name:<14}{value}"
    for term in found["terms"]:
        yield f"\n  {term['version']}: {term['last_day'] or 'held'}"
        for day in term["days"]:
            reason = " ".join(filter(None, (str(day["reason"]), str(day["name"]))))
            yield f"    {day['on']}  {'+' if day['counted'] else '-'}  {reason}"
    yield ""
    for row in found["deadlines"]:
        yield f"  {_short(row['due_at'], zone)}  {row['kind']}"
    yield ""
    for line in found["ledger"]:
        yield f"  {line['receipt']:<10}{_short(line['at'], zone)}  {line['sentence']}"


def _short(moment: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"
