"""Alertmanager's payload: its documented fields, and everything that is none."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.alerts import MOST_ALERTS, Grouping, read_alerts
from acuse.policy.fields import InvalidField

PAYLOAD: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="Down"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "acuse",
    "groupLabels": {"alertname": "Down"},
    "commonLabels": {"alertname": "Down", "severity": "critical"},
    "commonAnnotations": {"summary": "ERP does not answer"},
    "externalURL": "http://alertmanager.example.com:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Down", "instance": "erp-1"},
            "annotations": {"summary": "erp-1 is down", "description": "For 5 minutes"},
            "startsAt": "2026-11-17T09:52:26.739266876-05:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com/graph?g0",
            "fingerprint": "1a30ba71cca2921f",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Down", "instance": "erp-2"},
            "annotations": {},
            "startsAt": "2026-11-17T14:00:00Z",
            "endsAt": "2026-11-17T14:05:00Z",
            "generatorURL": "",
            "fingerprint": "a5cf5ad4d0ae6f4f",
        },
    ],
}


def test_each_alert_is_a_signal() -> None:
    signals, total = read_alerts(PAYLOAD, "1", Grouping.ALERT)
    assert total == 2
    first, second = signals
    assert (first.failing, second.failing) == (True, False)
    assert first.title == "erp-1 is down"
    assert second.title == "Down · erp-2"
    assert "For 5 minutes" in first.text
    assert "instance: erp-1" in first.text
    assert first.started_at is not None
    assert first.started_at.microsecond == 739266
    assert len({first.fingerprint, second.fingerprint}) == 2


def test_a_group_is_one_signal_that_counts_all() -> None:
    payload = PAYLOAD | {"truncatedAlerts": 7}
    (signal,), total = read_alerts(payload, "1", Grouping.GROUP)
    assert (signal.failing, signal.count, total) == (True, 9, 9)
    assert signal.title == "ERP does not answer"
    assert "erp-1 is down" in signal.text
    resolved = PAYLOAD | {"status": "resolved"}
    (over,), _ = read_alerts(resolved, "1", Grouping.GROUP)
    assert (over.failing, over.fingerprint) == (False, signal.fingerprint)


def test_a_fingerprint_is_of_its_scope_and_of_the_labels_where_none_is_given() -> None:
    (here, _), _ = read_alerts(PAYLOAD, "1", Grouping.ALERT)
    (there, _), _ = read_alerts(PAYLOAD, "2", Grouping.ALERT)
    assert here.fingerprint != there.fingerprint
    old = copy.deepcopy(PAYLOAD)
    for alert in old["alerts"]:
        del alert["fingerprint"]
    one, two = (read_alerts(old, "1", Grouping.ALERT)[0] for _ in range(2))
    assert [s.fingerprint for s in one] == [s.fingerprint for s in two]
    assert one[0].fingerprint != one[1].fingerprint


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["version"], "3", "version"),
        (["version"], None, "version"),
        (["alerts"], {}, "alerts"),
        (["alerts"], [1], "alerts[0]"),
        (["alerts", 1, "status"], "burning", "alerts[1].status"),
        (["alerts", 0, "labels"], [], "alerts[0].labels"),
        (["alerts", 0, "labels"], {}, "alerts[0].labels"),
        (["alerts", 0, "labels"], {"a": 1}, "alerts[0].labels"),
        (["alerts", 0, "annotations"], "x", "alerts[0].annotations"),
        (["alerts", 0, "startsAt"], "yesterday", "alerts[0].startsAt"),
        (["alerts", 0, "startsAt"], "2026-11-17T09:00:00", "alerts[0].startsAt"),
        (["alerts"], [{}] * (MOST_ALERTS + 1), "alerts"),
    ],
)
def test_what_is_wrong_is_named(path: list[Any], value: object, field: str) -> None:
    payload = copy.deepcopy(PAYLOAD)
    place = payload
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InvalidField) as wrong:
        read_alerts(payload, "1", Grouping.ALERT)
    assert wrong.value.field == field


@pytest.mark.parametrize(("key", "value"), [("groupKey", None), ("status", "x")])
def test_a_group_needs_its_key_and_status(key: str, value: object) -> None:
    with pytest.raises(InvalidField) as wrong:
        read_alerts(PAYLOAD | {key: value}, "1", Grouping.GROUP)
    assert wrong.value.field == key


def test_what_a_database_cannot_hold_is_left_out() -> None:
    payload = copy.deepcopy(PAYLOAD)
    payload["alerts"][0]["annotations"]["summary"] = "a\0b\ud800c"
    (signal, _), _ = read_alerts(payload, "1", Grouping.ALERT)
    assert signal.title == "ab?c"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.fixed_dictionaries(
        {"version": st.just("4") | anything},
        optional={
            "status": st.just("firing") | anything,
            "groupKey": anything,
            "alerts": st.lists(
                st.fixed_dictionaries({"status": st.just("firing"), "labels": anything}) | anything,
                max_size=3,
            ),
            "commonLabels": anything,
            "truncatedAlerts": anything,
        },
    )
    | anything,
    st.sampled_from(Grouping),
)
def test_whatever_is_sent_is_read_or_refused(data: object, grouping: Grouping) -> None:
    try:
        signals, total = read_alerts(json.loads(json.dumps(data)), "1", grouping)
    except InvalidField:
        return
    assert total >= 0
    assert all(len(signal.fingerprint) == 64 for signal in signals)
