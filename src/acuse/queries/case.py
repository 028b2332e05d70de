"""One case as somebody sees it: what it says, what was said, what they may do now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Prefetch, QuerySet

from ..models import (
    Attachment,
    Case,
    Claim,
    CopiedAddress,
    Deliverable,
    DeliverableKind,
    LedgerLine,
    Message,
    Outcome,
    Person,
    Statement,
    StatementState,
    TimeEntry,
    TimeState,
    Version,
    Wait,
    Warranty,
    Window,
)
from ..models.roles import passed_on, roles_on
from ..policy.fields import find_int
from ..policy.priority import Priority
from ..policy.stages import ENDED, Act, Role, Stage, possible
from ..policy.terms import Term
from . import checklists, words
from .family import Family, family_in
from .folder import OF_FIRM, Folder, open_folder
from .sentence import Sentence, sentence_for


def get_case(person: Person, number: str) -> Case:
    """The case of this number (C-17, c-17 or 17), if this person may see it.

    Raises Case.DoesNotExist otherwise: not allowed looks like missing.
    """
    pk = find_int(number.upper().removeprefix("C-"))
    if pk is None:
        raise Case.DoesNotExist(number)
    return with_facts(Case.objects.visible_to(person)).get(pk=pk)


def with_facts(cases: QuerySet[Case]) -> QuerySet[Case]:
    """The cases with what rows and sentences read of them."""
    return cases.select_related(
        "organisation__spoc",
        "reporter",
        "assignee",
        "queue",
        "contract__contract",
        "type",
        "specialty",
        "module",
        "environment",
    )


@dataclass
class CaseView:
    """A case in one person's eyes at one moment. Parts are read when they are asked for."""

    case: Case
    person: Person
    at: datetime

    @cached_property
    def folder(self) -> Folder:
        """All of the case that this person may see, tied together."""
        return open_folder(self.case, self.person)

    @cached_property
    def roles(self) -> frozenset[Role]:
        self.folder  # noqa: B018  (the case answers from memory from here on)
        return frozenset(roles_on(self.case, self.person, self.at))

    def roles_for(self, act: str) -> frozenset[Role]:
        """The roles for one act: a decision that was passed on gives one for its own acts."""
        return self.roles | passed_on(self.case, self.person).get(act, frozenset())

    @cached_property
    def sentence(self) -> Sentence:
        return sentence_for(self.case, self.person)

    @property
    def stage_label(self) -> str:
        return words.stage_label(self.case.stage, firm=self.person.is_firm)

    @property
    def messages(self) -> list[Message]:
        """The conversation that this person may read, oldest first, with authors and files."""
        return self.folder.messages

    def get_whole_message(self, pk: int) -> Message:
        """One message with all that was cut from it. What the firm's people quoted under theirs
        may have been the firm's alone, so a customer gets the cut words only. Raises
        Message.DoesNotExist."""
        files = Attachment.objects.visible_to(self.person)
        rows = Message.objects.visible_to(self.person).filter(case=self.case)
        rows = rows.annotate(of_firm=OF_FIRM).select_related("author")
        rows = rows.prefetch_related(Prefetch("attachments", files))
        return (rows if self.person.is_firm else rows.filter(~OF_FIRM)).get(pk=pk)

    @cached_property
    def timeline(self) -> list[tuple[LedgerLine, str]]:
        """The ledger lines that this person may see, oldest first, each as a sentence."""
        lines = self.folder.lines
        said = words.line_sentences(lines, self.folder.known)
        return [(line, said[line.pk]) for line in lines]

    @cached_property
    def deliverables(self) -> list[Deliverable]:
        """What is or will be delivered, with versions, files, terms, copies and objections."""
        self.folder  # noqa: B018
        return list(self.case.deliverables.all())

    @cached_property
    def versions(self) -> list[Version]:
        return [version for row in self.deliverables for version in row.versions.all()]

    @property
    def to_decide(self) -> list[Version]:
        """The versions that wait for the customer's decision."""
        return [version for version in self.versions if version.outcome == Outcome.PENDING]

    @cached_property
    def open_windows(self) -> list[Window]:
        """The terms that run or are held."""
        windows = (getattr(version, "window", None) for version in self.to_decide)
        return [window for window in windows if window is not None and window.closed_at is None]

    @cached_property
    def warranties(self) -> list[Warranty]:
        self.folder  # noqa: B018
        return [row for row in self.case.warranties.all() if row.annulled_at is None]

    @cached_property
    def claims(self) -> list[Claim]:
        self.folder  # noqa: B018
        return list(self.case.claims.all())

    @cached_property
    def wait(self) -> Wait | None:
        """The open question, if there is one."""
        self.folder  # noqa: B018
        return next((row for row in self.case.waits.all() if row.ended_at is None), None)

    @property
    def lapsed(self) -> bool:
        """Whether the clock cancelled it, because nobody answered a question (P13)."""
        ended_at = self.case.ended_at
        if ended_at is None:
            return False
        return any(
            line.kind == "cancel_unanswered" and line.at == ended_at for line in self.folder.lines
        )

    @cached_property
    def checklist(self) -> checklists.State | None:
        """What support has to know, and what is known; only for the firm (P13)."""
        found = self.folder.checklists
        return checklists.find_state(self.case, found) if self.person.is_firm else None

    @cached_property
    def family(self) -> Family:
        """What the case hangs on, and what hangs on it; only for the firm (P15)."""
        if not self.person.is_firm:
            return Family(None, [])
        return family_in(self.case, self.folder.links)

    @property
    def copied(self) -> list[CopiedAddress]:
        """Unknown people to whom a mail was copied; only for the firm (mail rule 19)."""
        return self.folder.copied

    @property
    def time(self) -> list[TimeEntry]:
        return self.folder.time

    @property
    def statements(self) -> list[Statement]:
        return self.folder.statements

    @cached_property
    def acts(self) -> list[Act]:
        """What this person may do now: what the tables allow, and what there is something for."""
        allowed = possible(Stage(self.case.stage), self.roles, passed_on(self.case, self.person))
        return [act for act in allowed if _MEANINGFUL.get(act.name, _always)(self)]

    def may(self, name: str) -> bool:
        return any(act.name == name for act in self.acts)


