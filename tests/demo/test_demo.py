"""The demo firm: complete, made by acts only, and never twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from acuse.interfaces.demo.days import Days
from acuse.interfaces.demo.load import read_plots
from acuse.interfaces.demo.play import play
from acuse.interfaces.demo.stories import TELLERS
from acuse.models import (
    Attachment,
    Case,
    CaseLink,
    Deadline,
    Disruption,
    DisruptionLetter,
    Estimate,
    LedgerLine,
    Membership,
    Message,
    Notice,
    Organisation,
    Paging,
    Person,
    PolicyAcceptance,
    PolicyVersion,
    RefusalNote,
    RuleVersion,
    TimeEntry,
    Verdict,
    Window,
)
from acuse.models.billing import TimeState
from acuse.models.oncall import able_people, on_call
from acuse.models.people import MEMBER_ROLES, Level
from acuse.models.roles import roles_on
from acuse.policy import chain
from acuse.policy.calendar import colombia
from acuse.policy.kinds import KINDS
from acuse.policy.oncall import Line
from acuse.policy.stages import Role, Stage
from tests.demo.conftest import CASES, NOW

pytestmark = pytest.mark.django_db
YEARS = (2025, 2026, 2027)

# What cannot happen in the demo, and why.
NOT_SHOWN = {
    "route",  # the firm has no routing rules, so that every case stays where its story left it
    "cancel_unanswered",  # the policy does not let silence on a question cancel a case (P13)
}


def test_a_firm_of_twenty_with_every_role_and_four_customers(demo: None) -> None:
    members = Membership.objects.in_force(NOW)
    assert Organisation.objects.filter(kind="customer").count() == 4
    let_in = LedgerLine.objects.get(kind="admit_copied").payload["person"]  # from a copy
    assert Membership.objects.exclude(person=let_in).values("person").distinct().count() == 20
    assert set(members.values_list("role", flat=True)) == set(MEMBER_ROLES)
    assert {*Level} <= set(members.values_list("level", flat=True))
    assert Person.objects.get_queryset().filter(spoc_of__isnull=False).distinct().count() == 2
    languages = Person.objects.get_queryset().values_list("language", flat=True)
    assert set(languages) == {"es", "en", "pt"}


def test_cases_in_every_stage(demo: None) -> None:
    assert Case.objects.count() == CASES
    assert set(Case.objects.values_list("stage", flat=True)) == set(Stage)
    assert set(TimeEntry.objects.values_list("state", flat=True)) == set(TimeState)
    assert set(Case.objects.values_list("priority", flat=True)) == {
        "urgent",
        "high",
        "medium",
        "low",
    }


def test_every_act_happened_at_least_once(demo: None) -> None:
    assert set(LedgerLine.objects.values_list("kind", flat=True)) == set(KINDS) - NOT_SHOWN


def test_what_is_not_shown_cannot_happen(demo: None) -> None:
    assert not RuleVersion.objects.exists()
    assert {policy.rules.wait_cancel_days for policy in PolicyVersion.objects.all()} == {None}


def test_at_night_the_second_on_call_acknowledged_what_the_first_did_not(demo: None) -> None:
    paging = Paging.objects.get()
    pages = list(paging.pages.values_list("rung", "person__email"))
    assert pages == [
        ("first", "andres@nubecumbre.example"),
        ("second", "julian@nubecumbre.example"),
    ]
    assert str(paging.acknowledged_by) == "Julián Ospina"
    assert paging.case.first_response_at is not None
    assert paging.case.first_response_at - paging.began_at < timedelta(minutes=30)
    by_line = {line: on_call(line, NOW, able_people(NOW)) for line in Line}
    assert all(gap is None for _person, gap in by_line.values())


def test_a_declared_outage_has_ended_and_everybody_was_told(demo: None) -> None:
    outage = Disruption.objects.get()
    assert outage.ended_at is not None
    assert [word.kind for word in outage.words.all()] == ["declared", "update", "ended"]
    letters = DisruptionLetter.objects.select_related("word")
    assert {letter.person.email for letter in letters} == {
        "marta@textiles.example",
        "hugo@textiles.example",
        "joana@cafe.example",
        "tomas@cafe.example",
    }
    assert all(letter.sent_at == letter.word.at for letter in letters)
    reports = CaseLink.objects.filter(other=outage.parent, kind="parent").order_by("case")
    assert [(link.case.stage, link.undone_at is None) for link in reports] == [
        ("cancelled", True),
        ("analysis", False),
    ]


def test_one_call_is_confirmed_and_one_waits_for_it(demo: None) -> None:
    called = Case.objects.filter(ledger__kind="record_call").order_by("pk")
    confirmed = [case.ledger.filter(kind="confirm_report").exists() for case in called]
    assert confirmed == [True, False]


def test_the_checklist_says_what_is_missing_or_that_all_is_there(demo: None) -> None:
    checked = Case.objects.filter(ticks__isnull=False).distinct().order_by("pk")
    there = [set(case.ticks.values_list("item", flat=True)) for case in checked]
    assert there == [{1, 3}, {1, 3}, {1, 2, 3}]
    waiting = [case.waits.filter(ended_at__isnull=True).exists() for case in checked]
    assert waiting == [True, True, False]


def test_no_act_was_refused_and_no_deadline_failed(demo: None) -> None:
    assert not RefusalNote.objects.exists()
    assert not Deadline.objects.filter(failed_at__isnull=False).exists()


def test_the_customer_without_contract_has_no_committed_times(demo: None) -> None:
    mine = Case.objects.filter(organisation__contracts__isnull=True, organisation__isnull=False)
    assert mine.count() > 3
    assert set(mine.values_list("priority", "sla")) == {("low", None)}


def test_every_chain_is_whole_and_ends_at_its_head(demo: None) -> None:
    for case in Case.objects.order_by("pk"):
        lines = [
            chain.Line(line.case_id, line.seq, line.previous, line.hash, line.hashed_fields())
            for line in case.ledger.order_by("seq")
        ]
        assert chain.verify(lines) == []
        assert (case.lines, case.head) == (lines[-1].seq, lines[-1].hash)
        assert case.stage == case.ledger.latest("seq").stage_to


def test_nothing_lies_in_the_future_and_no_term_is_overdue(demo: None) -> None:
    assert LedgerLine.objects.latest("at").at <= NOW
    assert not Deadline.objects.filter(fired_at__isnull=True, due_at__lte=NOW).exists()


def test_silence_accepted_exactly_when_the_term_ended(demo: None) -> None:
    tacit = Window.objects.filter(version__decisions__verdict=Verdict.TACIT)
    still = tacit.filter(version__decisions__annulled_at__isnull=True)
    moments = [(w.version.decisions.get().at, w.until) for w in still]
    assert len(moments) >= 4
    assert all(decided == until for decided, until in moments)


def test_some_decisions_wait_for_the_customer_today(demo: None) -> None:
    waiting = Window.objects.filter(closed_at__isnull=True, last_day=NOW.date())
    assert waiting.filter(version__deliverable__proposal=False).exists()
    assert waiting.filter(version__deliverable__proposal=True).exists()


def test_no_mail_of_the_past_is_left_to_be_sent(demo: None) -> None:
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent", "bounced"}
    bounced = Notice.objects.filter(state="bounced")
    assert [row.dispatch.bounced_at is not None for row in bounced if row.dispatch] == [True]
    assert all(row.sent_at == row.line.at for row in Notice.objects.select_related("line"))
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs")
        assert cursor.fetchone() == (0,)


def test_a_customer_sees_their_own_and_nothing_of_the_firms(demo: None) -> None:
    ana = Person.objects.get(email="ana@andina.example")
    seen = Case.objects.visible_to(ana)
    assert {case.organisation.name for case in seen.select_related("organisation")} == {
        "Frescos de la Andina S.A.S."
    }
    assert 10 < seen.count() < Case.objects.count()
    for model in (Message, LedgerLine):
        shown = model.objects.visible_to(ana)
        assert set(shown.values_list("audience", flat=True)) == {"customer"}
        assert set(shown.values_list("case", flat=True)) <= set(seen.values_list("pk", flat=True))
    gloria = Person.objects.get(email="gloria@nubecumbre.example")
    assert Case.objects.visible_to(gloria).count() == CASES


def test_the_substitute_decides_once_the_owner_has_left(demo: None) -> None:
    case = Case.objects.filter(organisation__name__startswith="Textiles").latest("pk")
    hugo = Person.objects.get(email="hugo@textiles.example")
    irene = Person.objects.get(email="irene@textiles.example")
    assert Role.OWNER in roles_on(case, hugo, NOW)
    assert Role.OWNER not in roles_on(case, hugo, NOW - timedelta(days=80))
    assert roles_on(case, irene, NOW) == set()
    assert Estimate.objects.filter(validations__person=hugo).exists()


def test_files_can_be_opened(demo: None) -> None:
    from acuse.connectors import storage

    files = list(Attachment.objects.select_related("blob"))
    assert {"recargos-quincena.csv", "plantilla-precios.csv"} <= {f.filename for f in files}
    for file in files:
        with storage.open(file.blob_id) as stored:
            assert len(stored.read()) == file.blob.size


def test_who_reported_in_the_portal_accepted_the_policy_once(demo: None) -> None:
    accepted = Counter(PolicyAcceptance.objects.values_list("person", flat=True))
    assert len(accepted) > 5
    assert set(accepted.values()) == {1}


def test_the_case_sheet(demo: None, capsys: pytest.CaptureFixture[str]) -> None:
    window = Window.objects.filter(closed_at__isnull=True, last_day=NOW.date()).first()
    assert window is not None
    call_command("show_case", window.case.number.lower())
    text = capsys.readouterr().out
    assert window.case.subject in text
    assert f"{window.case.number}/{window.case.lines}" in text
    assert window.last_day.isoformat() in text
    opened = window.case.opened_at.astimezone(ZoneInfo("America/Bogota"))
    assert f"{opened:%Y-%m-%d %H:%M}" in text
    call_command("show_case", str(window.case.pk), "--json")
    assert f'"last_day": "{window.last_day}"' in capsys.readouterr().out
    with pytest.raises(CommandError, match="C-999"):
        call_command("show_case", "C-999")


def test_a_second_run_is_refused_and_changes_nothing(demo: None) -> None:
    before = LedgerLine.objects.count()
    with pytest.raises(CommandError, match="not empty|vacía"):
        call_command("demo")
    assert LedgerLine.objects.count() == before


def test_every_plot_has_its_story_and_begins_in_the_past() -> None:
    plots = read_plots()
    assert {plot.story for plot in plots} == set(TELLERS)
    assert all(plot.day <= 0 for plot in plots)
    assert len({plot.subject for plot in plots}) == len(plots)


def test_days_are_counted_back_over_a_holiday() -> None:
    days = Days(colombia(YEARS), NOW)
    assert days.on(0).isoformat() == "2026-11-13"  # Friday: Monday 16 was a holiday
    assert days.on(-1).isoformat() == "2026-11-12"
    assert days.at(0, 510).isoformat() == "2026-11-13T13:30:00+00:00"


def test_a_story_may_not_run_into_the_future() -> None:
    with pytest.raises(RuntimeError, match="into the future"):
        play([iter([NOW + timedelta(minutes=1)])], NOW)
