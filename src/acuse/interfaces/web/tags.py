"""What templates say with the words of queries/words.py: dates, codes, amounts, addresses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from acuse.interfaces.web.doors import Door
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Case, LedgerLine, Person, Window
from acuse.policy.kinds import KINDS
from acuse.policy.terms import Term
from acuse.queries import words
from acuse.queries.case import days_of
from acuse.queries.notices import MOST_COUNTED, count_unread
from acuse.queries.workload import Alarms, alarms

register = template.Library()


@register.filter
def moment(at: datetime | None) -> str:
    """A moment in the reader's zone, as a <time> of the page."""
    if at is None:
        return ""
    zone = timezone.get_current_timezone_name()
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), words.moment(at, zone))


@register.filter
def day(on: date | None) -> str:
    if on is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), words.long_date(on))


@register.filter
def brief(at: datetime | None) -> str:
    """A moment in the reader's zone where many stand in a row: mar 17 nov 2026, 09:00"""
    if at is None:
        return ""
    zone = timezone.get_current_timezone()
    shown = words.brief_moment(at, zone)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), shown)


@register.filter
def brief_day(on: date | datetime | None) -> str:
    """A date where many stand in a row: mar 17 nov 2026"""
    if on is None:
        return ""
    if isinstance(on, datetime):
        on = on.astimezone(timezone.get_current_timezone()).date()
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), words.brief_date(on))


@register.filter
def brief_month(on: date) -> str:
    """The month under a day of a strip: nov"""
    return words.brief_month(on)


@register.simple_tag
def last_day(term: Term) -> str:
    """The last day of a term; its zone is named where it is not the reader's."""
    if term.last_day is None:
        return _("on hold")
    shown = day(term.last_day)
    if term.zone == timezone.get_current_timezone_name():
        return shown
    return format_html("{} ({})", shown, term.zone)


@register.filter
def word(code: str, table: str) -> str:
    """The word for a code, by the name of its table in queries/words.py: `code|word:"OUTCOMES"`."""
    return words.label(getattr(words, table), code)


@register.filter
def stage_for(case: Case, person: Any) -> str:
    return words.stage_label(case.stage, firm=person.is_firm)


@register.filter
def act_name(name: str) -> str:
    return words.act_label(name)


@register.filter
def minutes(count: int) -> str:
    return words.minutes(count or 0)


@register.filter
def more_minutes(count: int) -> str:
    return words.more_minutes(count)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return words.money(amount, currency)


@register.filter
def short_hash(sha256: str) -> str:
    """The first twelve characters: enough to compare by eye; the whole one is in the title."""
    return format_html('<span class="hash" title="{}">{}</span>', sha256, sha256[:12])


@register.filter
def size(count: int) -> str:
    return filesizeformat(count)


@register.filter
def term_days(holder: Any) -> list[dict[str, object]]:
    """The days of a window's or warranty's term, each with its reason."""
    return days_of(holder.term)


@register.simple_tag
def act_url(door: Door, case: Case, act: str, **given: object) -> str:
    """The address of an act's page, with what is chosen already."""
    query = "&".join(f"{name}={value}" for name, value in given.items())
    address = door.url("act", case.number, NOUNS[act])
    return f"{address}?{query}" if query else address


@register.simple_tag
def door_url(door: Door, page: str, *args: object) -> str:
    return door.url(page, *args)


@register.filter
def only(acts: Iterable[Any], names: str) -> list[Any]:
    """The acts of these names, in the order of the names."""
    by_name = {act.name: act for act in acts}
    return [by_name[name] for name in names.split() if name in by_name]


@register.filter
def is_legal(line: LedgerLine) -> bool:
    """Whether a line is of those that bind somebody."""
    return KINDS[line.kind].legal


@register.filter
def held(window: Window) -> bool:
    """Whether a comment holds the term."""
    return window.until is None


@register.simple_tag
def desk_alarms() -> Alarms:
    """The counts in the desk's header, on its own pages and on those that both doors share."""
    return alarms()


@register.simple_tag(takes_context=True)
def unread_notices(context: template.Context) -> str:
    """How many notices the reader has not read, for the header: "" for none, "99+" for many."""
    person = context.get("user")
    if not isinstance(person, Person):
        return ""
    count = count_unread(person)
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


_PLAIN = {state: mark_safe(f'<li class="{state}"></li>') for state in ("up", "unwatched")}


@register.simple_tag
def history(days: Iterable[Any]) -> str:
    """The bars of an environment's days; those that say something have it in words too."""
    # Put together here: fifty environments are thousands of bars, too many for a template's loop.
    return mark_safe("".join(_PLAIN.get(day.state) or _bar(day) for day in days))


def _bar(day: Any) -> str:
    told = f"{words.brief_date(day.day.on)}: {day.words}"
    bar = '<li class="{}" title="{}"><span class="hidden">{}</span></li>'
    return format_html(bar, day.state, told, told)
