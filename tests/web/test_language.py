"""Every page and letter in the reader's language: nothing is left in another, nothing is glued."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from gettext import GNUTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.translation import trans_real

import acuse
from acuse.actions import billing, conversation, life, watching
from acuse.interfaces.jobs import alarms, hours, letters
from acuse.interfaces.web import consequences
from acuse.interfaces.web.nouns import NOUNS
from acuse.models import (
    Addressee,
    Alarm,
    BankNews,
    Case,
    CaughtMail,
    ContractVersion,
    Message,
    Notice,
    Person,
)
from acuse.models.roles import roles_on
from acuse.policy import billing as billing_rules
from acuse.policy import coverage
from acuse.policy.billing import Activity
from acuse.policy.deadlines import DEADLINES
from acuse.policy.kinds import KINDS
from acuse.policy.refusals import REASONS
from acuse.policy.stages import ACTS, STAGES, Stage
from acuse.queries import dossier, words
from acuse.queries.health import AlarmName
from acuse.queries.sentence import SITUATIONS
from tests.desk.test_pages import addresses as desk_addresses
from tests.mail.samples import multipart
from tests.web.entering import Browser, StoppedClock
from tests.web.stages import case_in
from tests.web.test_files import FROM_ANA, ICS, arrive, part
from tests.world import START, World

Enter = Callable[[str], Browser]
SOURCE = Path(acuse.__file__).parent
TEMPLATES = SOURCE / "templates"
LANGUAGES = ("es", "pt")
# Words of English that are no word of Spanish or Portuguese.
ENGLISH = re.compile(
    r"\b(the|of|and|is|not|with|this|your|you|it|was|when|who|what|cannot|must|been|from"
    r"|are|have|will|until|since|accept|reject|case|cases|time|version|delivery|customer)\b",
    re.I,
)
SEEN_BY_PEOPLE = {"title", "aria-label", "placeholder", "alt", "data-label", "label"}
# Time zones, and what the firm of the tests named itself in words that we have too.
GIVEN = {name.replace("_", " ") for name in available_timezones()}
GIVEN |= {"Soporte", "Reunión", "Políticas"}
# What templates write themselves: names of things, alike in every language.
NAMES = re.compile(r"\b(Acuse|N[123]|MB|HTML|IMAP|English|Português|Español)\b")
TRANSLATORS = {
    "_",
    "N_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


class Texts(HTMLParser):
    """The texts of a page, one by one, as people and screen readers get them; not what is marked
    as no language's own, such as the names of a mail's headers."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skipped = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SEEN_BY_PEOPLE and value]
        if tag in ("script", "style") or ("translate", "no") in attrs:
            self._skipped = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""

    def handle_data(self, data: str) -> None:
        if not self._skipped and data.strip():
            self.found.append(" ".join(data.split()))


def catalogue(language: str) -> Any:
    """Every text known in a language, ours and those of the libraries."""
    return vars(trans_real.translation(language))["_catalog"]


@cache
def of_another(language: str) -> frozenset[str]:
    """Our texts that read otherwise in this language: in Spanish or Portuguese the English ones,
    in English both others."""
    pairs: set[tuple[str, str]] = set()
    for other in LANGUAGES if language == "en" else (language,):
        with (SOURCE / "locale" / other / "LC_MESSAGES" / "django.mo").open("rb") as file:
            known = GNUTranslations(file)._catalog.items()  # type: ignore[attr-defined]
        pairs |= {(told, text) for text, told in known if isinstance(text, str) and text}
    if language != "en":
        pairs = {(text, told) for told, text in pairs}
    return frozenset(shown for shown, wanted in pairs if shown != wanted and "%(" not in shown)


