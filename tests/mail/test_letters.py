"""The letters themselves: complete, the same in both parts, safe to open, and answered cleanly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from django.test import Client

from acuse.actions import conversation, mail
from acuse.config import config
from acuse.interfaces.jobs import letters
from acuse.interfaces.jobs import notices as sending
from acuse.interfaces.mail import intake
from acuse.interfaces.mail.parse import parse
from acuse.interfaces.mail.quotes import REPLY_ABOVE_PHRASES
from acuse.models import Addressee, Case, LedgerLine, Mailbox, Notice, Person, RawMail
from acuse.policy.letters import REPLY_ABOVE
from tests.mail.clients import ATTRIBUTIONS, BLOCKS, WORDS, laid_out
from tests.mail.post import arrived, body, notices_of_every_kind, written
from tests.mail.samples import mail as plain_mail
from tests.mail.samples import multipart
from tests.world import START, World

LANGUAGES = ("es", "en", "pt")


def letter_of(notice: Notice, language: str) -> EmailMessage:
    Person.objects.filter(pk=notice.person_id).update(language=language)
    letter = letters.write(sending._load(notice.pk), START)
    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def letters_of_every_kind(world: World) -> Iterator[Notice]:
    """A notice of each kind of line to a user, the owner and somebody of the firm."""
    case = world.delivered("development")
    conversation.ask(world.on(case, "sara"), addressee=Addressee.USER, text="¿Cuál?")
    conversation.comment(world.on(case, "sara"), text="Una línea.\n\nOtra línea.")
    last_day = {"last_day": "2026-12-01"}
    yield from notices_of_every_kind(case, (world.ana, world.omar, world.paula), last_day)


class Page(HTMLParser):
    """The words that a reader sees, and the links."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.hidden = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag in ("title", "style") or "display: none" in (found.get("style") or ""):
            self.hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and tag in ("title", "style", "div"):
            self.hidden -= 1

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.hidden:
            self.words.append(" ".join(data.split()))


def test_every_letter_is_whole_and_the_same_in_both_parts(world: World) -> None:
    browser = Client()
    links: set[str] = set()
    for notice in letters_of_every_kind(world):
        kind = notice.line.kind
        for language in LANGUAGES:
            message = letter_of(notice, language)
            text, page = body(message), Page(body(message, "html"))
            flat = " ".join(text.split())
            for words in page.words:
                assert words in flat, f"{kind} {language}: {words!r} only in the HTML"
            assert page.links[0] in text
            if kind == "page":  # its own page, for who has signed in (tests/jobs/test_oncall.py)
                assert "/desk/oncall/pages/" in page.links[0]
                continue
            assert page.links[0].endswith(f"/cases/{notice.case.number}")
            assert set(page.links) == set(re.findall(r"https?://\S+", text))
            assert f'lang="{language}" dir="ltr"' in body(message, "html")
            assert text.startswith(f"-- {REPLY_ABOVE[language]} --")
            links |= set(page.links)
    before = LedgerLine.objects.count()
    for link in links:
        assert browser.get(link.removeprefix(config.host)).status_code in (200, 302)
    assert LedgerLine.objects.count() == before


def test_html_that_every_client_shows(world: World) -> None:
    case = world.report()
    for language in LANGUAGES:
        source = body(letter_of(Notice.objects.get(case=case, person=world.ana), language), "html")
        assert not re.search(r"<(?:img|script|link|form|iframe|video)\b|@import|url\(", source)
        assert '<meta name="color-scheme" content="light dark">' in source
        assert "prefers-color-scheme: dark" in source
        assert "max-width: 600px" in source
        assert source.count("<table") == source.count("</table>")
        button = re.search(r'<td class="button"[^>]*bgcolor[^>]*padding[^>]*><a ', source)
        assert button is not None
        assert len(source) < 20_000  # Gmail cuts at 102 KB


def test_the_line_above_is_the_one_that_the_cutter_knows() -> None:
    assert set(REPLY_ABOVE) == set(LANGUAGES)
    assert {words.lower() for words in REPLY_ABOVE.values()} <= set(REPLY_ABOVE_PHRASES)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


STYLES = sorted(
    {(language, f"attribution {client}") for language, client in ATTRIBUTIONS}
    | {(language, f"block {client}") for language in LANGUAGES for client in BLOCKS}
)
STYLES = [style for style in STYLES if style[0] in LANGUAGES]


