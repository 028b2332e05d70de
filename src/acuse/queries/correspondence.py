"""Questions about mail that somebody at the firm has to judge."""

from __future__ import annotations

from django.db.models import QuerySet

from ..models import (
    Audience,
    Case,
    CopiedAddress,
    Membership,
    Message,
    Organisation,
    OrganisationKind,
    RawMail,
)
from ..policy.quoting import repeats

# Everybody has an address there: it says nothing about whose customer somebody is.
PUBLIC_PROVIDERS = frozenset(
    {
        *("aol.com", "bol.com.br", "gmail.com", "gmx.com", "gmx.de", "googlemail.com"),
        *("hotmail.com", "hotmail.es", "icloud.com", "live.com", "mac.com", "mail.com", "me.com"),
        *("msn.com", "outlook.com", "outlook.es", "proton.me", "protonmail.com", "terra.com.br"),
        *("uol.com.br", "yahoo.com", "yahoo.com.ar", "yahoo.com.br", "yahoo.com.mx", "yahoo.es"),
        *("zoho.com",),
    }
)


def propose_customer(raw: RawMail) -> Organisation | None:
    """The customer that a forwarded mail seems to come from: the one that its author belongs to,
    else that of the mailbox, else the only one whose people write from the same domain. None
    where that is not clear: somebody at the firm chooses."""
    email = str(raw.proposal.get("email", "")).lower()
    held = _customers_of(Membership.objects.filter(person__addresses__email__lower=email.lower()))
    if email and held:
        return held[0] if len(held) == 1 else None
    if raw.mailbox is not None and raw.mailbox.organisation is not None:
        return raw.mailbox.organisation
    domain = email.rpartition("@")[2]
    if not domain or domain in PUBLIC_PROVIDERS:
        return None
    theirs = _customers_of(
        Membership.objects.filter(person__addresses__email__iendswith=f"@{domain}")
    )
    return theirs[0] if len(theirs) == 1 else None


def _customers_of(held: QuerySet[Membership]) -> list[Organisation]:
    now = Membership.objects.in_force().filter(person__is_active=True)
    memberships = held.filter(pk__in=now, organisation__kind=OrganisationKind.CUSTOMER)
    return list(Organisation.objects.filter(memberships__in=memberships).distinct()[:2])


def repeats_internal_note(case: Case, text: str) -> bool:
    """Whether words that are to be published stand in an internal note of the case: a run of
    eight words, or a whole note of three to seven. Quote marks, line breaks, capitals and
    punctuation do not hide them."""
    notes = Message.objects.filter(case=case, audience=Audience.FIRM).exclude(text="")
    return repeats(text, notes.values_list("text", flat=True))


def waiting_copies(case: Case) -> QuerySet[CopiedAddress]:
    """Unknown people to whom mail on this case was copied, whom nobody has let in or left out
    yet. Only for the firm (mail rule 19)."""
    return CopiedAddress.objects.filter(case=case, settled_at__isnull=True).order_by("pk")
