"""The replies of every client in every language: the exact words, whatever the style (rule 15)."""

from __future__ import annotations

import html

import pytest

from acuse.interfaces.mail.parse import parse
from tests.mail.clients import ATTRIBUTIONS, BLOCKS, FORWARDS, LABELS, WORDS, laid_out
from tests.mail.samples import mail, multipart

DISCLAIMER = (
    "Este mensaje y sus adjuntos son confidenciales; si usted no es su destinatario,\n"
    "bórrelo y avise a quien lo envió. This message is confidential."
)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def reply_of(body: str, **headers: str) -> str:
    found = parse(mail(body, subject="Re: Consulta", in_reply_to="<a@norte.example>", **headers))
    return str(found["reply_text"])


ATTRIBUTED = sorted(ATTRIBUTIONS)


@pytest.mark.parametrize(("language", "client"), ATTRIBUTED)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_top_posting(language: str, client: str, gap: str) -> None:
    words, theirs, _ = WORDS[language]
    line = ATTRIBUTIONS[language, client]
    assert reply_of(f"{words}\n\n{line}{gap}{quoted(theirs)}\n") == words


# Without quote marks the line needs an address and, to be told from a person's words, a moment.
CERTAIN = [key for key in ATTRIBUTED if "@" in ATTRIBUTIONS[key] and not key[1].startswith("horde")]


@pytest.mark.parametrize(("language", "client"), CERTAIN)
def test_top_posting_without_quote_marks(language: str, client: str) -> None:
    words, theirs, _ = WORDS[language]
    line = ATTRIBUTIONS[language, client]
    assert reply_of(f"{words}\n\n{line}\n\n{theirs}\n") == words


@pytest.mark.parametrize(("language", "client"), ATTRIBUTED)
def test_signature_and_disclaimer(language: str, client: str) -> None:
    words, theirs, device = WORDS[language]
    line = ATTRIBUTIONS[language, client]
    if device:
        assert reply_of(f"{words}\n\n{device}\n\n{line}\n{quoted(theirs)}\n") == words
    signed = f"{words}\n\n-- \nAna Sosa\nCompras\n\n{line}\n\n{quoted(theirs)}\n\n{DISCLAIMER}\n"
    assert reply_of(signed).startswith(words)


@pytest.mark.parametrize(("language", "client"), ATTRIBUTED)
def test_bottom_posting(language: str, client: str) -> None:
    words, theirs, _ = WORDS[language]
    line = ATTRIBUTIONS[language, client]
    assert reply_of(f"{line}\n{quoted(theirs)}\n\n{words}\n") == words


@pytest.mark.parametrize(("language", "client"), ATTRIBUTED)
def test_answers_between_the_lines_stay_whole(language: str, client: str) -> None:
    words, theirs, _ = WORDS[language]
    first, last = words.split("\n\n")
    one, two = theirs.split("\n")
    line = ATTRIBUTIONS[language, client]
    body = f"{line}\n> {one}\n\n{first}\n\n> {two}\n\n{last}"
    kept = reply_of(body)
    assert {part for part in (first, two, last) if part in kept} == {first, two, last}


@pytest.mark.parametrize("language", sorted(LABELS))
@pytest.mark.parametrize("client", sorted(BLOCKS))
def test_header_block(language: str, client: str) -> None:
    words, theirs, device = WORDS[language]
    block = laid_out(BLOCKS[client], language)
    assert reply_of(f"{words}\n\n{block}\n\n{theirs}\n") == words
    if device:
        assert reply_of(f"{words}\n\n{device}\n{block}\n\n{theirs}\n") == words


def in_html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