def answers_of_every_client(letter: EmailMessage, language: str) -> Iterator[tuple[str, str, str]]:
    """(name, what the person wrote, what the cutter made of it)"""
    text, page = body(letter), body(letter, "html")
    inner = re.sub(r"(?s)^.*?<body[^>]*>|</body>.*$", "", page)
    for written_in, style in STYLES:
        if written_in != language:
            continue
        words, _, device = WORDS[language]
        client = style.split(" ", 1)[1]
        if style.startswith("attribution"):
            line = ATTRIBUTIONS[language, client]
            quotes = {"quoted": quoted(text)}
            if "@" in line and not client.startswith("horde"):  # the others always use marks
                quotes["bare"] = text
            for name, quote in quotes.items():
                found = parse(plain_mail(f"{words}\n\n{device}\n\n{line}\n\n{quote}"))
                yield f"{style} {name}", words, found["reply_text"]
        else:
            found = parse(plain_mail(f"{words}\n\n{laid_out(BLOCKS[client], language)}\n\n{text}"))
            yield style, words, found["reply_text"]
    words = WORDS[language][0].split("\n")[0]
    line = ATTRIBUTIONS[language, "thunderbird" if language != "pt" else "thunderbird_br"]
    wrapped = {
        "gmail": f'<div dir="ltr">{words}</div><br><div class="gmail_quote">'
        f'<div dir="ltr" class="gmail_attr">{line}<br></div>'
        f'<blockquote class="gmail_quote">{inner}</blockquote></div>',
        "outlook": f'<div class="WordSection1"><p>{words}</p><div><div style="border:none;'
        f'border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>'
        f"{laid_out(BLOCKS['outlook'], language).replace(chr(10), '<br>')}</b></p></div></div>"
        f"{inner}</div>",
        "outlook web": f'<div>{words}</div><div id="appendonsend"></div><hr>'
        f'<div id="divRplyFwdMsg">{laid_out(BLOCKS["outlook"], language)}</div>{inner}',
        "apple": f'<div>{words}</div><div><br><blockquote type="cite"><div>{line}</div><br>'
        f"<div>{inner}</div></blockquote></div>",
        "thunderbird": f'<p>{words}</p><div class="moz-cite-prefix">{line}<br></div>'
        f'<blockquote type="cite">{inner}</blockquote>',
        "nothing but our line": f"<div>{words}</div><div>{inner}</div>",
    }
    for client, source in wrapped.items():
        found = parse(plain_mail(source, subtype="html"))
        yield f"{client} html", words, found["reply_text"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_to_any_of_our_letters_is_cut_to_the_answer(world: World, language: str) -> None:
    told = {n.line.kind: n for n in letters_of_every_kind(world) if n.person_id == world.ana.pk}
    wrong = []
    for kind in ("open", "comment", "ask", "deliver", "remind", "validate_scope"):
        letter = letter_of(told[kind], language)
        for style, words, reply in answers_of_every_client(letter, language):
            if reply.strip() != words:
                wrong.append(f"{kind}, {style}: {reply[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_a_stranger_reads_nothing_that_the_mail_said(world: World) -> None:
    content = written(
        "GANE http://premio.example <eve@nowhere.example>",
        "Compre aquí http://premio.example",
        subject="PREMIO http://premio.example",
        message_id="premio@premio.example",
    )
    case = arrived(content).case
    assert case is not None
    message = letter_of(Notice.objects.get(case=case, person=case.reporter), "en")
    everything = [str(message["Subject"]), str(message["To"]), str(message["From"])]
    everything += [body(message), body(message, "html")]
    for text in everything:
        assert not re.search("premio|GANE|Compre", text, re.I), text
    assert message["To"] == "eve@nowhere.example"
    assert "Until we know which customer it is for, nothing is payable" in body(message)
    assert f"{config.host}/cases/{case.number}" in body(message)


def test_a_known_user_is_told_what_is_payable(world: World) -> None:
    case = world.report()
    message = letter_of(Notice.objects.get(case=case, person=world.ana), "en")
    assert "With this request you accept our service policies" in body(message)
    assert "Ana Ruiz" in str(message["To"])


def too_large(case_of: str, complete: bool) -> Case:
    content = multipart("mixed", "Content-Type: text/plain\n\nVa el informe.", **{"from": case_of})
    raw = mail.keep(content, Mailbox.objects.get(), arrived_at=START)
    RawMail.objects.filter(pk=raw.pk).update(size=62 * 1024 * 1024, complete=complete)
    intake.take_in(raw.pk, START)
    case = RawMail.objects.get(pk=raw.pk).case
    assert case is not None
    return case


@pytest.mark.parametrize("complete", [True, False])
def test_a_mail_too_large_is_answered_with_where_to_put_the_rest(
    world: World, complete: bool
) -> None:
    case = too_large("ana@andina.example", complete)
    message = letter_of(Notice.objects.get(case=case, person=world.ana), "en")
    for part in ("plain", "html"):
        assert ("too large for us" in body(message, part)) is not complete
        assert ("62.0" in body(message, part)) is not complete
        assert f"{config.host}/cases/{case.number}" in body(message, part)


def test_references_stay_few(world: World) -> None:
    case = arrived(written("ana@andina.example", message_id="root@andina.example")).case
    assert case is not None
    for number in range(12):
        conversation.comment(world.on(case, "sara"), text=f"{number}")
    for notice in Notice.objects.filter(case=case, person=world.ana):
        Notice.objects.filter(pk=notice.pk).update(sent_at=START)
    last = Notice.objects.filter(case=case, person=world.ana).latest("pk")
    references = str(letter_of(last, "es")["References"]).split()
    assert len(references) <= 10
    assert references[0] == "<root@andina.example>"
    assert len(set(references)) == len(references)
