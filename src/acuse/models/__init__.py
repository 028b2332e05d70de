"""The records. Nothing of a case is fetched for a person but through `visible_to(person)`."""

from .billing import (
    Satisfaction,
    Statement,
    StatementLine,
    StatementState,
    TimeEntry,
    TimeState,
)
from .case import (
    Addressee,
    Case,
    CaseLink,
    Delegation,
    LinkKind,
    OpenedBy,
    Wait,
    Watcher,
)
from .catalogue import CaseType, Environment, Module, Queue, RootCause, Specialty
from .contracts import (
    CalendarVersion,
    Contract,
    ContractKind,
    ContractVersion,
    PolicyAcceptance,
    PolicyVersion,
    Rate,
    RateVersion,
    SlaVersion,
)
from .conversation import Attachment, Audience, Blob, Message, MessageKind, SearchEntry
from .deadlines import ClockInterval, Deadline
from .decisions import Decision, DecisionKind, Objection, ObjectionOutcome, Verdict
from .deliveries import (
    WARRANTED,
    Deliverable,
    DeliverableKind,
    Dispatch,
    Hold,
    Outcome,
    Version,
    Window,
)
from .estimates import Estimate, EstimateLine, ScopeItem, ScopeValidation, Side
from .ledger import (
    ApiToken,
    Checkpoint,
    IdempotencyKey,
    LedgerLine,
    RefusalNote,
    SigningKey,
)
from .mail import Mailbox, MailState, RawMail, Transport
from .operations import CaughtMail, DemoClock, Heartbeat
from .outbox import Notice, NoticeState
from .people import (
    Address,
    Area,
    Entity,
    Language,
    Level,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
)
from .warranty import Claim, Exclusion, Warranty

__all__ = [name for name in dir() if name[:1].isupper()]
