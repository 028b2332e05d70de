"""Whom a mail was copied to: known people follow the case, unknown ones wait to be let in (mail
rule 19)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from acuse.actions import administration, conversation
from acuse.actions.correspondence import MOST_COPIED, admit_copied, dismiss_copied
from acuse.interfaces.web import replies
from acuse.models import Case, CopiedAddress, LedgerLine, Membership, Notice, Person, Watcher
from acuse.policy.stages import Role
from acuse.queries.folder import open_folder
from tests.mail.post import arrived, key_address, proven, written
from tests.world import HOUR, LONG_AGO, START, World, refused


def following(case: Case) -> set[str]:
    running = Watcher.objects.filter(case=case, until__isnull=True)
    return set(running.values_list("person__email", flat=True))


def unknown(case: Case) -> list[str]:
    return list(
        CopiedAddress.objects.filter(case=case).order_by("email").values_list("email", flat=True)
    )


def report(sender: str = "ana@andina.example", **headers: str) -> Case:
    case = arrived(written(sender, message_id=f"{len(headers)}{sender}", **headers)).case
    assert case is not None
    return case


def test_known_people_of_the_customer_follow_the_case(world: World) -> None:
    case = report(Cc="Beto <BETO@andina.example>, lina@andina.example", to="soporte@example.com")
    assert following(case) == {"beto@andina.example", "lina@andina.example"}
    lines = LedgerLine.objects.filter(case=case, kind="watch")
    assert [(line.author, line.payload["person"]) for line in lines] == [
        (world.ana, world.beto.pk),
        (world.ana, world.lina.pk),
    ]
    assert unknown(case) == []
    conversation.comment(world.on(case, "sara"), text="Lo miramos")
    assert Notice.objects.filter(case=case, line__kind="comment", person=world.beto).exists()


def test_others_than_the_customers_people_wait_outside(world: World) -> None:
    case = report(Cc="Eve <eve@x.example>, nora@brisa.example, Eve Dos <EVE@x.example>")
    assert following(case) == set()
    assert unknown(case) == ["eve@x.example", "nora@brisa.example"]
    assert not Person.objects.filter(email="eve@x.example").exists()
    told = Notice.objects.filter(case=case).values_list("person__email", flat=True)
    assert "nora@brisa.example" not in told


def test_our_own_addresses_and_the_senders_are_nobody(world: World) -> None:
    administration.add_mailbox("viejo@example.com", "Viejo")
    old = world.mailbox
    old.reply_domain = "r.example.com"
    old.save()
    first = world.report()
    case = report(
        to=f"soporte@example.com, {replies.reply_address(first, world.beto.pk)}",
        Cc="viejo@example.com, SOPORTE+x@example.com, anything@r.example.com, Ana@andina.example",
    )
    assert (following(case), unknown(case)) == (set(), [])


def test_people_of_the_firm_follow_while_they_are_there(world: World) -> None:
    Membership.objects.filter(person=world.carlos).update(until=START - HOUR)
    case = report(Cc="sara@firm.example, carlos@firm.example")
    assert following(case) == {"sara@firm.example"}
    assert unknown(case) == ["carlos@firm.example"]


def test_an_answer_and_an_agents_mail_bring_people_in_too(world: World) -> None:
    case = world.report()
    to = key_address(case, world.ana)
    arrived(written("ana@andina.example", "Con copia", to=to, Cc="omar@andina.example"), to=to)
    own = key_address(case, world.sara)
    content = proven(world, "sara@firm.example", "Hola", to=own, Cc="lina@andina.example")
    arrived(content, START + HOUR, own)
    assert following(case) == {"omar@andina.example", "lina@andina.example"}


def test_whoever_stopped_following_stays_out(world: World) -> None:
    case = report(Cc="beto@andina.example")
    conversation.watch(world.on(case, "beto"), following=False)
    to = key_address(case, world.ana)
    arrived(written("ana@andina.example", "Más", to=to, Cc="beto@andina.example"), to=to)
    assert following(case) == set()


def test_the_reporter_is_told_anyway(world: World) -> None:
    case = world.report()
    to = key_address(case, world.beto)
    arrived(written("beto@andina.example", to=to, Cc="ana@andina.example"), to=to)
    assert following(case) == set()


def test_a_strangers_copies_bring_nobody_in(world: World) -> None:
    case = report("eve@evil.example", Cc="ana@andina.example, sara@firm.example")
    assert following(case) == set()
    assert unknown(case) == ["ana@andina.example"]


def test_a_held_mail_brings_nobody_in(world: World) -> None:
    case = world.report()
    arrived(written("eve@evil.example", subject=f"[C-{case.pk}]", Cc="beto@andina.example"))
    assert (following(case), unknown(case)) == (set(), [])


def test_a_crowd_is_bounded(world: World) -> None:
    crowd = ", ".join(f"p{number}@x.example" for number in range(MOST_COPIED + 9))
    case = report(Cc=crowd)
    assert len(unknown(case)) == MOST_COPIED
    to = key_address(case, world.ana)
    arrived(written("ana@andina.example", to=to, Cc="one@more.example"), to=to)
    assert len(unknown(case)) == MOST_COPIED


# Let in or left out


@pytest.fixture
def copied(world: World) -> CopiedAddress:
    return CopiedAddress.objects.get(case=report(Cc="Eve <eve@x.example>"))


def test_who_is_let_in_is_a_user_who_follows(world: World, copied: CopiedAddress) -> None:
    case = copied.case
    assert open_folder(case, world.sara).copied == [copied]
    assert open_folder(case, world.ana).copied == []
    line = admit_copied(world.on(case, "paula"), copied=copied)
    eve = Person.objects.get(email="eve@x.example")
    assert (line.kind, line.payload) == (
        "admit_copied",
        {"copied": copied.pk, "person": eve.pk},
    )
    assert following(case) == {"eve@x.example"}
    assert Case.objects.visible_to(eve).get() == case
    copied.refresh_from_db()
    assert (copied.accepted, copied.settled_by, copied.settled_at) == (True, world.paula, line.at)
    assert open_folder(case, world.sara).copied == []
    with refused("already_answered"):
        admit_copied(world.on(case, "mario"), copied=copied)
    with refused("already_answered"):
        dismiss_copied(world.on(case, "sara"), copied=copied)


def test_who_is_left_out_sees_nothing(world: World, copied: CopiedAddress) -> None:
    line = dismiss_copied(world.on(copied.case, "sara"), copied=copied)
    assert line.payload == {"copied": copied.pk}
    assert not Person.objects.filter(email="eve@x.example").exists()
    to = key_address(copied.case, world.ana)
    arrived(written("ana@andina.example", to=to, Cc="eve@x.example"), to=to)
    copied.refresh_from_db()
    assert copied.accepted is False
    assert open_folder(copied.case, world.sara).copied == []


@pytest.mark.parametrize("who", ["sara", "carlos", "ana", "omar", "ada"])
def test_only_the_single_contact_and_managers_let_somebody_in(
    world: World, copied: CopiedAddress, who: str
) -> None:
    with refused("not_your_role"):
        admit_copied(world.on(copied.case, who), copied=copied)


def test_who_has_become_a_user_meanwhile_only_follows(world: World, copied: CopiedAddress) -> None:
    eve = administration.add_person("eve@x.example")
    administration.give_role(eve, world.andina, Role.LEAD, since=LONG_AGO)
    conversation.watch(world.on(copied.case, "ana"), person=eve)
    admit_copied(world.on(copied.case, "paula"), copied=copied)
    assert Membership.objects.filter(person=eve).count() == 1
    assert Watcher.objects.filter(person=eve).count() == 1


def test_nobody_of_another_customer_or_of_the_firm_is_let_in(
    world: World, copied: CopiedAddress
) -> None:
    case = copied.case
    rows = {
        email: CopiedAddress.objects.create(
            case=case, email=email, raw_mail=copied.raw_mail, at=START
        )
        for email in ("nora@brisa.example", "carlos@firm.example", "beto@andina.example")
    }
    with refused("other_customer"):
        admit_copied(world.on(case, "paula"), copied=rows["nora@brisa.example"])
    with refused("not_a_member"):
        admit_copied(world.on(case, "paula"), copied=rows["carlos@firm.example"])
    Membership.objects.filter(person=world.beto).update(until=START)
    with refused("not_a_member"):  # who left is not let in again by a copy of a mail
        admit_copied(world.on(case, "paula"), copied=rows["beto@andina.example"])
    assert following(case) == set()


def test_nobody_is_let_into_a_case_of_no_customer(world: World) -> None:
    case = report("stranger@evil.example", Cc="eve@x.example")
    with refused("not_bound"):
        admit_copied(world.on(case, "mario"), copied=CopiedAddress.objects.get(case=case))


def test_a_row_belongs_to_its_case(world: World, copied: CopiedAddress) -> None:
    other = world.report(at=START + timedelta(hours=1))
    with pytest.raises(CopiedAddress.DoesNotExist):
        dismiss_copied(world.on(other, "sara"), copied=copied)