@pytest.fixture
def untranslated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Collects what is asked for in a language that has no word for it."""
    missing: list[tuple[str, str]] = []
    real = vars(translation)["_trans"]

    def note(text: str, form: int | None = None) -> None:
        language = translation.get_language() or ""
        key = text.replace("\r\n", "\n") if form is None else (text, form)
        if language in LANGUAGES and text and key not in catalogue(language):
            missing.append((language, text))

    plain, plural, contextual = trans_real.gettext, trans_real.ngettext, trans_real.pgettext

    def gettext(message: str) -> str:
        note(message)
        return plain(message)

    def ngettext(singular: str, many: str, number: int) -> str:
        note(singular, 0)
        return plural(singular, many, number)

    def pgettext(context: str, message: str) -> str:
        note(f"{context}\x04{message}")
        return contextual(context, message)

    for name, spy in (("gettext", gettext), ("ngettext", ngettext), ("pgettext", pgettext)):
        monkeypatch.setattr(real, name, spy, raising=False)
    return missing


# Pages that the catalogue visits in each language (test_language_of_every_page.py).
OF_THE_CATALOGUE = {
    "desk/absences.html",
    "desk/agents.html",
    "desk/board.html",
    "desk/calendar_form.html",
    "desk/call.html",
    "desk/checklist.html",
    "desk/checklists.html",
    "desk/composer_page.html",
    "desk/composer_sending.html",
    "desk/day.html",
    "desk/disruption.html",
    "desk/disruptions.html",
    "desk/estimates.html",
    "desk/fragment.html",
    "desk/import.html",
    "desk/inbox_results.html",
    "desk/new_disruption.html",
    "desk/new_import.html",
    "desk/oncall.html",
    "desk/oncall_hook.html",
    "desk/oncall_hooks.html",
    "desk/oncall_page.html",
    "desk/oncall_state.html",
    "desk/oncall_turns.html",
    "desk/palette.html",
    "desk/pieces.html",
    "desk/policies.html",
    "desk/policy.html",
    "desk/policy_form.html",
    "desk/present.html",
    "desk/reply_template.html",
    "desk/reply_templates.html",
    "desk/routing.html",
    "desk/routing_rule.html",
    "desk/routing_tabs.html",
    "desk/send_again.html",
    "desk/settings.html",
    "desk/skills.html",
    "desk/table.html",
    "desk/table_form.html",
    "desk/tables.html",
    "desk/ticking.html",
    "desk/timer.html",
    "desk/triage.html",
    "desk/triage_done.html",
    "desk/unsent.html",
    "desk/unsent_rows.html",
    "desk/vocabulary.html",
    "desk/word.html",
    "desk/work.html",
    "desk/work_state.html",
    "desk/works.html",
    "mail/digest.html",
    "mail/digest.txt",
    "mail/disruption.html",
    "mail/disruption.txt",
    "portal/documents.html",
    "portal/similar.html",
    "shared/kept_file.html",
    "shared/notices.html",
    "shared/receipt.txt",
}


def fault_of(texts: list[str], language: str) -> str:
    """The first text that is not in this language, or nothing."""
    wrong = of_another(language)
    for text in texts:
        if text.startswith("http") or text in GIVEN or NAMES.fullmatch(text):
            continue
        if text in wrong or (language != "en" and ENGLISH.search(text)):
            return text
    return ""


def look(browser: Client, address: str, language: str, asked: int = 200) -> str:
    """A page as it is shown; what is wrong with its language."""
    return read(browser.get(address), address, language, asked)


def read(response: Any, address: str, language: str, asked: int = 200) -> str:
    assert response.status_code == asked, address
    html = response.content.decode()
    assert f'<html lang="{language}"' in html, address
    fault = fault_of(Texts(html).found, language)
    return f"{address}: {fault}" if fault else ""


@pytest.fixture
def rendered() -> Iterator[set[str]]:
    """The names of our templates that were rendered."""
    names: set[str] = set()

    def note(template: Any, **_more: Any) -> None:
        names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


@pytest.fixture
def caught(db: None) -> CaughtMail:
    message = EmailMessage()
    message["Subject"] = "[C-1] Recibido"
    message["From"] = "soporte@example.com"
    message.set_content("Recibimos su caso.")
    return CaughtMail.objects.create(
        sender="soporte@example.com",
        recipients=["ana@andina.example"],
        subject="[C-1] Recibido",
        content=message.as_bytes(),
    )


def told_in(language: str) -> None:
    Person.objects.update(language=language)


def full_case(world: World) -> Case:
    """A case on which much beside the main line has happened, up to its billing statement."""
    case = world.working()
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Desde cuándo?")
    conversation.answer(world.on(case, "ana"), wait=case.waits.get(), text="Desde ayer.")
    for minutes in (60, 30):
        billing.log_time(
            world.on(case, "carlos"),
            work_date=START.date(),
            minutes=minutes,
            activity=Activity.EXECUTION,
            text="Se ajusta el reporte",
        )
    life.deliver(
        world.on(case, "carlos"), deliverable=case.deliverables.get(proposal=False), text="Listo"
    )
    world.prove(case)
    life.accept(world.on(case, "ana"), version=case.versions.latest("pk"))
    billing.submit_time(world.on(case, "carlos"))
    billing.approve_time(world.on(case, "ana"), entries=list(case.time.filter(billable=True)))
    billing.issue_statement(world.on(case, "mario"))
    return case


def service_pages(world: World) -> tuple[list[str], BankNews]:
    """The desk's pages of customers, contracts and monitoring, with something on each; and what
    is told of an hour bank."""
    facts = watching.CheckFacts("Portal", "http", "https://portal.andina.example/")
    check = watching.add_check(world.production, facts, by=world.mario, at=START)
    source, _token = watching.add_source(
        world.production, "Prometheus", "group", by=world.mario, at=START
    )
    version = ContractVersion.objects.filter(contract__organisation=world.andina).latest("number")
    news = BankNews.objects.create(
        contract=version.contract,
        version=version,
        kind="used_up",
        period_from=START.date(),
        last_day=START.date(),
        left=0,
        at=START,
    )
    customer, place = f"/desk/customers/{world.andina.pk}", world.production.pk
    contract = f"/desk/contracts/{version.contract_id}"
    return [
        "/desk/customers/new",
        f"{customer}/facts",
        f"{customer}/area/new",
        f"{customer}/environment/{place}",
        f"{customer}/contracts/new",
        contract,
        f"{contract}/versions/new",
        f"/desk/people/{world.ana.pk}/facts",
        "/desk/monitoring",
        f"/desk/monitoring/{place}",
        f"/desk/monitoring/{place}/checks",
        f"/desk/checks/{check.pk}",
        f"/desk/alert-sources/{source.pk}",
    ], news


def letter_texts(content: bytes) -> list[str]:
    """What a letter says: its subject, its text and its HTML, line by line."""
    letter = message_from_bytes(content, policy=policy.default)
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    return [letter["Subject"], *plain.get_content().splitlines(), *Texts(html.get_content()).found]


def calendar_file(name: str, content: str) -> str:
    placed = {"Content-Disposition": f'attachment; filename="{name}"'}
    return part("text/calendar; charset=utf-8", content.encode(), **placed)


# A meeting, and whole days without a title, repeated and called off.
INVITED = ICS.format(method="REQUEST")
CALLED_OFF = (
    "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261120\r\n"
    "DTEND;VALUE=DATE:20261122\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
RICH = multipart(
    "mixed",
    "Content-Type: text/html; charset=utf-8\n\n<p>Mire <b>esto</b></p>",
    calendar_file("cita.ics", INVITED),
    calendar_file("anulada.ics", CALLED_OFF),
    **FROM_ANA,
)


@pytest.fixture
def mailed(world: World) -> Message:
    """What Ana wrote by mail: in HTML, with invitations."""
    return arrive(world, RICH).messages.get()


@pytest.fixture
def sounding(db: None) -> list[Alarm]:
    """Every alarm there is."""
    return [
        Alarm.objects.create(name=name, about="soporte@example.com", detail="2", raised_at=START)
        for name in AlarmName
    ]


def look_at_mail(browsers: dict[str, Browser], mailed: Message, language: str) -> list[str]:
    """A mail as both doors and the desk's own page show it; what is wrong with the pages."""
    faults = [look(browsers["mario"], f"/desk/mail/{mailed.raw_mail_id}", language)]
    for short in ("ana", "mario"):
        browser = browsers[short]
        address = browser.case_url(mailed.case, f"messages/{mailed.pk}")
        faults.append(look(browser, address, language))
        frame = browser.get(f"{address}/html")
        assert frame.status_code == 200
        # the sender's words and none of ours
        assert Texts(frame.content.decode()).found == ["Mire", "esto"]
    return faults


