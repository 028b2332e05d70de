"""The story that Acuse exists for, in a real browser, from the mail to the close; each step by
the person whose right it is, and refused to the others with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from acuse.models import (
    Case,
    CaughtMail,
    Claim,
    Decision,
    Exclusion,
    LedgerLine,
    Outcome,
    Verdict,
)
from acuse.policy.authors import AuthorKind
from acuse.policy.stages import Stage
from tests.stories.conftest import Site

BOGOTA = ZoneInfo("America/Bogota")


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment of 2026 in Bogota."""
    return datetime(2026, month, day, hour, minute, tzinfo=BOGOTA).astimezone(UTC)


def stage_of(case: Case) -> str:
    return Case.objects.values_list("stage", flat=True).get(pk=case.pk)


def open_by_mail(site: Site) -> Case:
    """Ana writes; the case is hers, and exactly one confirmation goes out, under her own mail."""
    site.clock.at = at(11, 30)
    site.send_mail(
        site.world.ana.email,
        "No imprime facturas",
        "Desde hoy ninguna factura imprime.\n\nAna",
        "soporte@example.com",
        Message_ID="<ana-1@andina.example>",
    )
    site.work()
    case = Case.objects.get()
    assert (case.reporter, case.organisation) == (site.world.ana, site.world.andina)
    (confirmation,) = site.letters_to("ana")
    raw = bytes(confirmation.content).decode("utf-8", "replace")
    assert "<ana-1@andina.example>" in raw  # threaded
    assert case.number in confirmation.subject
    assert case.opened_at == at(11, 30)
    return case


def work_out_a_proposal(site: Site, case: Case) -> None:
    """Triage, diagnosis, estimate, and both people who have to validate the scope."""
    site.refused("ana", case, "analysis")
    site.act("sara", case, "analysis")
    site.refused("nora", case, "comment")
    site.act("sara", case, "classification", impact="critical_process", urgency="work_blocked")
    site.act("sara", case, "diagnosis")
    site.refused("sara", case, "estimation")
    site.act("carlos", case, "estimation")
    scope = {
        "scope": "Corregir la impresión de facturas.",
        "items-0-kind": "development",
        "items-0-title": "Impresión de facturas",
        "items-1-kind": "documentation",
        "items-1-title": "Manual de impresión",
        "lines-0-description": "Desarrollar",
        "lines-0-activity": "execution",
        "lines-0-minutes": 240,
    }
    site.act("carlos", case, "scope", **scope)
    assert stage_of(case) == Stage.SCOPE_VALIDATION
    site.refused("ana", case, "scope-validation")
    site.act("omar", case, "scope-validation")
    assert stage_of(case) == Stage.SCOPE_VALIDATION
    site.act("paula", case, "scope-validation")
    assert stage_of(case) == Stage.PROPOSAL


def test_one_mail_lives_a_whole_case(site: Site) -> None:
    case = open_by_mail(site)
    site.clock.at = at(12, 1)
    work_out_a_proposal(site, case)
    site.work()  # the proposal reaches Ana's server: her term starts
    site.refused("sara", case, "proposal-acceptance")
    site.refused("ana", case, "authorization")  # nothing to authorise yet
    site.act("ana", case, "proposal-acceptance")
    refusal = site.refused("carlos", case, "authorization")
    assert stage_of(case) == Stage.AUTHORIZATION
    assert refusal.strip()
    site.act("ana", case, "authorization")
    site.act("carlos", case, "time", **worked(at(12, 1), 240))

    deliver_and_withdraw(site, case)
    accept_by_silence_over_a_holiday(site, case)
    claim_in_time_and_late(site, case)
    settle_and_close(site, case)
    assert not site.complaints


def worked(day: datetime, minutes: int, activity: str = "execution") -> dict[str, object]:
    return {
        "work_date": day.astimezone(BOGOTA).date().isoformat(),
        "minutes": minutes,
        "activity": activity,
        "text": "Desarrollo de la impresión",
    }


def deliver_and_withdraw(site: Site, case: Case) -> None:
    """A wrong file is withdrawn in time, and its window annulled; then the right one goes out."""
    site.clock.at = at(12, 2)
    development, manual = case.deliverables.filter(proposal=False).order_by("pk")
    site.refused("ana", case, "delivery")
    wrong = {"deliverable": development.pk, "text": "Va el archivo", "files": b"equivocado"}
    site.act("carlos", case, "delivery", **wrong)
    site.work()
    window = case.windows.latest("pk")
    assert window.closed_at is None
    site.refused("ana", case, "withdrawal")
    site.act("carlos", case, "withdrawal", text="Archivo equivocado")
    window.refresh_from_db()
    assert window.annulled
    assert stage_of(case) == Stage.IN_PROGRESS
    site.clock.at = at(12, 3, 15)
    right = {"deliverable": development.pk, "text": "Impresión corregida", "files": b"correcto"}
    site.act("carlos", case, "delivery", **right)
    site.act("carlos", case, "delivery", deliverable=manual.pk, text="Manual en el adjunto")
    site.work()
    assert stage_of(case) == Stage.DELIVERED


