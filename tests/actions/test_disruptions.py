"""Declared outages: who is told, which reports they explain, what comes of them (P04, P06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from acuse.actions import administration as admin
from acuse.actions import disruptions, family, life
from acuse.models import (
    Case,
    Disruption,
    DisruptionLetter,
    DisruptionWord,
    Environment,
    Person,
)
from acuse.policy.fields import InvalidField
from acuse.policy.stages import CancelReason, Role
from acuse.queries import disruptions as questions
from acuse.queries.sentence import sentence_for
from tests.world import HOUR, LONG_AGO, START, World, refused

TEXTS = {"es": "Trabajamos en ello", "en": "We are on it"}


def declare(
    world: World, *environments: Environment, who: str = "sara", **given: Any
) -> Disruption:
    details: dict[str, Any] = {"since": START - HOUR, "texts": TEXTS} | given
    return disruptions.declare(
        world.on(None, who), environments=environments or [world.production], **details
    )


def told(word: DisruptionWord) -> set[str]:
    return {str(letter.person).split()[0] for letter in word.letters.all()}


def of_brisa(world: World) -> Environment:
    return admin.add_environment(world.brisa, "Nube")


ANDINA, BRISA = {"Ana", "Beto", "Lina", "Omar"}, {"Nora", "Óscar"}


def test_everybody_of_the_customer_is_told_once(world: World) -> None:
    found = declare(world)
    assert told(found.words.get()) == ANDINA
    assert (found.since, found.declared_at, found.ended_at) == (START - HOUR, START, None)
    parent = world.fresh(found.parent)
    assert (parent.organisation, parent.reporter, parent.opened_by) == (None, None, "support")
    assert parent.subject == "Andina: Producción"
    assert not parent.notices.exists()
    assert sentence_for(parent, world.sara).situation == "internal"
    assert parent not in Case.objects.visible_to(world.ana)


def test_a_shared_system_reaches_the_people_of_all_and_nobody_twice(world: World) -> None:
    admin.give_role(world.ana, world.brisa, Role.USER, since=LONG_AGO)
    Person.objects.filter(pk=world.beto.pk).update(is_active=False)
    admin.end_role(world.lina.memberships.get(), START - HOUR)
    staging = admin.add_environment(world.andina, "Pruebas")
    found = declare(world, world.production, staging, of_brisa(world), system=" Odoo.sh ")
    assert told(found.words.get()) == {"Ana", "Omar"} | BRISA
    assert (found.system, found.parent.subject) == ("Odoo.sh", "Odoo.sh")


def test_each_reads_of_their_own_systems_only(world: World) -> None:
    found = declare(world, world.production, of_brisa(world))
    for person, names in ((world.ana, ["Producción"]), (world.nora, ["Nube"])):
        known = questions.running(person)[0]
        assert [row.name for row in known.environments] == names
        assert names[0] in known.headline
    assert len(questions.running(world.sara)[0].environments) == 2
    other = admin.add_customer("Cima")
    stranger = admin.add_person("eva@cima.example")
    admin.give_role(stranger, other, Role.USER, since=LONG_AGO)
    assert questions.running(Person.objects.get(pk=stranger.pk)) == []
    with pytest.raises(Disruption.DoesNotExist):
        questions.get_disruption(Person.objects.get(pk=stranger.pk), found.pk)


def test_updates_and_the_end_are_told_and_then_it_is_over(world: World) -> None:
    found = declare(world)
    disruptions.update(found, {"es": "Ya casi"}, by=world.mario, at=START + HOUR)
    word = disruptions.end(found, {"es": "Listo"}, by=world.sara, at=START + 2 * HOUR)
    assert told(word) == ANDINA
    assert list(found.words.values_list("kind", flat=True)) == ["declared", "update", "ended"]
    assert DisruptionLetter.objects.count() == 3 * len(ANDINA)
    assert questions.running(world.ana) == []
    assert [known.ended for known in questions.lately(world.ana, START + HOUR * 3)] == [True]
    assert questions.lately(world.ana, START + timedelta(days=8)) == []
    for say in (disruptions.update, disruptions.end):
        with pytest.raises(InvalidField, match="over"):
            say(found, {"es": "Otra vez"}, by=world.sara, at=START + 3 * HOUR)
    declare(world)  # another one, of the same environment


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"texts": {"es": " "}}, "text_es"),
        ({"since": START + HOUR}, "since"),
        ({"since": START - timedelta(days=367)}, "since"),
    ],
)
def test_rules_are_told_by_field_and_nothing_is_half_saved(
    world: World, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidField) as wrong:
        declare(world, **given)
    assert wrong.value.field == field
    assert not Case.objects.exists()
    assert not Disruption.objects.exists()


def test_what_cannot_be_declared(world: World) -> None:
    with pytest.raises(InvalidField, match="at least one"):
        disruptions.declare(world.on(None, "sara"), environments=[], since=START, texts=TEXTS)
    declare(world)
    with pytest.raises(InvalidField, match="Producción has a declared outage already"):
        declare(world)  # a second click tells nobody twice
    assert DisruptionLetter.objects.count() == len(ANDINA)
    retired = admin.add_environment(world.andina, "Vieja")
    Environment.objects.filter(pk=retired.pk).update(retired_at=START)
    with pytest.raises(InvalidField, match="retired"):
        declare(world, retired)
    with refused("not_your_role"):
        declare(world, admin.add_environment(world.andina, "Nueva"), who="ada")
    assert Disruption.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field", "leak"),
    [
        ({"texts": {"es": "Lo reportó Andina en C-1"}}, "text_es", "Andina"),
        ({"system": "Hosting de  andina"}, "system", "Andina"),
        ({"texts": TEXTS | {"en": "As in %(case)s"}}, "text_en", "%(case)s"),
    ],
)
def test_nothing_of_one_customer_reaches_another(
    world: World, given: dict[str, Any], field: str, leak: str
) -> None:
    case = {"case": world.report().number}
    said = {language: text % case for language, text in given.get("texts", TEXTS).items()}
    brisa = of_brisa(world)
    with pytest.raises(InvalidField) as wrong:
        declare(world, world.production, brisa, **given | {"texts": said})
    assert (wrong.value.field, wrong.value.params) == (field, {"value": leak % case})
    assert Case.objects.count() == 1
    assert declare(world, **given | {"texts": said})  # Andina may read all of it


def test_nor_by_an_update_or_the_end(world: World) -> None:
    own_words = "El portal de pedidos no abre"
    parent = world.report(text=own_words)
    found = declare(world, world.production, of_brisa(world), parent=parent)
    for say in (disruptions.update, disruptions.end):
        for text in ("Ya funciona en ANDINA.", f"Vea {parent}", f"«{own_words}»: listo"):
            with pytest.raises(InvalidField) as wrong:
                say(found, {"pt": text}, by=world.sara, at=START + HOUR)
            assert wrong.value.field == "text_pt"
    assert found.words.count() == 1
    # The same words may be said again of the firm's own.
    assert disruptions.end(found, TEXTS, by=world.sara, at=START + HOUR)


def test_a_known_case_may_be_the_parent(world: World) -> None:
    parent, child, ended = world.report(), world.report(), world.cancelled()
    family.attach_to_parent(world.on(child, "sara"), parent=parent)
    for wrong in (child, ended):
        with pytest.raises(InvalidField, match="parent"):
            declare(world, parent=wrong)
    assert declare(world, parent=parent).parent == parent
    with pytest.raises(InvalidField, match="another outage"):
        declare(world, of_brisa(world), parent=parent)
    assert Case.objects.count() == 3


def explains(case: Case) -> bool:
    return questions.explaining(case) is not None


def test_new_reports_of_the_same_thing_are_explained(world: World) -> None:
    staging = admin.add_environment(world.andina, "Pruebas")
    found = declare(world)
    same = world.report(environment=world.production)
    by_mail, other, theirs = world.report(), world.report(environment=staging), world.report("nora")
    assert [explains(case) for case in (same, by_mail, other, theirs)] == [True, True, False, False]
    assert not explains(world.fresh(found.parent))
    long_before = world.report(at=START - timedelta(days=3))
    assert not explains(long_before)
    assert questions.candidates(found) == [same, by_mail]
    known = questions.explaining_to(same, world.ana)
    assert known is not None
    assert known.disruption == found
    life.cancel(world.on(by_mail, "ana"), reason=CancelReason.WITHDRAWN)
    assert not explains(world.fresh(by_mail))
    disruptions.end(found, TEXTS, by=world.sara, at=START + HOUR)
    assert not explains(same)
    assert questions.find_over(found.parent) is not None


def test_reports_are_attached_together_and_what_cannot_be_is_named(world: World) -> None:
    found = declare(world)
    one, two = world.report(), world.report()
    family.attach_to_parent(world.on(one, "sara"), parent=found.parent)
    assert questions.candidates(found) == [two]
    attached, refused_ = disruptions.attach_reports(found, [one, two], world.on(None, "sara"))
    assert attached == 1
    assert [(case, refusal.code) for case, refusal in refused_] == [(one, "has_parent")]
    assert questions.children_of(found) == [one, two]
    assert questions.candidates(found) == []
