"""The kinds of deadline: what each is a term for, and the act that follows when it falls due."""

from __future__ import annotations

from dataclasses import dataclass

from .fields import N_


@dataclass(frozen=True)
class DeadlineKind:
    """`act`: what the clock does at the due moment. `once`: an alarm that sounds once for its
    subject, even if the due moment moves later. `side`: it may outlive the main line."""

    name: str
    label: str
    act: str
    clauses: tuple[str, ...]
    once: bool = False
    side: bool = False


_KINDS = (
    DeadlineKind("first_response", N_("First response"), "breach", ("P21",), once=True),
    DeadlineKind("delivery", N_("Committed delivery"), "breach", ("P21",), once=True),
    DeadlineKind(
        "response_warning",
        N_("Part of the time to the first response"),
        "warn",
        ("P05", "P21"),
        once=True,
    ),
    DeadlineKind(
        "delivery_warning",
        N_("Part of the time to the delivery"),
        "warn",
        ("P05", "P21"),
        once=True,
    ),
    DeadlineKind("page", N_("Page out of hours"), "page", ("P03", "P05", "P21")),
    DeadlineKind("acceptance", N_("Acceptance of the delivery"), "accept_tacitly", ("P24",)),
    DeadlineKind(
        "proposal_acceptance",
        N_("Acceptance of the proposal"),
        "accept_proposal_tacitly",
        ("P24",),
    ),
    DeadlineKind("acceptance_reminder", N_("Term to accept or reject"), "remind", ("P24",)),
    DeadlineKind("answer_overdue", N_("Explicit answer still missing"), "remind", ("P26",)),
    DeadlineKind("hold_reminder", N_("Comment to classify"), "remind", ("P24", "P25")),
    DeadlineKind(
        "proposal_revision", N_("New version of the proposal"), "breach", ("P26",), once=True
    ),
    DeadlineKind("correction", N_("Corrected version"), "breach", ("P26",), once=True),
    DeadlineKind("claim_correction", N_("Warranty fix"), "breach", ("P27",), once=True, side=True),
    DeadlineKind("warranty_end", N_("End of the warranty"), "end_warranty", ("P27",), side=True),
    DeadlineKind("wait_reminder", N_("Question to answer"), "remind", ("P13",)),
    DeadlineKind("wait_lapse", N_("Question without any answer"), "cancel_unanswered", ("P13",)),
    DeadlineKind("authorization_reminder", N_("Work to authorise"), "remind", ("P19",)),
    DeadlineKind("authorization_lapse", N_("Offer lapses"), "decline", ("P19",)),
    DeadlineKind("time_reminder", N_("Time to approve"), "remind", ("P30",), side=True),
    DeadlineKind("statement_reminder", N_("Billing to approve"), "remind", ("P30",), side=True),
    DeadlineKind("satisfaction", N_("Rating of the service"), "remind", ("P02",), side=True),
)

DEADLINES: dict[str, DeadlineKind] = {kind.name: kind for kind in _KINDS}

# What only speaks of a term and is none of its own.
SPEAKS = frozenset({"remind", "warn", "page"})
# Spoken of even where its moment has passed when it is planned.
EVEN_LATE = frozenset({"answer_overdue", "page"})