HTML = {
    "gmail": '<div dir="ltr">{words}</div><br><div class="gmail_quote gmail_quote_container">'
    '<div dir="ltr" class="gmail_attr">{line}<br></div><blockquote class="gmail_quote"'
    ' style="margin:0px 0px 0px 0.8ex;border-left:1px solid">{theirs}</blockquote></div>',
    "outlook_web": '<div class="elementToProof">{words}</div><div id="appendonsend"></div>'
    '<hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">'
    "<b>X:</b> Nora Paz</div><div>{theirs}</div>",
    "outlook_reference": '<div>{words}</div><div id="mail-editor-reference-message-container">'
    '<div class="ms-outlook-mobile-reference-message"><b>X:</b> Nora</div>{theirs}</div>',
    "outlook_mac": '<div>{words}</div><span id="OLK_SRC_BODY_SECTION"><div><b>X:</b> Nora</div>'
    "{theirs}</span>",
    "thunderbird": '<p>{words}</p><div class="moz-cite-prefix">{line}<br></div>'
    '<blockquote type="cite" cite="mid:1@x">{theirs}</blockquote>',
    "apple": '{words}<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite">'
    "<div>{line}</div><br><div>{theirs}</div></blockquote></div>",
    "yahoo": '<div class="ydp1a2bcyahoo-style-wrap"><div>{words}</div></div>'
    '<div id="ydp9yahoo_quoted_12" class="ydp9yahoo_quoted"><div>{line}</div>'
    "<div>{theirs}</div></div>",
    "proton": '<div>{words}</div><div class="protonmail_quote">{line}<br>'
    '<blockquote class="protonmail_quote" type="cite">{theirs}</blockquote></div>',
    "zimbra": '<div>{words}</div><hr id="zwchr" data-marker="__DIVIDER__">'
    '<div data-marker="__HEADERS__"><b>X: </b>Nora</div><div>{theirs}</div>',
    "roundcube": '<p>{words}</p><p id="reply-intro">{line}</p>'
    '<blockquote type="cite" style="padding: 0 0.4em">{theirs}</blockquote>',
    "spark": '<div name="messageBodySection">{words}</div><div name="messageReplySection">{line}'
    '<br><blockquote type="cite">{theirs}</blockquote></div>',
    "gmx": '<div>{words}<div name="quote" style="margin:10px 5px"><div><b>X:</b> Nora</div>'
    '<div name="quoted-content">{theirs}</div></div></div>',
    "netease": '<div>{words}</div><blockquote id="isReplyContent">{line}<br>{theirs}</blockquote>',
}


@pytest.mark.parametrize("client", sorted(HTML))
@pytest.mark.parametrize("language", ["es", "pt", "en", "fr", "ja"])
@pytest.mark.parametrize("alone", [True, False])
def test_html(client: str, language: str, alone: bool) -> None:
    """Alone, or beside a plain text that shows no quote."""
    words, theirs, _ = WORDS[language]
    line = next(text for key, text in ATTRIBUTIONS.items() if key[0] == language)
    if client == "apple" and not alone:
        page = f"{words}\n\n> {line}\n> \n{quoted(theirs)}"
        assert reply_of(page) == words  # its plain text carries the marks
        return
    page = HTML[client].format(words=in_html(words), line=in_html(line), theirs=in_html(theirs))
    page = f"<html><head><style>p {{margin: 0}}</style></head><body>{page}</body></html>"
    if alone:
        raw = mail(page, subtype="html", subject="Re: Consulta")
    else:
        plain = f"Content-Type: text/plain; charset=utf-8\n\n{words}\n\nNora Paz\n\n{theirs}"
        rich = f"Content-Type: text/html; charset=utf-8\n\n{page}"
        raw = multipart("alternative", plain, rich, subject="Re: Consulta")
    assert parse(raw)["reply_text"] == words


MARKS = {"es": "RV: ", "pt": "ENC: ", "fr": "TR: ", "de": "WG: ", "it": "I: ", "pl": "PD: "}


@pytest.mark.parametrize("language", sorted(LABELS))
@pytest.mark.parametrize("client", sorted(FORWARDS))
@pytest.mark.parametrize("note", ["", "Nota.\n\n"])
def test_forward(language: str, client: str, note: str) -> None:
    block = laid_out(FORWARDS[client], language)
    theirs = WORDS[language][1]
    body = quoted(theirs) if client == "apple" else theirs
    found = parse(mail(f"{note}{block}\n\n{body}\n", subject=MARKS.get(language, "Fwd: ") + "x"))
    forward = found["forwarded"]
    assert forward is not None
    assert forward["from_email"] == "nora.paz@norte.example"
    assert forward["from_name"] == "Nora Paz"
    assert forward["subject"].strip() == "Consulta"
    assert forward["before"] == note.strip()


@pytest.mark.parametrize("language", ["es", "pt", "en"])
def test_quote_that_a_phone_announces_inside_itself(language: str) -> None:
    words, theirs, device = WORDS[language]
    line = ATTRIBUTIONS[language, {"es": "iphone", "pt": "apple_br", "en": "apple_us"}[language]]
    quote = quoted(f"{line}\n\n{theirs}")
    assert reply_of(f"{words}\n\n{device}\n\n{quote}\n") == words
    assert reply_of(f"{words}\nGracias:\n\n{quote}\n") == f"{words}\nGracias:"


def test_credited_mail_is_quoted_unless_its_sender_introduces_it() -> None:
    pasted = "Eva Sanz <eva@tienda.example> escribió:\n\nNo me ha llegado."
    assert reply_of(f"Vale.\n\n{pasted}") == "Vale."
    assert reply_of(f"El cliente dice:\n\n{pasted}") == f"El cliente dice:\n\n{pasted}"
    assert reply_of(pasted) == pasted
