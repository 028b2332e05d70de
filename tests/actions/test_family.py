"""One parent case and its children, across customers who never learn of each other (P04, P15)."""

from __future__ import annotations

import json

import pytest

from acuse.actions import conversation, family, life
from acuse.models import Case, CaseLink, LedgerLine, Message, Person
from acuse.policy.stages import CancelReason, Stage
from acuse.queries import dossier, evidence, portal
from acuse.queries.family import family_of
from acuse.queries.folder import open_folder
from tests.world import World, last_line, refused

SAID = "desde ayer no imprime la factura electrónica de la sede Cali"


def internal(world: World) -> Case:
    return life.open(
        world.on(None, "sara"), subject="Caída del hosting", text="Proveedor", confirm=False
    ).case


def attach(world: World, case: Case, parent: Case) -> LedgerLine:
    return family.attach_to_parent(world.on(case, "sara"), parent=parent)


def tell(world: World, parent: Case, *children: Case, text: str = "Ya funciona") -> LedgerLine:
    return family.tell_children(world.on(parent, "sara"), text=text, children=list(children))


@pytest.fixture
def three(world: World) -> tuple[Case, Case, Case]:
    """An internal parent with a case of each customer."""
    parent = internal(world)
    ours, theirs = world.report("ana", text=SAID), world.report("nora", text="Se cae a ratos")
    attach(world, ours, parent)
    attach(world, theirs, parent)
    return parent, ours, theirs


def test_only_the_firm_knows_of_a_parent(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, theirs = three
    line = last_line(ours)
    assert (line.kind, line.audience, line.payload) == (
        "attach_to_parent", "firm", {"case": parent.pk},
    )  # fmt: skip
    assert not line.notices.exists()
    assert line not in LedgerLine.objects.visible_to(world.ana)
    assert portal.links_of(open_folder(ours, world.ana)) == []
    assert f"C-{parent.pk}" not in evidence.build(ours, world.ana).decode()
    found = family_of(parent)
    assert (found.parent, found.children) == (None, [ours, theirs])
    assert family_of(ours).parent == parent
    assert _kinds(world, ours) != _kinds(world, parent)


def test_one_parent_one_level(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, theirs = three
    other, another = world.report(), internal(world)
    with refused("itself", "parent"):
        attach(world, other, other)
    with refused("has_parent", "parent"):
        attach(world, ours, another)
    with refused("has_children", "parent"):
        attach(world, parent, another)
    with refused("parent_is_child", "parent"):
        attach(world, other, theirs)
    life.cancel(world.on(another, "sara"), reason=CancelReason.NOT_A_CASE)
    with refused("parent_ended", "parent"):
        attach(world, other, another)
    with refused("not_your_role"):
        family.attach_to_parent(world.on(other, "ana"), parent=parent)
    with refused("not_your_role"):
        family.attach_to_parent(world.on(other, "carlos"), parent=parent)
    assert CaseLink.objects.count() == 2


def test_a_case_is_taken_off_and_attached_anew(
    world: World, three: tuple[Case, Case, Case]
) -> None:
    parent, ours, _ = three
    line = family.detach_from_parent(world.on(ours, "sara"))
    assert (line.audience, line.payload) == ("firm", {"case": parent.pk})
    with refused("no_parent"):
        family.detach_from_parent(world.on(ours, "sara"))
    attach(world, ours, parent)
    assert family_of(ours).parent == parent
    assert CaseLink.objects.filter(case=ours).count() == 2


def test_each_child_gets_its_own_line_and_its_own_notice(
    world: World, three: tuple[Case, Case, Case]
) -> None:
    parent, ours, theirs = three
    conversation.watch(world.on(ours, "beto"))
    line = tell(world, parent, ours, theirs)
    assert (line.audience, line.payload["cases"]) == ("firm", [ours.pk, theirs.pk])
    assert not line.notices.exists()
    told = {}
    for child in (ours, theirs):
        said = last_line(child)
        assert (said.kind, said.payload["side"], said.author) == ("comment", "firm", world.sara)
        assert child.messages.get(pk=said.payload["message"]).text == "Ya funciona"
        told[child.pk] = {str(row.person).split()[0] for row in said.notices.all()}
        assert world.fresh(child).first_response_at == said.at
        assert world.fresh(child).stage == Stage.RECEIVED
    assert told == {ours.pk: {"Ana", "Beto"}, theirs.pk: {"Nora"}}
    note = Message.objects.get(pk=line.payload["message"])
    assert (note.case, note.audience) == (parent, "firm")


@pytest.mark.parametrize(
    "text",
    [
        f"Nos escriben: «{SAID}»",
        "Igual que a Brisa le pasa",
        "Como en C-{ours}",
        "Vea C-{parent}",
        "el proveedor dice que culpa nuestra no fue",
    ],
)
def test_nothing_of_one_customer_s_is_said_to_another(
    world: World, three: tuple[Case, Case, Case], text: str
) -> None:
    parent, ours, theirs = three
    conversation.internal_note(
        world.on(parent, "sara"), text="El proveedor dice que culpa nuestra no fue"
    )
    before = Message.objects.count()
    text = text.format(ours=ours.pk, parent=parent.pk)
    with refused("names_another", "text"):
        tell(world, parent, ours, theirs, text=text)
    assert Message.objects.count() == before
    assert last_line(ours).kind == "attach_to_parent"


def test_one_customer_alone_may_read_its_own_name_again(
    world: World, three: tuple[Case, Case, Case]
) -> None:
    parent, ours, _ = three
    tell(world, parent, ours, text=f"Andina: {SAID}. Ya funciona.")
    with refused("names_another"):
        tell(world, parent, ours, text="Brisa también")


def test_the_same_may_be_said_to_others_later(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, theirs = three
    text = "El servicio funciona de nuevo desde las dos de la tarde"
    tell(world, parent, ours, text=text)
    tell(world, parent, theirs, text=text)
    assert last_line(theirs).kind == "comment"


def test_only_what_hangs_on_it_is_told(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, theirs = three
    stranger = world.report("nora")
    with refused("not_a_child", "children"):
        tell(world, parent, ours, stranger)
    with refused("child_required", "children"):
        tell(world, parent)
    with refused("text_required", "text"):
        tell(world, parent, ours, text=" ")
    with refused("not_your_role"):
        family.tell_children(world.on(parent, "carlos"), text="x", children=[ours])
    assert last_line(ours).kind == "attach_to_parent"
    assert last_line(theirs).kind == "attach_to_parent"


def test_a_repeated_request_tells_once(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, theirs = three
    occasion = world.on(parent, "sara", key="k")
    first = family.tell_children(occasion, text="Listo", children=[ours, theirs])
    again = family.tell_children(occasion, text="Listo", children=[ours, theirs])
    assert first == again
    assert ours.messages.filter(text="Listo").count() == 1


def test_an_ended_child_is_answered_as_well(world: World, three: tuple[Case, Case, Case]) -> None:
    parent, ours, _ = three
    life.cancel(world.on(ours, "ana"), reason=CancelReason.SOLVED_ITSELF)
    tell(world, parent, ours)
    assert world.fresh(ours).stage == Stage.CANCELLED
    assert json.dumps(last_line(ours).payload)


def _kinds(world: World, case: Case) -> list[str]:
    links = open_folder(case, Person.objects.get(pk=world.sara.pk)).links
    return [row.kind for row in dossier.linked_to(case, links)]
