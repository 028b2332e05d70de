"""One case's whole life through the pages, without JavaScript: each step by the person whose right
it is, refused to the others with the reason; silence accepts at the exact moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from acuse.actions import clock as time_passes
from acuse.models import Case, Claim, LedgerLine, Version
from acuse.policy.stages import Stage
from tests.web.entering import Browser, StoppedClock, rows, words_of
from tests.world import World

Enter = Callable[[str], Browser]


class Story:
    """The case, its people's browsers, and the time that passes between their steps."""

    def __init__(self, world: World, enter: Enter, clock: StoppedClock) -> None:
        self.world, self.clock = world, clock
        for person in world.people.values():
            person.language = "en"
            person.save()
        self.browsers = {short: enter(short) for short in world.people}
        self.case = Case()

    def does(self, short: str, noun: str, refused: str = "", **typed: object) -> LedgerLine:
        """A step, an hour after the last: refused to some, done by one; the receipt."""
        self.clock.at += timedelta(hours=1)
        for other in refused.split():
            response = self.browsers[other].send(self.case, noun, **typed)
            assert response.status_code == 409, (other, noun)
            assert "This is not yours to do on this case." in words_of(response), (other, noun)
        response = self.browsers[short].send(self.case, noun, **typed)
        assert response.status_code == 302, (short, noun, words_of(response))
        assert words_of(self.browsers[short].get(response["Location"]))
        return LedgerLine.objects.filter(case=self.case).latest("seq")

    @property
    def stage(self) -> str:
        return Case.objects.get(pk=self.case.pk).stage

    def newest(self) -> Version:
        return Version.objects.filter(case=self.case).latest("pk")

    def open_as(self, short: str) -> str:
        """What the case page says to somebody."""
        return words_of(self.browsers[short].look(self.case))

    def wait_until(self, moment: datetime) -> None:
        """Time passes, and what falls due happens."""
        for deadline in time_passes.due(moment):
            time_passes.fire(deadline, moment)
        self.clock.at = moment


def test_a_whole_life_through_the_pages(world: World, enter: Enter, clock: StoppedClock) -> None:
    clock.at = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)  # a Tuesday at 8:00 in Bogota
    story = Story(world, enter, clock)
    report = {"subject": "No imprime", "text": "Desde hoy", "organisation": world.andina.pk}
    report |= {"impact": "critical_process", "urgency": "customer_notices", "key": "1"}
    assert story.browsers["ana"].post("/report", report).status_code == 302
    story.case = Case.objects.get()

    story.does("sara", "analysis", refused="ana carlos ada")
    story.does(
        "sara",
        "classification",
        refused="ana carlos",
        impact="critical_process",
        urgency="customer_notices",
    )
    story.does("carlos", "diagnosis", refused="ana")
    story.does("carlos", "estimation", refused="sara ana")
    story.does(
        "carlos",
        "scope",
        refused="sara omar",
        scope="Corregir la impresión",
        **rows("items", {"kind": "development", "title": "Impresión corregida"}),
        **rows("lines", {"description": "Desarrollar", "activity": "execution", "minutes": "120"}),
    )
    estimate = story.case.estimates.get().pk
    story.does("omar", "scope-validation", refused="ana carlos", estimate=estimate)
    assert story.stage == Stage.SCOPE_VALIDATION
    story.does("paula", "scope-validation", refused="mario", estimate=estimate)
    assert story.stage == Stage.PROPOSAL

    assert "accept or reject version 1 of the proposal until" in story.open_as("ana")
    story.does("beto", "proposal-acceptance", refused="sara mario", version=story.newest().pk)
    story.does("ana", "authorization", refused="carlos paula")
    assert story.stage == Stage.IN_PROGRESS

    deliverable = story.case.deliverables.get(proposal=False).pk
    for name in ("otro.txt", "bueno.txt"):
        file = SimpleUploadedFile(name, name.encode(), "text/plain")
        story.does("carlos", "delivery", deliverable=deliverable, text="Listo", files=[file])
        assert "Impresión corregida" in story.open_as("ana")
        if name == "otro.txt":
            wrong = story.newest()
            story.does(
                "carlos", "withdrawal", refused="ana", version=wrong.pk, text="Archivo equivocado"
            )
    wrong.refresh_from_db()
    assert wrong.window.annulled
    version = story.newest()
    # Tuesday 8 December is a public holiday: 2, 3, 4, 7 and 9 December count.
    assert version.window.last_day == date(2026, 12, 9)
    until = version.window.until

    story.wait_until(until - timedelta(seconds=1))
    assert story.stage == Stage.DELIVERED
    story.wait_until(until + timedelta(hours=3))
    tacit = LedgerLine.objects.get(case=story.case, kind="accept_tacitly")
    assert tacit.at == until
    assert story.stage == Stage.ACCEPTED
    assert "was accepted by silence on" in story.open_as("ana")

    day = "2026-12-02"
    story.does(
        "carlos",
        "time",
        refused="ana",
        work_date=day,
        minutes="120",
        activity="execution",
        text="Desarrollar",
    )
    story.does("carlos", "time-submission", refused="ana")
    entry = story.case.time.get().pk
    refused = story.browsers["ana"].send(story.case, "closure")
    assert "There is time that the customer has not approved yet." in words_of(refused)
    story.does("ana", "time-approval", refused="carlos mario", entries=[entry])
    story.does("paula", "statement", refused="ana sara")
    statement = story.case.statements.get().pk
    story.does("beto", "statement-approval", refused="paula mario", statement=statement)
    story.does("ana", "closure", refused="sara carlos")
    assert story.stage == Stage.CLOSED

    warranty = story.case.warranties.get()
    clock.at = warranty.until - timedelta(hours=2)
    claim = {"version": version.pk, "text": "Se especificó el logo", "omitted": "No sale el logo"}
    story.does("beto", "claim", refused="sara", **claim)
    first = Claim.objects.get()
    assert (first.in_time, first.covered) == (True, None)
    clock.at = warranty.until + timedelta(days=1)
    receipt = story.does("ana", "claim", **claim)
    late = Claim.objects.latest("pk")
    assert (late.in_time, late.exclusion) == (False, "late")
    assert receipt.payload["change"] == late.change_id
    story.does(
        "paula", "claim-decision", refused="ana carlos", claim=first.pk, covered="yes", text="Sí"
    )
    story.does("ana", "satisfaction", refused="sara", rating="5")