def enter_by_code(language: str) -> list[str]:
    """Signs in and out again, with wrong codes on the way; what is wrong with the pages."""
    client = Client(headers={"Accept-Language": language})
    faults = [look(client, "/accounts/login/", language)]
    for wrong in ("", "ana"):
        refused = client.post("/accounts/login/code/", {"email": wrong})
        faults.append(read(refused, "a wrong address", language))
    client.post("/accounts/login/code/", {"email": "ana@andina.example"}, follow=True)
    sent = mail.outbox[-1]
    assert not str(sent.subject).startswith("[")  # no address of a site before it
    faults.append(fault_of([str(sent.subject), *str(sent.body).splitlines()], language))
    confirm = "/accounts/login/code/confirm/"
    for wrong in ("", "AAAA-AAAA"):
        faults.append(read(client.post(confirm, {"code": wrong}), "a wrong code", language))
    code = next(line for line in str(sent.body).split() if re.fullmatch(r"[A-Z0-9-]{4,}", line))
    faults.append(read(client.post(confirm, {"code": code}, follow=True), confirm, language))
    faults.append(look(client, "/accounts/logout/", language))
    client.post("/accounts/logout/")
    return faults


def right_one(world: World, act: str, case: Case, clock: StoppedClock) -> str:
    """Somebody who may do the act on this case."""
    people = ("ana", "omar", "sara", "carlos", "paula", "mario")
    return next(p for p in people if ACTS[act].who & roles_on(case, world.people[p], clock.at))


