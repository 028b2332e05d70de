"""The firm's mailboxes: set up, changed, retired, never deleted; each change has its author (P11).

An address never changes: letters with reply keys for it are on their way for months. Another
address is another mailbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from ..models import ImapAccount, Mailbox, Organisation, OrganisationKind, Person, Queue
from ..models.mail import Security, SignIn, Transport
from ..policy.fields import N_, InvalidField, require_int
from . import records

SUBJECT = "mailbox"
NOT_AN_ADDRESS = N_("“%(value)s” is not a mail address")
WITH_PLUS = N_("must be the plain address: what follows a + is for answers")
KNOWN_ADDRESS = N_("there is a mailbox of this address already")
ONE_OF_BOTH = N_("a mailbox is for a customer or for a queue, not for both")
NOT_A_CUSTOMER = N_("%(name)s is no customer")
NOT_A_DOMAIN = N_("must be a domain such as answers.example.com, not “%(value)s”")
NOT_A_SERVER = N_("must be the name of a server such as mx.example.com, not “%(value)s”")
NOT_A_HOST = N_("must be the name or address of a server, not “%(value)s”")
UNKNOWN_CODE = N_("“%(value)s” is not among the choices")
ONLY_HERE = N_("without encryption only a server on this machine is read")
EMPTY = N_("must not be empty")
SECRET_AGAIN = N_("must be given again: it is never sent to another server or user than before")
OWN_DOMAIN = N_("must be another domain than the mailbox's own")

_DOMAIN = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?|::1")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
# Whatever of these changes, the secrets have to be given once more.
_WHERE = ("host", "port", "security", "username", "sign_in", "authority")


@dataclass(frozen=True)
class MailboxFacts:
    """What may be said of a mailbox. `authserv_id`: whose verdicts on a sender's domain count."""

    name: str
    organisation: Organisation | None = None
    queue: Queue | None = None
    transport: str = Transport.LISTENER
    plus_addressing: bool = True
    reply_domain: str = ""
    authserv_id: str = ""


@dataclass(frozen=True)
class AccountFacts:
    """Where a polled mailbox lies. `sealed`: its secrets, sealed; "" leaves them as they are."""

    host: str
    username: str
    port: int = 993
    security: str = Security.TLS
    sign_in: str = SignIn.PASSWORD
    authority: str = ""
    folder: str = "INBOX"
    processed_folder: str = "Processed"
    failed_folder: str = "Failed"
    sealed: str = ""


@transaction.atomic
def set_up_mailbox(address: str, facts: MailboxFacts, *, by: Person, at: datetime) -> Mailbox:
    """A new address at which the firm receives mail. Raises InvalidField."""
    plain = _require_address(address)
    if Mailbox.objects.filter(address__lower=plain.lower()).exists():
        raise InvalidField("address", KNOWN_ADDRESS)
    checked = _check(plain, facts)
    box = Mailbox.objects.create(address=plain, **_columns(checked))
    fields = records.compare({}, {"address": plain, **_told(checked)})
    records.note_change(SUBJECT, box.pk, "add", by=by, at=at, fields=fields)
    return box


@transaction.atomic
def change_mailbox(mailbox: Mailbox, facts: MailboxFacts, *, by: Person, at: datetime) -> None:
    """Another name, binding or way in for a mailbox, from now on. Raises InvalidField."""
    box = Mailbox.objects.select_for_update(of=("self",)).get(pk=mailbox.pk)
    checked = _check(box.address, facts)
    fields = records.compare(_told(_facts_of(box)), _told(checked))
    if fields:
        for name, value in _columns(checked).items():
            setattr(box, name, value)
        box.save(update_fields=list(_columns(checked)))
        records.note_change(SUBJECT, box.pk, "edit", by=by, at=at, fields=fields)


@transaction.atomic
def set_account(mailbox: Mailbox, facts: AccountFacts, *, by: Person, at: datetime) -> ImapAccount:
    """Where a polled mailbox lies and how to sign in there. The secrets that are kept are used
    with nobody but whom they were given for. Raises InvalidField."""
    Mailbox.objects.select_for_update(of=("self",)).get(pk=mailbox.pk)
    account = ImapAccount.objects.select_for_update().filter(mailbox=mailbox).first()
    after = _check_account(facts)
    before = {name: getattr(account, name) for name in after} if account is not None else {}
    fields = records.compare(before, after)
    if not facts.sealed:
        if account is None or not account.sealed:
            raise InvalidField("secrets", EMPTY)
        if any(name in fields for name in _WHERE):
            raise InvalidField("secrets", SECRET_AGAIN)
    account = account or ImapAccount(mailbox=mailbox)
    for name, value in after.items():
        setattr(account, name, value)
    if facts.sealed:
        account.sealed = facts.sealed
        fields["secrets"] = (None, records.HIDDEN)
    if fields:
        changed = [*after, "sealed"] if account.pk is not None else None
        account.save(update_fields=changed)
        records.note_change(SUBJECT, mailbox.pk, "account", by=by, at=at, fields=fields)
    return account


