"""An invitation (.ics) that came with a mail, as a card: what, when, where, who (RFC 5545)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

LARGEST = 256 * 1024  # bytes
LONGEST = 300  # characters of a title or place


@dataclass(frozen=True)
class Invitation:
    """The first event of a calendar file. A meeting has moments (aware), an event of whole days
    has dates, of which `last_day` is the last; `cancelled`: it says that it does not take place.
    """

    title: str
    where: str
    organizer: str
    cancelled: bool
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None
    repeats: bool = False

    @property
    def one_day(self) -> bool:
        """Whether a meeting ends on the day on which it starts, in the reader's zone."""
        if self.starts_at is None or self.ends_at is None:
            return False
        return timezone.localdate(self.starts_at) == timezone.localdate(self.ends_at)


def read_invitation(content: bytes) -> Invitation | None:
    """What a calendar file invites to; None where it cannot be read or holds no event."""
    if len(content) > LARGEST:
        return None
    from icalendar import Calendar  # here: few pages need it, and it is large

    try:
        calendar = Calendar.from_ical(content)
        event = next(iter(calendar.walk("VEVENT")), None)
        return _read(calendar, event) if event is not None else None
    except Exception:  # a file from outside; the library raises whatever it trips over
        return None


def _read(calendar: Any, event: Any) -> Invitation:
    start = event.decoded("DTSTART")
    end = _end(event, start)
    method, status = str(calendar.get("METHOD", "")), str(event.get("STATUS", ""))
    facts: dict[str, Any] = {
        "title": _text(event, "SUMMARY"),
        "where": _text(event, "LOCATION"),
        "organizer": _organizer(event),
        "cancelled": method.upper() == "CANCEL" or status.upper() == "CANCELLED",
        "repeats": "RRULE" in event,
    }
    if isinstance(start, datetime):
        return Invitation(**facts, starts_at=_aware(start), ends_at=_aware(end))
    # The day at which an event ends is the first one after it.
    last = end - timedelta(days=1) if end > start else start
    return Invitation(**facts, first_day=start, last_day=last)


def _end(event: Any, start: Any) -> Any:
    if "DTEND" in event:
        return event.decoded("DTEND")
    if "DURATION" in event:
        return start + event.decoded("DURATION")
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _aware(at: datetime) -> datetime:
    """A moment without its zone is the reader's own (RFC 5545, 3.3.5, form 1)."""
    return at if at.tzinfo is not None else timezone.make_aware(at)


def _text(event: Any, name: str) -> str:
    return " ".join(str(event.get(name, "")).split())[:LONGEST]


def _organizer(event: Any) -> str:
    """The organizer's name and address, as far as they are told."""
    found = event.get("ORGANIZER")
    if found is None:
        return ""
    address = str(found)
    address = address[7:] if address.lower().startswith("mailto:") else address
    name = str(found.params.get("CN", "")).strip()
    return (f"{name} <{address}>" if name and name != address else address)[:LONGEST]
