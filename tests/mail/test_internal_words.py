"""What an agent writes by mail never publishes what an internal note says."""

from __future__ import annotations

import pytest

from acuse.actions import conversation, mail
from acuse.models import Case, MailState, Message
from tests.mail.post import arrived, key_address, proven
from tests.world import HOUR, START, World

NOTE = "El cliente no ha pagado la factura de marzo: no le prometa nada, por favor."


@pytest.fixture
def case(world: World) -> Case:
    case = world.analysed()
    conversation.internal_note(world.on(case, "sara"), text=NOTE)
    conversation.internal_note(world.on(case, "sara"), text="Ojo: cliente moroso.")
    return case


@pytest.mark.parametrize(
    "text",
    [
        f"> {NOTE}\r\nDe acuerdo.",
        "> El cliente no ha pagado la\r\n> factura de MARZO; no le prometa\r\nDe acuerdo.",
        "Recuerde que el cliente no ha pagado la factura de marzo.",
        "> ojo, cliente   moroso\r\nDe acuerdo.",
    ],
)
def test_quoting_a_note_is_held(world: World, case: Case, text: str) -> None:
    to = key_address(case, world.sara)
    before = Message.objects.count()
    raw = arrived(proven(world, "sara@firm.example", text, to=to), START + 5 * HOUR, to)
    assert (raw.state, raw.reason) == (MailState.HELD, "internal_words")
    mail.put_on_case(raw, case, by=world.sara, at=START + 6 * HOUR)
    raw = arrived(bytes(raw.content), START + 5 * HOUR, to, now=START + 6 * HOUR)
    assert (raw.state, raw.reason) == (MailState.HELD, "internal_words")
    assert Message.objects.count() == before


@pytest.mark.parametrize("text", ["Lo miramos mañana.", "El cliente no ha pagado la factura."])
def test_own_words_are_published(world: World, case: Case, text: str) -> None:
    to = key_address(case, world.sara)
    raw = arrived(proven(world, "sara@firm.example", text, to=to), START + 5 * HOUR, to)
    assert raw.state == MailState.PROCESSED


def test_a_customers_own_words_are_never_held_for_it(world: World, case: Case) -> None:
    to = key_address(case, world.ana)
    raw = arrived(proven(world, "ana@andina.example", NOTE, to=to), START + 5 * HOUR, to)
    assert raw.state == MailState.PROCESSED