@transaction.atomic
def retire_mailbox(mailbox: Mailbox, *, by: Person, at: datetime, why: str) -> None:
    """Mail to this address is refused from now on; what came stays. Raises InvalidField."""
    if not why.strip():
        raise InvalidField("why", EMPTY)
    _set_active(mailbox, "retire", by=by, at=at, why=why, active=False)


@transaction.atomic
def restore_mailbox(mailbox: Mailbox, *, by: Person, at: datetime, why: str = "") -> None:
    """A retired address takes mail again."""
    _set_active(mailbox, "restore", by=by, at=at, why=why, active=True)


def _set_active(
    mailbox: Mailbox, act: str, *, by: Person, at: datetime, why: str, active: bool
) -> None:
    if Mailbox.objects.filter(pk=mailbox.pk, active=not active).update(active=active):
        records.note_change(SUBJECT, mailbox.pk, act, by=by, at=at, why=why.strip())


def _require_address(address: str) -> str:
    plain = address.strip().lower()
    try:
        validate_email(plain)
    except ValidationError as wrong:
        raise InvalidField("address", NOT_AN_ADDRESS, value=address) from wrong
    if "+" in plain.partition("@")[0]:
        raise InvalidField("address", WITH_PLUS)
    return plain


def _check(address: str, facts: MailboxFacts) -> MailboxFacts:
    name = " ".join(facts.name.split())
    if not name:
        raise InvalidField("name", EMPTY)
    if facts.organisation is not None and facts.queue is not None:
        raise InvalidField("queue", ONE_OF_BOTH)
    customer = facts.organisation
    if customer is not None and customer.kind != OrganisationKind.CUSTOMER:
        raise InvalidField("organisation", NOT_A_CUSTOMER, name=customer.name)
    _require_code("transport", facts.transport, Transport)
    reply_domain, authserv_id = facts.reply_domain.strip().lower(), facts.authserv_id.strip()
    if reply_domain and not _DOMAIN.fullmatch(reply_domain):
        raise InvalidField("reply_domain", NOT_A_DOMAIN, value=reply_domain)
    if reply_domain == address.rpartition("@")[2]:
        raise InvalidField("reply_domain", OWN_DOMAIN)
    if authserv_id and not _HOST.fullmatch(authserv_id):
        raise InvalidField("authserv_id", NOT_A_SERVER, value=authserv_id)
    return MailboxFacts(
        name[:100],
        customer,
        facts.queue,
        str(facts.transport),
        facts.plus_addressing,
        reply_domain,
        authserv_id.lower(),
    )


def _check_account(facts: AccountFacts) -> dict[str, object]:
    host = facts.host.strip().lower()
    if not _HOST.fullmatch(host):
        raise InvalidField("host", NOT_A_HOST, value=facts.host)
    require_int("port", facts.port, 1, 65535)
    _require_code("security", facts.security, Security)
    _require_code("sign_in", facts.sign_in, SignIn)
    if facts.security == Security.PLAIN and host not in _HERE:
        raise InvalidField("security", ONLY_HERE)
    texts = {
        name: getattr(facts, name).strip()
        for name in ("username", "folder", "processed_folder", "failed_folder")
    }
    for name, text in texts.items():
        if not text:
            raise InvalidField(name, EMPTY)
    return {
        "host": host,
        "port": facts.port,
        "security": str(facts.security),
        "sign_in": str(facts.sign_in),
        "authority": facts.authority.strip(),
        **texts,
    }


def _require_code(field: str, value: str, codes: type[Transport | Security | SignIn]) -> None:
    if value not in [str(code) for code in codes]:
        raise InvalidField(field, UNKNOWN_CODE, value=value)


def _facts_of(box: Mailbox) -> MailboxFacts:
    return MailboxFacts(**{name: getattr(box, name) for name in MailboxFacts.__annotations__})


def _columns(facts: MailboxFacts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in MailboxFacts.__annotations__}


def _told(facts: MailboxFacts) -> dict[str, object]:
    """The facts as plain JSON, rows by their names."""
    told = _columns(facts)
    for name in ("organisation", "queue"):
        told[name] = str(told[name]) if told[name] is not None else None
    return told