def days_of(term: Term) -> list[dict[str, object]]:
    """Why this date: every day of a term, whether it counts, and why or why not in words."""
    return [
        {
            "on": day.on,
            "counted": day.counted,
            "reason": words.label(words.DAY_REASONS, day.reason),
            "name": day.name,
        }
        for day in term.days
    ]


def _always(view: CaseView) -> bool:
    return True


def _decides_result(view: CaseView) -> bool:
    return any(not version.deliverable.proposal for version in view.to_decide)


def _decides_proposal(view: CaseView) -> bool:
    return any(version.deliverable.proposal for version in view.to_decide)


def _has_time(*states: TimeState) -> Callable[[CaseView], bool]:
    return lambda view: any(entry.state in states for entry in view.time)


def _has_statement(*states: StatementState) -> Callable[[CaseView], bool]:
    return lambda view: any(row.state in states for row in view.statements)


def _can_deliver(view: CaseView) -> bool:
    """From diagnosis only an answer; later whatever is planned and not waiting or accepted."""
    if view.case.stage == Stage.DIAGNOSIS:
        return view.case.organisation_id is not None
    latest = [
        [version for version in row.versions.all() if version.withdrawn_at is None][-1:]
        for row in view.deliverables
        if not row.proposal
    ]
    return any(not row or row[0].outcome == Outcome.REJECTED for row in latest)


def _comment_to_classify(view: CaseView) -> bool:
    return any(hold.ended_at is None for message in view.messages for hold in message.holds.all())


def _has_objection(view: CaseView) -> bool:
    return any(not row.outcome for version in view.versions for row in version.objections.all())


def _can_claim(view: CaseView) -> bool:
    return any(
        version.outcome in (Outcome.ACCEPTED, Outcome.TACIT)
        and version.deliverable.kind != DeliverableKind.ESTIMATE
        for version in view.versions
    )


_LIVE = (StatementState.ISSUED, StatementState.APPROVED, StatementState.EXPORTED)

# Acts that the tables allow but that need something to act upon.
_MEANINGFUL: dict[str, Callable[[CaseView], bool]] = {
    "accept_proposal": _decides_proposal,
    "reject_proposal": _decides_proposal,
    "authorize_emergency": lambda view: view.case.priority == Priority.URGENT,
    "diagnose": lambda view: view.case.classified_at is not None,
    "deliver": _can_deliver,
    "accept": _decides_result,
    "reject": _decides_result,
    "restore": lambda view: view.case.duplicate_of_id is not None or view.lapsed,
    "record_call": lambda view: False,  # done with the opening
    "check_information": lambda view: view.checklist is not None,
    "attach_to_parent": lambda view: view.family.parent is None and not view.family.children,
    "detach_from_parent": lambda view: view.family.parent is not None,
    "tell_children": lambda view: bool(view.family.children),
    "take_decision_back": lambda view: any(
        row.by_id == view.person.pk and row.ended_at is None for row in view.case.delegations.all()
    ),
    "ask": lambda view: view.wait is None,
    "answer": lambda view: view.wait is not None,
    "bind_customer": lambda view: view.case.organisation_id is None,
    "confirm_report": lambda view: (
        view.case.confirmed_at is None and view.case.opened_by in ("support", "monitor")
    ),
    "extend_window": lambda view: bool(view.open_windows),
    "withdraw_delivery": lambda view: bool(view.to_decide),
    "prove_delivery": lambda view: False,  # opening the page does it
    "classify_comment": _comment_to_classify,
    "answer_objection": _has_objection,
    "annul_tacit": lambda view: any(v.outcome == Outcome.TACIT for v in view.versions),
    "claim_warranty": _can_claim,
    "decide_claim": lambda view: any(claim.covered is None for claim in view.claims),
    "deliver_fix": lambda view: any(c.covered and c.fixed_at is None for c in view.claims),
    "correct_time": _has_time(TimeState.LOGGED, TimeState.SUBMITTED, TimeState.DISPUTED),
    "submit_time": _has_time(TimeState.LOGGED),
    "approve_time": _has_time(TimeState.SUBMITTED, TimeState.DISPUTED),
    "dispute_time": _has_time(TimeState.SUBMITTED),
    "settle_time": _has_time(TimeState.DISPUTED),
    "issue_statement": lambda view: (
        _has_time(TimeState.APPROVED)(view) and not _has_statement(*_LIVE)(view)
    ),
    "approve_statement": _has_statement(StatementState.ISSUED),
    "dispute_statement": _has_statement(StatementState.ISSUED),
    "credit_statement": _has_statement(*_LIVE, StatementState.DISPUTED),
    "export_statement": _has_statement(StatementState.APPROVED),
    "place_mail": lambda view: False,  # done at the page of the held mail
    "settle_mail": lambda view: False,
    "admit_copied": lambda view: bool(view.copied),
    "dismiss_copied": lambda view: bool(view.copied),
    "acknowledge": lambda view: view.case.priority == Priority.URGENT and bool(view.folder.pagings),
    "accept_policy": lambda view: not view.folder.accepted,
    "answer_satisfaction": lambda view: all(
        row.person_id != view.person.pk for row in view.case.satisfaction.all()
    ),
    "anonymise": lambda view: Stage(view.case.stage) in ENDED,
}