def test_every_page_and_letter_is_in_the_readers_language(
    world: World,
    enter: Enter,
    clock: StoppedClock,
    untranslated: list[tuple[str, str]],
    rendered: set[str],
    caught: CaughtMail,
    mailed: Message,
    sounding: list[Alarm],
) -> None:
    cases = {stage: case_in(world, stage) for stage in Stage}
    full = full_case(world)
    conversation.comment(world.on(cases[Stage.DELIVERED], "ana"), text="¿Incluye el IVA?")
    service, news = service_pages(world)
    faults: list[str] = []
    for language in (*LANGUAGES, "en"):
        told_in(language)
        browsers = {short: enter(short) for short in world.people}
        ana, mario = browsers["ana"], browsers["mario"]
        faults.append(look(ana, "/status", language))
        for address in ("/", "/?state=ended", "/report", "/organisation", "/policy", "/profile"):
            faults.append(look(ana, address, language))
        for address in ("/demo/", f"/demo/mail/{caught.pk}", "/profile"):
            faults.append(look(mario, address, language))
        for address in [*desk_addresses(world, full), *service]:
            faults.append(look(mario, address, language))
        faults.append(look(browsers["sara"], "/desk/people/new", language, 403))
        for case in (*cases.values(), full):
            for short in ("ana", "omar", "paula"):
                faults.append(look(browsers[short], browsers[short].case_url(case), language))
            faults.append(look(ana, f"/cases/{case.number}/receipts/1", language))
        for act, noun in NOUNS.items():
            for may in (True, False):
                stage = next((s for s in Stage if (s in ACTS[act].stages) is may), None)
                if stage is not None:
                    case = cases[stage]
                    browser = browsers[right_one(world, act, case, clock)]
                    address = browser.case_url(case, noun)
                    faults.append(look(browser, address, language, 200 if may else 409))
        for stage, noun in ((Stage.AUTHORIZATION, "authorization"), (Stage.ACCEPTED, "closure")):
            asked = ana.send(cases[stage], noun, confirmed=False)
            faults.append(read(asked, noun, language))
        faults += enter_by_code(language)
        with translation.override(language):
            for status in ("400", "403", "404", "expired"):
                texts = Texts(render_to_string(f"errors/{status}.html")).found
                faults.append(fault_of(texts, language))
        for notice in Notice.objects.distinct("line__kind", "person").select_related(
            "person", "line"
        ):
            written = letters.write(notice, clock.at).content
            faults.append(fault_of(letter_texts(written), language))
        mario.person.refresh_from_db()
        alarm = alarms.letter(mario.person, sounding, clock.at)
        faults.append(fault_of(letter_texts(alarm), language))
        told = hours.letter(mario.person, news, clock.at)
        faults.append(fault_of(letter_texts(told), language))
        faults += look_at_mail(browsers, mailed, language)
    assert sorted({fault for fault in faults if fault}) == []
    assert [asked for asked in untranslated if not NAMES.fullmatch(asked[1])] == []
    ours = {p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.*")}
    assert ours - rendered - OF_THE_CATALOGUE == set()


TABLES: dict[str, list[str]] = {
    "roles": list(words.ROLES.values()),
    "words": [
        word
        for name, table in vars(words).items()
        if name.isupper() and not name.startswith("_") and isinstance(table, dict)
        for word in table.values()
        if isinstance(word, str)
    ],
    "stages": [label for row in STAGES.values() for label in (row.desk, row.customer)],
    "acts": [act.label for act in ACTS.values()],
    "ledger": [kind.sentence for kind in KINDS.values()],
    "deadlines": [kind.label for kind in DEADLINES.values()],
    "why": list(dossier.WHY.values()),
    "sentences": [said for both in SITUATIONS.values() for said in both],
    "refusals": list(REASONS.values()),
    "cover": list(coverage.CONDITIONS.values()),
    "billing": list(billing_rules.REASONS.values()),
    "choices": [t for row in consequences.CHOICES for t in (row.yes, row.no, row.silence) if t],
    "confirmations": list(consequences.CONFIRMATIONS.values()),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", list(TABLES))
def test_every_word_of_the_tables_has_its_translation(table: str, language: str) -> None:
    assert TABLES[table]
    known = catalogue(language)
    assert [word for word in TABLES[table] if word not in known] == []


@pytest.mark.parametrize("language", [*LANGUAGES, "en"])
def test_dates_and_amounts_are_written_as_in_the_language(language: str) -> None:
    day, amount = {
        "es": ("martes 1 de diciembre de 2026", "1.234,50 COP"),
        "pt": ("1 de dezembro de 2026 (terça-feira)", "1.234,50 COP"),
        "en": ("Tuesday, 1 December 2026", "1,234.50 COP"),
    }[language]
    with translation.override(language):
        assert words.long_date("2026-12-01") == day
        assert words.money(Decimal("1234.50"), "COP") == amount


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text())


def is_translation(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in TRANSLATORS
    )


def test_no_text_of_the_code_is_glued_together() -> None:
    """A sentence made of pieces cannot be translated: neither what goes into a translation nor
    what comes out of it is put together from parts, and no text begins or ends with a space."""
    glued: list[str] = []
    marked = 0
    for path, tree in sources():
        for node in ast.walk(tree):
            wrong = False
            if is_translation(node):
                assert isinstance(node, ast.Call)
                marked += 1
                wrong = any(isinstance(arg, ast.JoinedStr | ast.BinOp) for arg in node.args)
                wrong |= any(
                    isinstance(arg, ast.Constant)
                    and isinstance(arg.value, str)
                    and arg.value != arg.value.strip()
                    for arg in node.args
                )
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                wrong = is_translation(node.left) or is_translation(node.right)
            elif isinstance(node, ast.JoinedStr):
                wrong = any(
                    isinstance(part, ast.FormattedValue) and is_translation(part.value)
                    for part in node.values
                )
            if wrong:
                assert isinstance(node, ast.expr)
                glued.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert marked > 500
    assert glued == []


@pytest.mark.parametrize(
    "template", sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.*"))
)
def test_a_template_writes_no_words_of_its_own(template: str) -> None:
    source = (TEMPLATES / template).read_text()
    for told in ("blocktranslate", "comment", "block density"):
        end = told.partition(" ")[0]
        source = re.sub(rf"{{% {told}\b.*?{{% end{end}.*?%}}", " ", source, flags=re.S)
    source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", " ", source, flags=re.S)
    said = " ".join(Texts(source).found) if template.endswith(".html") else source
    assert re.findall(r"[^\W\d_]{2,}", NAMES.sub(" ", said)) == []
