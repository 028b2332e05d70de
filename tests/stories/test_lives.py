"""Random lives: whatever people, mail servers and the clock do, in any order, what the design
promises holds after every step.

The default profile lives few and short lives; the long one (`make test-long`) ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from acuse.actions import (
    aftercare,
    billing,
    changes,
    conversation,
    deliveries,
    life,
    triage,
    warranty,
)
from acuse.actions.drafts import EstimateDraft, LineDraft, Planned
from acuse.models import (
    Case,
    CaseType,
    Deadline,
    Decision,
    Dispatch,
    Exclusion,
    LedgerLine,
    ObjectionOutcome,
    Statement,
    TimeEntry,
    Version,
    Window,
)
from acuse.policy import chain
from acuse.policy.authors import POSTMAN, Author
from acuse.policy.billing import Activity
from acuse.policy.deadlines import DEADLINES
from acuse.policy.priority import Impact, Urgency
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS, ENDED, STAGES, CancelReason, Stage
from tests.world import START, World

LONG = settings().max_examples > 100
# "right" is somebody whose right the act is: lives of nothing but refusals would prove little.
PEOPLE = st.sampled_from(
    (*["right"] * 8, "ana", "beto", "omar", "sara", "carlos", "paula", "mario", "nora")
)
HANDS = {
    "user": "ana",
    "owner": "omar",
    "spoc": "paula",
    "support": "sara",
    "consultant": "carlos",
    "manager": "mario",
}
KINDS = st.sampled_from(("development", "parametrisation", "documentation", "answer"))
STARTS = ("report", "diagnosed", "submitted", "proposed", "to_authorize", "working", "delivered")
STARTS += ("accepted", "closed")
STEPS = st.sampled_from((5, 60, 600, 1440, 3 * 1440, 6 * 1440))
SECRET_WORDS = "Secreto de Ana"


class Lives(RuleBasedStateMachine):
    """Two cases of one customer, and everything that can be done to them."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = START
        self.cases: list[int] = []
        self.checked: dict[int, tuple[str, datetime]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # Helpers ------------------------------------------------------------------------------------

    def case(self, which: int) -> Case:
        return Case.objects.get(pk=self.cases[which % len(self.cases)])

    def do(self, act: Callable[..., LedgerLine], who: str | Author, case: Case, **how: Any) -> bool:
        """Try; a refusal is an answer as well, and changes nothing."""
        if who == "right":
            who = next(HANDS[role] for role in HANDS if role in ACTS[act.__name__].who)
        rows = Case.objects.filter(pk=case.pk).values("stage", "lines", "head")
        before = rows.get()
        try:
            act(self.world.on(case, who, self.now), **how)
        except Refused as told:
            refusal = told
        else:
            event(f"{act.__name__} is done")
            return True
        assert str(refusal)
        assert rows.all().get() == before
        return False

    # What happens -------------------------------------------------------------------------------

    @initialize(drive=st.sampled_from(STARTS))
    def begin(self, drive: str) -> None:
        first = self.world.report()
        kinds = () if drive in ("report", "diagnosed") else ("development",)
        second = getattr(self.world, drive)(*kinds)
        self.cases = [first.pk, second.pk]
        newest = LedgerLine.objects.order_by("-at")[0]
        self.now = newest.at + timedelta(minutes=1)

    @rule(minutes=STEPS)
    def time_passes(self, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        for receipt in self.world.fire(until):
            assert receipt.at <= until
            assert receipt.author_kind == "clock"
        self.now = until
        assert not Deadline.objects.filter(failed_at__isnull=False).exists()
        assert not Deadline.objects.filter(fired_at__isnull=True, due_at__lte=until).exists()

    @rule(which=st.integers(0, 1), steps=st.integers(1, 4), kinds=st.lists(KINDS, min_size=1))
    def go_on(self, which: int, steps: int, kinds: list[str]) -> None:
        """The next things that would happen in a life without trouble, so that lives go far."""
        for _ in range(steps):
            case = self.case(which)
            stage = Stage(case.stage)
            if stage in (Stage.RECEIVED, Stage.ANALYSIS):
                self.triage(which, "right")
            elif stage in (Stage.DIAGNOSIS, Stage.ESTIMATION):
                self.answer_objections(which, True)
                self.estimate(which, kinds[:3])
            elif stage is Stage.SCOPE_VALIDATION:
                self.both_validate(which)
            elif stage is Stage.PROPOSAL:
                self.mail_server_says(which, 0, 0)
                self.decide_proposal(which, "right", "yes")
            elif stage is Stage.AUTHORIZATION:
                self.authorize(which, "right", True)
            elif stage in (Stage.IN_PROGRESS, Stage.CORRECTION):
                self.answer_objections(which, True)
                for number in range(case.deliverables.filter(proposal=False).count()):
                    self.deliver(which, number, "answer", False)
                    self.mail_server_says(which, 0, 0)
            elif stage is Stage.DELIVERED:
                for version in case.versions.filter(outcome="pending"):
                    self.do(life.accept, "right", self.case(which), version=version)
            elif stage is Stage.ACCEPTED:
                self.work(which, Activity.DIAGNOSIS, 30)
                for what in "sa":
                    self.settle_time(which, "right", what)
                for what in "ia":
                    self.settle_bill(which, "right", what)
                self.close(which, "right", False)

    @rule(which=st.integers(0, 1), number=st.integers(0, 3), silent=st.booleans())
    def object_or_wait(self, which: int, number: int, silent: bool) -> None:
        """What is delivered is rejected, or its term runs out."""
        self.mail_server_says(which, number, 0)
        if silent:
            self.time_passes(9 * 1440)
        else:
            self.decide_version(which, "right", number, False)

    @rule(which=st.integers(0, 1), who=PEOPLE)
    def triage(self, which: int, who: str) -> None:
        case = self.case(which)
        self.do(life.take, who, case)
        details = {"impact": Impact.CRITICAL_PROCESS, "urgency": Urgency.WORK_BLOCKED}
        self.do(life.classify, who, case, type=CaseType.objects.get(), **details)
        self.do(life.diagnose, who, case)

    @rule(which=st.integers(0, 1), kinds=st.lists(KINDS, min_size=1, max_size=3))
    def estimate(self, which: int, kinds: list[str]) -> None:
        case = self.case(which)
        self.do(life.estimate, "carlos", case)
        items = tuple(Planned(kind, f"Cosa {n}") for n, kind in enumerate(kinds))
        draft = EstimateDraft("Alcance", items=items, lines=(LineDraft("Hacer", 60),))
        self.do(life.submit_scope, "carlos", self.case(which), draft=draft)

    @rule(which=st.integers(0, 1), who=PEOPLE, sends_back=st.booleans())
    def look_at_scope(self, which: int, who: str, sends_back: bool) -> None:
        case = self.case(which)
        estimate = case.estimates.order_by("number").last()
        if estimate is None:
            return
        if sends_back:
            self.do(life.return_scope, who, case, estimate=estimate, text="Falta")
        else:
            self.do(life.validate_scope, who, case, estimate=estimate)

    @rule(which=st.integers(0, 1))
    def both_validate(self, which: int) -> None:
        for who in ("omar", "paula"):
            self.look_at_scope(which, who, False)

    @rule(which=st.integers(0, 1), who=PEOPLE, what=st.sampled_from(("yes", "no", "end")))
    def decide_proposal(self, which: int, who: str, what: str) -> None:
        case = self.case(which)
        version = case.versions.filter(deliverable__proposal=True).order_by("pk").last()
        if version is None:
            return
        if what == "yes":
            self.do(life.accept_proposal, who, case, version=version)
        else:
            objections = [("Caro", "No lo pactado")]
            how = {"version": version, "objections": objections, "revise": what == "no"}
            self.do(life.reject_proposal, who, case, **how)

    @rule(which=st.integers(0, 1), who=PEOPLE, yes=st.sampled_from((True, True, True, False)))
    def authorize(self, which: int, who: str, yes: bool) -> None:
        self.do(life.authorize if yes else life.decline, who, self.case(which))

    @rule(which=st.integers(0, 1), number=st.integers(0, 3), kind=KINDS, new=st.booleans())
    def deliver(self, which: int, number: int, kind: str, new: bool) -> None:
        case = self.case(which)
        planned = list(case.deliverables.filter(proposal=False).order_by("pk"))
        if planned and not new:
            how: dict[str, Any] = {"deliverable": planned[number % len(planned)]}
        else:
            how = {"new": Planned(kind, "Otra cosa")}
        self.do(life.deliver, "carlos", case, text="Listo", **how)

    @rule(which=st.integers(0, 1), number=st.integers(0, 3), bounces=st.sampled_from((0, 0, 1)))
    def mail_server_says(self, which: int, number: int, bounces: int) -> None:
        case = self.case(which)
        copies = list(Dispatch.objects.filter(version__case=case).order_by("-pk")[:3])
        if not copies:
            return
        copy = copies[number % len(copies)]
        if bounces:
            self.do(deliveries.fail_delivery, POSTMAN, case, dispatch=copy)
        else:
            how = {"version": copy.version, "dispatch": copy}
            self.do(deliveries.prove_delivery, POSTMAN, case, **how)

    @rule(which=st.integers(0, 1), who=PEOPLE)
    def open_in_portal(self, which: int, who: str) -> None:
        case = self.case(which)
        for version in case.versions.all():
            self.do(deliveries.prove_delivery, who, case, version=version)

    @rule(which=st.integers(0, 1), who=PEOPLE, number=st.integers(0, 3), yes=st.booleans())
    def decide_version(self, which: int, who: str, number: int, yes: bool) -> None:
        case = self.case(which)
        versions = list(case.versions.order_by("-pk")[:4])
        if not versions:
            return
        version = versions[number % len(versions)]
        if yes:
            self.do(life.accept, who, case, version=version)
        else:
            objections = [("Falta", "Se pactó"), ("Sobra", "No se pactó")]
            self.do(life.reject, who, case, version=version, objections=objections)

    @rule(which=st.integers(0, 1), corrected=st.booleans())
    def answer_objections(self, which: int, corrected: bool) -> None:
        case = self.case(which)
        outcome = ObjectionOutcome.CORRECTED if corrected else ObjectionOutcome.OUT_OF_SCOPE
        for objection in case.objections.filter(outcome=""):
            how = {"objection": objection, "outcome": outcome, "text": "Respuesta"}
            self.do(deliveries.answer_objection, "carlos", self.case(which), **how)

    @rule(which=st.integers(0, 1), who=PEOPLE)
    def comment(self, which: int, who: str) -> None:
        self.do(conversation.comment, who, self.case(which), text=f"{SECRET_WORDS}: hola")

    @rule(which=st.integers(0, 1), who=PEOPLE, objection=st.booleans(), one=st.booleans())
    def classify_comments(self, which: int, who: str, objection: bool, one: bool) -> None:
        case = self.case(which)
        for message in case.messages.filter(holds__ended_at__isnull=True, holds__isnull=False):
            how: dict[str, Any] = {"message": message, "objection": objection}
            if one and objection:
                how["versions"] = [message.holds.order_by("pk")[0].window.version]
            self.do(deliveries.classify_comment, who, self.case(which), **how)

    @rule(which=st.integers(0, 1), number=st.integers(0, 2), what=st.sampled_from("wed"))
    def change_a_window(self, which: int, number: int, what: str) -> None:
        case = self.case(which)
        versions = list(case.versions.order_by("-pk")[:3])
        if not versions:
            return
        version = versions[number % len(versions)]
        if what == "w":
            self.do(deliveries.withdraw_delivery, "sara", case, version=version, text="Error")
        elif what == "e":
            self.do(deliveries.extend_window, "paula", case, version=version, days=number + 1)
        else:
            self.do(deliveries.annul_tacit, "mario", case, version=version, text="Error")

    @rule(which=st.integers(0, 1), back=st.integers(1, 20))
    def late_mail(self, which: int, back: int) -> None:
        """A mail that had arrived days ago is found; silence that it broke is annulled."""
        case = self.case(which)
        at = max(case.opened_at, self.now - timedelta(days=back))
        line = conversation.comment(self.world.on(case, "ana", at), text=f"{SECRET_WORDS} tarde")
        message = case.messages.get(pk=line.payload["message"])
        for version in case.versions.filter(outcome="tacit"):
            how = {"version": version, "message": message}
            self.do(deliveries.annul_tacit, POSTMAN, self.case(which), **how)

    @rule(which=st.integers(0, 1), who=PEOPLE, asks=st.booleans())
    def ask_or_answer(self, which: int, who: str, asks: bool) -> None:
        case = self.case(which)
        if asks:
            self.do(conversation.ask, who, case, addressee="user", text="¿Qué versión?")
        for wait in [] if asks else case.waits.all():
            self.do(conversation.answer, who, self.case(which), wait=wait, text=SECRET_WORDS)

    @rule(which=st.integers(0, 1), activity=st.sampled_from(Activity), minutes=st.integers(1, 300))
    def work(self, which: int, activity: Activity, minutes: int) -> None:
        case = self.case(which)
        on = case.calendar.calendar.local_day(self.now)
        how = {"work_date": on, "minutes": minutes, "activity": activity, "text": "Trabajo"}
        self.do(billing.log_time, "carlos", case, **how)

    @rule(which=st.integers(0, 1), who=PEOPLE, what=st.sampled_from("sadwuc"))
    def settle_time(self, which: int, who: str, what: str) -> None:
        case = self.case(which)
        entries = list(case.time.current())
        if what == "s":
            reason = "Se acordó" if who == "mario" else ""
            self.do(billing.submit_time, who, case, reason=reason)
        elif what == "a":
            submitted = [entry for entry in entries if entry.state in ("submitted", "disputed")]
            self.do(billing.approve_time, who, case, entries=submitted)
        elif what == "d":
            self.do(billing.dispute_time, who, case, entries=entries[:1], text="No fue así")
        elif what == "c" and entries:
            on = case.calendar.calendar.local_day(self.now)
            how = {"work_date": on, "minutes": 30, "activity": "meeting", "text": "Corregido"}
            self.do(billing.correct_time, who, case, entry=entries[0], **how)
        else:
            disputed = [entry for entry in entries if entry.state == "disputed"]
            how = {"entries": disputed, "waive": what == "w", "text": "Razón"}
            self.do(billing.settle_time, who, case, **how)

    @rule(which=st.integers(0, 1), who=PEOPLE, what=st.sampled_from("iiaadce"))
    def settle_bill(self, which: int, who: str, what: str) -> None:
        case = self.case(which)
        if what == "i":
            self.do(billing.issue_statement, who, case)
            return
        statement = case.statements.order_by("number").last()
        if statement is None:
            return
        how: dict[str, Any] = {"statement": statement}
        if what in "dc":
            how["text"] = "Razón"
        acts = {
            "a": billing.approve_statement,
            "d": billing.dispute_statement,
            "c": billing.credit_statement,
            "e": billing.export_statement,
        }
        self.do(acts[what], who, case, **how)

    @rule(which=st.integers(0, 1), who=PEOPLE, unapproved=st.booleans())
    def close(self, which: int, who: str, unapproved: bool) -> None:
        self.do(life.close, who, self.case(which), unapproved=unapproved)

    @rule(which=st.integers(0, 1), who=PEOPLE, what=st.sampled_from(("cancel", "merge", "restore")))
    def cancel_or_restore(self, which: int, who: str, what: str) -> None:
        case = self.case(which)
        if what == "cancel":
            self.do(life.cancel, who, case, reason=CancelReason.WITHDRAWN)
        elif what == "merge":
            self.do(triage.merge_duplicate, who, case, original=self.case(which + 1))
        else:
            self.do(life.restore, who, case)

    @rule(which=st.integers(0, 1), who=PEOPLE, covered=st.booleans())
    def claim(self, which: int, who: str, covered: bool) -> None:
        case = self.case(which)
        for version in case.versions.filter(outcome__in=["accepted", "tacit"])[:1]:
            how: dict[str, Any] = {"version": version, "text": "Se pactó", "omitted": "Falta"}
            self.do(warranty.claim_warranty, who, case, **how)
        for row in case.claims.filter(covered__isnull=True):
            reason = None if covered else Exclusion.DATA_QUALITY
            how = {"claim": row, "covered": covered, "text": "Visto", "exclusion": reason}
            self.do(warranty.decide_claim, who, self.case(which), **how)
        for row in case.claims.filter(covered=True, fixed_at__isnull=True):
            self.do(warranty.deliver_fix, who, self.case(which), claim=row, text="Corregido")

    @rule(which=st.integers(0, 1), who=PEOPLE)
    def aside(self, which: int, who: str) -> None:
        case = self.case(which)
        self.do(conversation.internal_note, who, case, text=f"{SECRET_WORDS} nota")
        self.do(conversation.watch, who, case)
        self.do(triage.assign, who, case, person=self.world.carlos)
        self.do(changes.request_change, who, case, subject="Más", text="Otra cosa")
        self.do(aftercare.answer_satisfaction, who, case, rating=4, text=SECRET_WORDS)
        self.do(aftercare.anonymise, who, self.case(which))

    # What holds ---------------------------------------------------------------------------------

    @invariant()
    def every_case_is_whole(self) -> None:
        for case in Case.objects.all():
            if self.checked.get(case.pk) == (case.head, self.now):
                continue  # nothing has happened to it
            self.checked[case.pk] = (case.head, self.now)
            self.check_ledger(case)
            self.check_clocks(case)
            self.check_decisions(case)
            self.check_money(case)
            self.check_notices(case)

    def check_ledger(self, case: Case) -> None:
        lines = list(case.ledger.order_by("seq"))
        stored = [
            chain.Line(case.pk, line.seq, line.previous, line.hash, line.hashed_fields())
            for line in lines
        ]
        assert chain.verify(stored) == []
        assert [line.seq for line in lines] == list(range(1, case.lines + 1))
        assert lines[-1].hash == case.head
        assert lines[-1].stage_to == case.stage
        assert lines[-1].ball == case.ball
        for before, line in zip(lines, lines[1:], strict=False):
            assert line.stage_from == before.stage_to
        for line in lines:
            row = ACTS[line.kind]
            if line.stage_from:
                assert line.stage_from in row.stages
                assert line.stage_to == line.stage_from or line.stage_to in row.to
            assert SECRET_WORDS not in str(line.payload)
        assert (case.ended_at is not None) == (Stage(case.stage) in ENDED)

    def check_clocks(self, case: Case) -> None:
        stage = Stage(case.stage)
        assert case.ball
        if stage not in ENDED and STAGES[stage].ball != "nobody":
            assert case.ball != "nobody"
        pending = list(case.deadlines.filter(fired_at__isnull=True))
        kinds = {row.kind for row in pending}
        if stage in ENDED:
            assert all(DEADLINES[kind].side for kind in kinds)
            assert not case.waits.filter(ended_at__isnull=True).exists()
            assert not case.windows.filter(closed_at__isnull=True).exists()
        waits = case.waits.filter(ended_at__isnull=True)
        assert waits.count() <= 1
        if not waits:
            assert "wait_reminder" not in kinds
        running = case.intervals.filter(until__isnull=True)
        assert running.count() == (case.ball != "nobody" or stage not in ENDED)
        for interval in running:
            assert (interval.stage, interval.ball) == (case.stage, case.ball)
        for window in Window.objects.filter(case=case, closed_at__isnull=True):
            self.check_window(window, pending)

    def check_window(self, window: Window, pending: list[Deadline]) -> None:
        version = window.version
        assert version.outcome == "pending"
        held = window.holds.filter(ended_at__isnull=True)
        mine = {
            row.kind
            for row in pending
            if row.subject == window.pk and row.kind in TERMS
        }  # fmt: skip
        if held.exists():
            assert window.until is None
            assert mine == set()
            return
        assert window.until is not None
        silent = "proposal_acceptance" if version.deliverable.proposal else "acceptance"
        expected = silent if window.tacit else "answer_overdue"
        gone = window.until <= self.now  # fired already: a reminder sounds once for its moment
        assert mine == {expected} or (gone and mine == set() and not window.tacit)
        assert window.tacit == (not version.corrected)

    def check_decisions(self, case: Case) -> None:
        for decision in case.decisions.all():
            if decision.verdict == "tacit":
                assert decision.person is None
                window = Window.objects.get(version=decision.version)
                if decision.annulled_at is None:
                    assert window.until is not None
                    assert decision.at == window.until
            elif decision.person is None:
                assert (decision.kind, decision.verdict) == ("authorization", "rejected")
            elif decision.verdict == "unapproved":
                assert decision.kind == "closure"
                assert decision.person.is_firm
            else:
                assert case.organisation_id in decision.person.organisation_ids()
        live = Decision.objects.filter(case=case, annulled_at__isnull=True)
        for kind in ("authorization", "closure"):
            assert live.filter(kind=kind).count() <= 1
        for version in Version.objects.filter(case=case):
            decisions = live.filter(version=version).count()
            assert decisions == (version.outcome in ("accepted", "tacit", "rejected"))
        assert (case.authorized_at is not None) == live.filter(
            kind="authorization", verdict="accepted"
        ).exists()
        if case.stage in ("in_progress", "accepted") and case.authorized_at is None:
            answers = case.deliverables.filter(proposal=False)
            assert {row.kind for row in answers} == {"answer"}

    def check_money(self, case: Case) -> None:
        for entry in TimeEntry.objects.filter(case=case):
            if entry.activity in ("correction", "warranty", "internal"):
                assert entry.billed_minutes == 0
            if entry.activity == "execution":
                assert case.authorized_at is not None
        for statement in Statement.objects.filter(case=case):
            lines = list(statement.lines.select_related("entry"))
            assert statement.total == sum((line.amount for line in lines), Decimal(0))
            assert statement.total > 0
            if statement.state in ("issued", "approved", "exported"):
                assert all(line.entry.state == "approved" for line in lines)
                assert all(line.entry.billable for line in lines)
        if case.stage == Stage.CLOSED:
            assert not case.time.awaiting_approval().exists()

    def check_notices(self, case: Case) -> None:
        firm = {self.world.people[who].pk for who in ("sara", "carlos", "paula", "mario", "ada")}
        ours = {self.world.people[who].pk for who in ("ana", "beto", "lina", "omar")}
        for notice in case.notices.select_related("line"):
            assert notice.person_id in firm | ours
            if notice.line.audience == "firm":
                assert notice.person_id in firm


TERMS = ("acceptance", "proposal_acceptance", "answer_overdue")


def test_random_lives_keep_every_promise(world: World) -> None:
    Lives.world = world
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=10_000 if LONG else 30,
            stateful_step_count=60 if LONG else 30,
            report_multiple_bugs=False,
        ),
    )