def accept_by_silence_over_a_holiday(site: Site, case: Case) -> None:
    """Delivered on Thursday 3 December; the 8th is a holiday: the fifth day is Friday the 11th.
    Silence accepts at the very end of that day, not a microsecond before."""
    end = at(12, 12, 0)
    window = case.windows.filter(closed_at__isnull=True).first()
    assert window is not None
    assert (window.last_day.isoformat(), window.until) == ("2026-12-11", end)
    site.visit("ana", case)
    shown = site.page_of("ana").locator("main").inner_text().lower()
    assert "11 de diciembre" in shown
    assert "inmaculada" in site.page_of("ana").content().lower()
    site.wait_until(end - timedelta(microseconds=1))
    assert stage_of(case) == Stage.DELIVERED
    reminders = LedgerLine.objects.filter(case=case, kind="remind").order_by("at")
    days = {line.at.astimezone(BOGOTA).day for line in reminders if line.at > at(12, 4)}
    assert days == {9, 10}
    site.wait_until(end + timedelta(hours=9))
    assert stage_of(case) == Stage.ACCEPTED
    for line in LedgerLine.objects.filter(case=case, kind="accept_tacitly"):
        assert (line.at, line.author_kind) == (end, AuthorKind.CLOCK)
    tacit = Decision.objects.filter(case=case, verdict=Verdict.TACIT)
    assert {(row.at, row.person) for row in tacit} == {(end, None)}
    assert tacit.count() == 2
    told = [mail for mail in site.letters_to("ana") if case.number in mail.subject]
    assert len(told) == len({mail.message_id for mail in told})
    text = site.refused("ana", case, "rejection")
    assert text.strip()


def claim_in_time_and_late(site: Site, case: Case) -> None:
    """Fifteen calendar days from the delivery of the 3rd: the last is Friday the 18th. On it a
    claim is taken; a day later the same claim becomes a change request of its own."""
    warranty = case.warranties.get()
    assert warranty.last_day.isoformat() == "2026-12-18"
    claim = {
        "text": "Debe imprimir el logo",
        "omitted": "No imprime el logo",
    }
    site.wait_until(at(12, 18, 23, 59))
    site.refused("sara", case, "claim")
    version = warranty.version
    site.act("ana", case, "claim", version=version.pk, **claim)
    taken = Claim.objects.get(case=case)
    assert (taken.in_time, taken.covered) == (True, None)
    site.refused("ana", case, "claim-decision")
    site.act("paula", case, "claim-decision", covered="yes", text="Estaba en el alcance")
    site.act("carlos", case, "fix", text="Ya imprime el logo")
    taken.refresh_from_db()
    assert taken.fixed_at is not None
    site.wait_until(at(12, 19, 0, 0))
    site.act("ana", case, "claim", version=version.pk, **claim)
    late = Claim.objects.filter(case=case).latest("pk")
    assert (late.in_time, late.covered, late.exclusion) == (False, False, Exclusion.LATE)
    assert late.change is not None
    assert late.change.origin == case
    assert late.change.stage == Stage.RECEIVED


def settle_and_close(site: Site, case: Case) -> None:
    """Time and billing are approved by a user, each apart; then the closure."""
    site.clock.at = at(12, 21)
    site.refused("ana", case, "time-submission")
    site.act("carlos", case, "time-submission")
    site.refused("carlos", case, "time-approval")
    site.visit("ana", case, "closure")
    site.act("ana", case, "time-approval")
    site.refused("ana", case, "statement")
    site.act("paula", case, "statement")
    statement = case.statements.get()
    assert str(statement.total) == "480000.00"  # 240 minutes at 120,000 an hour
    site.refused("paula", case, "statement-approval")
    site.act("beto", case, "statement-approval")  # any active user of the customer (P08)
    site.act("ana", case, "closure")
    assert stage_of(case) == Stage.CLOSED
    site.act("ana", case, "satisfaction", rating="5")
    assert case.versions.filter(outcome=Outcome.WITHDRAWN).count() == 1
    site.work()
    sent = [mail.message_id for mail in CaughtMail.objects.all()]
    assert len(sent) == len(set(sent))


def test_a_comment_on_the_last_day_holds_and_the_term_resumes(site: Site) -> None:
    """A comment on day 5, by mail, holds silence; no objection: at least a day is left."""
    world = site.world
    site.clock.at = at(12, 3, 15)
    case = world.delivered(at=site.clock(), prove=False)
    site.work()
    window = case.windows.latest("pk")
    assert window.last_day.isoformat() == "2026-12-11"
    site.wait_until(at(12, 11, 23, 30))
    site.act("ana", case, "comment", text="Aún la estoy revisando")
    window.refresh_from_db()
    assert window.until is None
    site.wait_until(at(12, 14))
    assert stage_of(case) == Stage.DELIVERED
    site.refused("ana", case, "hold")
    site.act("sara", case, "hold", objection="no")
    window.refresh_from_db()
    assert window.last_day.isoformat() == "2026-12-15"
    site.wait_until(at(12, 16))
    assert stage_of(case) == Stage.ACCEPTED
    assert not site.complaints


def test_signing_in_by_the_code_that_is_mailed(site: Site) -> None:
    """Ana enters with her address and the code that arrives there, and lands where she was."""
    case = site.world.delivered()
    page = site.new_page()
    page.goto(f"{site.address}/cases/{case.number}")
    page.locator("input[type=email]").fill(site.world.ana.email)
    page.locator("main form button.primary").click()
    letter = site.letters_to("ana")[-1]
    code = code_in(bytes(letter.content))
    page.locator("main form input[type=text], main form input:not([type])").first.fill(code)
    page.locator("main form button.primary").first.click()
    assert page.url.endswith(f"/cases/{case.number}")
    assert case.subject in page.locator("main").inner_text()
    assert not site.complaints


def code_in(content: bytes) -> str:
    """The sign-in code of a mail: the one line that is nothing else."""
    import email
    from email import policy as mail_policy

    message = email.message_from_bytes(content, policy=mail_policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    lines = [line.strip() for line in body.get_content().splitlines()]
    return next(line for line in lines if 6 <= len(line) <= 12 and line.replace("-", "").isalnum())
