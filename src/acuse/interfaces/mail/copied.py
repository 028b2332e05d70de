"""Whom a mail was copied to: the customer's people follow the case, unknown ones wait for
somebody at the firm to let them in (mail rule 19)."""

from __future__ import annotations

from acuse.actions import conversation, correspondence
from acuse.interfaces.mail.letter import Letter
from acuse.models import Case, Person
from acuse.models.people import find_person
from acuse.models.roles import roles_on
from acuse.policy.authors import Channel, Occasion, person
from acuse.policy.stages import ACTS

MOST_LISTED = 50  # addresses of one mail


def note_people(letter: Letter, case: Case, sender: Person) -> None:
    """Let those whom the sender named in To or Cc follow the case, as far as it is theirs to see;
    whoever stopped following it stays out."""
    others = _others(letter, sender)
    if not others:
        return
    at = max(letter.raw.arrived_at, case.opened_at)
    may = roles_on(case, sender, at) & ACTS["watch"].who
    unknown = []
    for email, name in others:
        who = find_person(email)
        if who is None or not roles_on(case, who, at):
            unknown.append((email, name))
        elif may and not _takes_part(case, who):
            occasion = Occasion(case.pk, person(sender.pk, Channel.MAIL), at)
            conversation.watch(occasion, person=who)
    correspondence.note_copied(case, letter.raw, unknown, at)


def _takes_part(case: Case, who: Person) -> bool:
    """Whether somebody is told of the case already, or has once said that they do not want to."""
    return case.reporter_id == who.pk or case.watchers.filter(person=who).exists()


def _others(letter: Letter, sender: Person) -> list[tuple[str, str]]:
    """The addresses in To and Cc with their names, once each, but for the sender's and ours."""
    own = letter.raw.mailbox.address.lower() if letter.raw.mailbox is not None else ""
    listed = {entry["email"].lower(): entry["name"] for entry in letter.listed()}
    others = [
        (email, name)
        for email, name in listed.items()
        if email not in (letter.sender, own) and len(email) <= 254
    ][:MOST_LISTED]
    mine = {row.email.lower() for row in sender.addresses.all()} if others else set()
    return [row for row in others if row[0] not in mine and not letter.is_ours(row[0])]
