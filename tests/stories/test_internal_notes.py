"""An internal note never reaches a customer, by whatever door: a property over random lives.

Words and files that the firm keeps for itself carry a mark; whatever any customer's person can
open, search, download or receive by mail must not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.utils import parseaddr

import pytest
from django.test import Client
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from acuse.actions import aftercare, conversation, triage
from acuse.connectors import storage
from acuse.interfaces.jobs import letters
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import Attachment, Case, Message, Notice, Person
from acuse.policy.files import File
from acuse.queries import evidence
from acuse.queries.search import search
from tests.mail.post import arrived, proven
from tests.stories.test_lives import LONG, Lives
from tests.web.entering import BACKEND, StoppedClock
from tests.world import START, World

MARK = "zarzamora"
FIRM = ("sara", "carlos", "paula", "mario")
CUSTOMERS = ("ana", "beto", "lina", "omar", "nora", "oscar")


class MarkedLives(Lives):
    """Random lives in which the firm says a lot to itself."""

    clock: StoppedClock
    marks = steps = 0
    checked_doors = answers = 0

    @invariant()
    def every_case_is_whole(self) -> None:
        """In place of what the lives check: after each of their steps the firm says something to
        itself, in turn by every way that it has."""
        if not self.cases:
            return
        self.steps += 1
        which, who = self.steps % 2, FIRM[self.steps % len(FIRM)]
        self.note(which, who, with_file=self.steps % 3 == 0)
        self.raise_it(which, who)
        self.answer_by_mail(which, self.steps, below=self.steps % 4 == 1)
        if self.steps % 5 == 0:
            self.ask_for_evidence(which, "ana")

    def marked(self) -> str:
        self.marks += 1
        return f"{MARK}{self.marks} no se dice"

    def note(self, which: int, who: str, with_file: bool) -> None:
        files = []
        if with_file:
            data = self.marked().encode()
            name = f"{MARK}{self.marks}.txt"
            files = [File(storage.put([data])[0], len(data), name, "text/plain")]
        text = f"Nota: {self.marked()}."
        self.do(conversation.internal_note, who, self.case(which), text=text, files=files)

    def raise_it(self, which: int, who: str) -> None:
        how = {"direction": "hierarchical", "level": "second", "text": self.marked()}
        self.do(triage.escalate, who, self.case(which), **how)
        self.do(triage.assign, "sara", self.case(which), person=self.world.people[who])

    def answer_by_mail(self, which: int, number: int, below: bool) -> None:
        """Somebody of the firm answers any letter of the case, quoting a note in it."""
        told = Notice.objects.filter(case=self.case(which), person__in=self.firm()).order_by("pk")
        if not told:
            return
        notice = told[number % len(told)]
        letter = message_from_bytes(letters.write(notice, self.now).content, policy=policy.default)
        firms_own = notice.line.audience == "firm"
        quote = f"El 2 feb 2026, a las 9:05, Sara <sara@example.com> escribió:\n\n> {self.marked()}"
        words = f"Visto. {self.marked()}" if firms_own else "Ya está hecho."
        to = parseaddr(str(letter["Reply-To"]))[1]
        raw = proven(
            self.world,
            notice.person.email,
            f"{quote}\n\n{words}\n" if below else f"{words}\n\n{quote}\n",
            f"Re: {letter['Subject']}",
            to=to,
            message_id=f"{self.marks}@firma.example",
            In_Reply_To=str(letter["Message-ID"]),
        )
        arrived(raw, self.now, to)

    def ask_for_evidence(self, which: int, who: str) -> None:
        case = self.case(which)
        sha256, _size = storage.put([evidence.build(case, self.world.people[who])])
        self.do(aftercare.build_pack, who, case, sha256=sha256)

    def firm(self) -> list[Person]:
        return [self.world.people[short] for short in FIRM]

    def teardown(self) -> None:
        try:
            if self.cases:
                self.look_through_every_door()
        finally:
            super().teardown()

    def look_through_every_door(self) -> None:
        self.clock.at = self.now
        assert Message.objects.filter(text__contains=MARK, raw_mail__isnull=True).exists()
        type(self).answers += Message.objects.filter(
            text__contains=MARK, raw_mail__isnull=False
        ).count()
        for short in CUSTOMERS:
            person = Person.objects.get(pk=self.world.people[short].pk)
            found = search(person, MARK, self.now)
            assert not found, f"search by {short}"
            for address, body in self.seen_by(person, thorough=short in ("ana", "omar")):
                assert MARK.encode() not in body, f"{short} at {address}"
                type(self).checked_doors += 1
            assert not Message.objects.visible_to(person).filter(text__contains=MARK)
            assert not Attachment.objects.visible_to(person).filter(filename__contains=MARK)
        firm = self.firm()
        for notice in Notice.objects.exclude(person__in=firm).order_by("pk"):
            if notice.person.is_firm:
                continue
            assert MARK not in as_read(letters.write(notice, self.now).content), notice
            type(self).checked_doors += 1

    def seen_by(self, person: Person, thorough: bool) -> Iterator[tuple[str, bytes]]:
        """Every address of the portal with what this person finds there, and their packs."""
        client = Client()
        client.force_login(person, backend=BACKEND)
        addresses = ["/", "/?state=ended", "/?whose=mine", "/organisation", f"/?q={MARK}"]
        addresses += [f"/files/{pk}" for pk in Attachment.objects.values_list("pk", flat=True)]
        for case in Case.objects.all():
            here = f"/cases/{case.number}"
            addresses.append(here)
            for pk in case.messages.values_list("pk", flat=True):
                addresses += [f"{here}/messages/{pk}", f"{here}/messages/{pk}/html"]
            if thorough:
                addresses += [f"{here}/{noun}" for noun in NOUNS.values()]
                for seq in range(1, case.lines + 1):
                    addresses += [f"{here}/receipts/{seq}", f"{here}/receipts/{seq}/pack"]
            if person.memberships.filter(organisation=case.organisation_id).exists():
                yield f"pack of {case.number}", evidence.build(case, person)
        for address in addresses:
            response = client.get(address)
            body = response.getvalue() if response.streaming else response.content
            yield address, body


def as_read(content: bytes) -> str:
    """A letter as its reader and their program see it: headers and every part, decoded."""
    letter = message_from_bytes(content, policy=policy.default)
    parts = [f"{name}: {value}" for name, value in letter.items()]
    for part in letter.walk():
        parts += [part.get_filename() or ""]
        if not part.is_multipart():
            parts.append(part.get_payload(decode=True).decode("utf-8", "replace"))
    return "\n".join(parts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock(START + timedelta(days=1))
    monkeypatch.setattr("acuse.interfaces.web.clock.now", stopped)
    return stopped


def test_no_customer_ever_sees_what_the_firm_notes_for_itself(
    world: World, clock: StoppedClock
) -> None:
    MarkedLives.world, MarkedLives.clock = world, clock
    MarkedLives.checked_doors = MarkedLives.answers = 0
    run_state_machine_as_test(
        MarkedLives,
        settings=settings(
            max_examples=200 if LONG else 3,
            stateful_step_count=40 if LONG else 15,
            report_multiple_bugs=False,
            phases=(Phase.explicit, Phase.generate),  # shrinking would look through doors for hours
        ),
    )
    assert MarkedLives.checked_doors > 500
    assert MarkedLives.answers > 0  # notes that came by mail


@pytest.mark.parametrize("below", [False, True])
def test_agents_answer_to_a_customers_letter_brings_no_quoted_note_along(
    world: World, clock: StoppedClock, below: bool
) -> None:
    case = world.taken()
    triage.assign(world.on(case, "sara"), person=world.sara)
    conversation.comment(world.on(case, "ana"), text="¿Cómo va?")
    notice = Notice.objects.filter(person=world.sara, line__kind="comment").latest("pk")
    letter = message_from_bytes(letters.write(notice, START).content, policy=policy.default)
    quote = f"El 2 feb 2026, a las 9:05, Luis <luis@example.com> escribió:\n\n> {MARK}"
    to = parseaddr(str(letter["Reply-To"]))[1]
    raw = arrived(
        proven(
            world,
            world.sara.email,
            f"{quote}\n\nMañana.\n" if below else f"Mañana.\n\n{quote}\n",
            to=to,
            message_id="a1@firma.example",
            In_Reply_To=str(letter["Message-ID"]),
        ),
        START + timedelta(hours=1),
        to,
    )
    assert (raw.state, raw.reason) == ("processed", "")
    said = Message.objects.get(raw_mail=raw)
    assert (said.kind, said.text.strip()) == ("comment", "Mañana.")
    client = Client()
    client.force_login(world.ana, backend=BACKEND)
    for address in ("", f"/messages/{said.pk}", f"/messages/{said.pk}/html"):
        assert MARK.encode() not in client.get(f"/cases/{case.number}{address}").content
