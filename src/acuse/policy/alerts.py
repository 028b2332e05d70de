"""The payload of Alertmanager's webhook, version 4, as signals (P06).

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from .fields import InvalidField, read
from .incidents import Signal, fingerprint

VERSION = "4"
MOST_ALERTS = 2000  # in one post
MOST_LISTED = 20  # alerts of a group that its text names
_LONGEST = 4000  # characters

# Told to programs and to who runs them, in English.
NOT_AN_OBJECT = "must be a JSON object"
OTHER_VERSION = "must be “4”, not %(value)s"
UNKNOWN_STATUS = "must be “firing” or “resolved”, not %(value)s"
NOT_TEXTS = "must be an object whose values are texts"
NOT_A_MOMENT = "must be a moment such as 2026-11-17T09:00:00Z, not %(value)s"
TOO_MANY = "must hold at most %(most)s alerts"
NO_LABELS = "must name at least one label"


class Grouping(StrEnum):
    """What of a source is one incident: what Alertmanager groups, or each alert by itself."""

    GROUP = "group"
    ALERT = "alert"


def read_alerts(data: object, scope: str, grouping: Grouping) -> tuple[list[Signal], int]:
    """The signals of one post and how many alerts it stands for (those that Alertmanager left out
    too). `scope`: within which the sender's fingerprints are unique. Raises InvalidField, whose
    field is the path of what is wrong."""
    if not isinstance(data, dict):
        raise InvalidField("body", NOT_AN_OBJECT)
    if data.get("version") != VERSION:
        raise InvalidField("version", OTHER_VERSION, value=repr(data.get("version")))
    listed = read(data, "alerts", list)
    if len(listed) > MOST_ALERTS:
        raise InvalidField("alerts", TOO_MANY, most=MOST_ALERTS)
    signals = [_alert(alert, f"alerts[{n}]", scope) for n, alert in enumerate(listed)]
    truncated = data.get("truncatedAlerts", 0)
    left_out = truncated if isinstance(truncated, int) and 0 < truncated < 10**6 else 0
    total = len(signals) + left_out
    if grouping is Grouping.GROUP:
        return [_group(data, signals, scope, total)], total
    return signals, total


def _alert(alert: object, at: str, scope: str) -> Signal:
    if not isinstance(alert, dict):
        raise InvalidField(at, NOT_AN_OBJECT)
    labels = _texts(alert, "labels", at)
    if not labels:
        raise InvalidField(f"{at}.labels", NO_LABELS)
    notes = _texts(alert, "annotations", at)
    given = alert.get("fingerprint")
    own = given if isinstance(given, str) and given else json.dumps(labels, sort_keys=True)
    return Signal(
        fingerprint=fingerprint(scope, "alert", own),
        failing=_firing(alert, f"{at}.status"),
        title=_title(notes, labels),
        text=_text(notes, labels, alert.get("generatorURL")),
        started_at=_moment(alert.get("startsAt"), f"{at}.startsAt"),
    )


def _group(data: Mapping[str, object], signals: list[Signal], scope: str, total: int) -> Signal:
    """The whole post as one signal: Alertmanager says of a group that it fires while any of its
    alerts does."""
    notes = _texts(data, "commonAnnotations", "")
    labels = _texts(data, "commonLabels", "") | _texts(data, "groupLabels", "")
    key = _clean(read(data, "groupKey", str))
    firing = [signal for signal in signals if signal.failing]
    told = firing or signals
    title = _title(notes, labels) or (told[0].title if told else "") or key
    lines = [f"• {signal.title}" for signal in told[:MOST_LISTED]]
    if len(told) > MOST_LISTED:
        lines.append(f"• … (+{len(told) - MOST_LISTED})")
    text = "\n".join([_text(notes, labels, data.get("externalURL")), *lines])
    return Signal(
        fingerprint=fingerprint(scope, "group", key),
        failing=_firing(data, "status"),
        title=title[:200],
        text=text[:_LONGEST],
        count=max(1, total),
    )


def _firing(data: Mapping[str, object], at: str) -> bool:
    status = data.get("status")
    if status not in ("firing", "resolved"):
        raise InvalidField(at, UNKNOWN_STATUS, value=repr(status)[:60])
    return status == "firing"


def _texts(data: Mapping[str, object], name: str, at: str) -> dict[str, str]:
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InvalidField(f"{at}.{name}".lstrip("."), NOT_TEXTS)
    return {_clean(key): _clean(text) for key, text in value.items()}


def _clean(text: str) -> str:
    """What a database can hold: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _title(notes: Mapping[str, str], labels: Mapping[str, str]) -> str:
    named = " · ".join(filter(None, (labels.get("alertname"), labels.get("instance"))))
    title = notes.get("summary") or named or ", ".join(labels.values())
    return " ".join(title.split())[:200]


def _text(notes: Mapping[str, str], labels: Mapping[str, str], link: object) -> str:
    parts = [_title(notes, labels), notes.get("description") or notes.get("message") or ""]
    parts += [f"{name}: {text}" for name, text in sorted(labels.items())]
    parts.append(_clean(link) if isinstance(link, str) else "")
    return "\n".join(filter(None, parts))[:_LONGEST]


def _moment(value: object, at: str) -> datetime | None:
    if value is None:
        return None
    try:
        # Go writes nanoseconds; ours end at microseconds.
        plain = re.sub(r"(\.\d{6})\d+", r"\1", str(value))
        found = datetime.fromisoformat(plain)
    except ValueError as wrong:
        raise InvalidField(at, NOT_A_MOMENT, value=repr(value)[:60]) from wrong
    if found.utcoffset() is None:
        raise InvalidField(at, NOT_A_MOMENT, value=repr(value)[:60])
    return found if found.year > 1 else None  # Go's zero moment says nothing
