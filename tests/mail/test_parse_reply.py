"""The reply cutter: what is cut, and above all what is never cut (rules 14 and 15)."""

from __future__ import annotations

import textwrap

import pytest

from acuse.interfaces.mail.parse import parse
from acuse.interfaces.mail.reply import cut_reply
from tests.mail.samples import blocks, mail, multipart

WORDS = "Hola:\n\nSigue igual.\nPedido 4512 en 2026."
QUOTES = {
    "below": "\n> Buenos días.\n> Estamos en ello.",
    "apart": "\n\n> Buenos días.\n>\n> Estamos en ello.\n",
    "bare": "\n\nBuenos días.\nEstamos en ello.\n",
}


ATTRIBUTIONS = blocks("attributions.txt")
CERTAIN = [(a, shape) for a in ATTRIBUTIONS for shape in QUOTES if shape != "bare" or "@" in a]


@pytest.mark.parametrize("attribution", [a for a in ATTRIBUTIONS if "@" not in a])
def test_without_address_or_quote_marks_no_word_is_lost(attribution: str) -> None:
    cut = cut_reply(f"{WORDS}\n\n{attribution}{QUOTES['bare']}")
    assert cut.text.startswith(WORDS)


@pytest.mark.parametrize(("attribution", "shape"), CERTAIN)
def test_attribution_of_any_client_is_cut(attribution: str, shape: str) -> None:
    cut = cut_reply(f"{WORDS}\n\n{attribution}{QUOTES[shape]}")
    assert (cut.text, cut.cut) == (WORDS, True)


@pytest.mark.parametrize("attribution", blocks("attributions.txt"))
def test_attribution_glued_to_the_last_line_takes_no_word_of_it(attribution: str) -> None:
    assert cut_reply(f"{WORDS}\n{attribution}\n> Buenos días.\n> Sí.").text == WORDS


@pytest.mark.parametrize("width", [78, 72, 60, 50])
@pytest.mark.parametrize("attribution", blocks("attributions.txt"))
def test_wrapped_attribution_is_put_together(attribution: str, width: int) -> None:
    wrapped = textwrap.fill(
        " ".join(attribution.split()), width, break_long_words=False, break_on_hyphens=False
    )
    assert cut_reply(f"{WORDS}\n\n{wrapped}\n\n> Buenos días.\n> Sí.").text == WORDS


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("block", blocks("blocks.txt", r"\n%%\n"))
def test_header_block_of_any_client_is_cut(block: str, ending: str) -> None:
    text = f"{WORDS}\n\n{block}\n\nHola:\n\nEstamos en ello.\n".replace("\n", ending)
    assert cut_reply(text).text == WORDS


@pytest.mark.parametrize("words", blocks("kept.txt", r"\n%%\n"))
@pytest.mark.parametrize("frame", ["{}", "Hola:\n\n{}", "Hola:\n\n{}\n\nGracias.\nAna"])
def test_words_that_look_like_a_quote_stay(words: str, frame: str) -> None:
    text = frame.format(words)
    cut = cut_reply(text)
    assert (cut.text, cut.cut) == (text, False)


@pytest.mark.parametrize("line", blocks("signatures.txt", r"\n"))
def test_line_added_by_a_device_is_cut_at_the_end_only(line: str) -> None:
    assert cut_reply(f"{WORDS}\n\n{line}\n").text == WORDS
    assert cut_reply(line).text == line
    middle = f"{WORDS}\n\n{line}\n\nY otra cosa: no imprime."
    assert cut_reply(middle).text == middle


def test_signature_after_the_standard_mark_is_cut() -> None:
    assert cut_reply(f"{WORDS}\n-- \nAna Sosa\nCompras. Cliente, S.L.").text == WORDS
    assert cut_reply(f"{WORDS}\n--\nAna Sosa\nTel. 954 000 000").text == WORDS


def test_words_below_a_drawn_line_are_no_signature() -> None:
    text = f"{WORDS}\n--\nPD: tampoco funciona en el otro navegador. ¿Lo miráis?"
    assert cut_reply(text).text == text


def test_interleaved_answers_stay_whole() -> None:
    text = "El 2/2/26 a las 9:05, Mesa escribió:\n> ¿Qué versión?\nLa 3.2.\n> ¿Desde cuándo?\nAyer."
    assert cut_reply(text).text == text
    assert cut_reply("Contesto abajo.\n\n" + text).text == "Contesto abajo.\n\n" + text


def test_answer_below_one_quote_is_the_reply() -> None:
    text = "El 2/2/26 a las 9:05, Mesa escribió:\n\n> ¿Qué versión?\n>\n\nLa 3.2, creo.\n"
    assert cut_reply(text).text == "La 3.2, creo."


def test_answer_above_and_below_stays_whole() -> None:
    text = "Sí.\n\nEl 2/2/26 a las 9:05, Mesa escribió:\n> ¿Qué versión?\n\nLa 3.2, creo."
    assert cut_reply(text).text == text


def test_short_answer_between_quoted_lines_is_not_taken_for_a_torn_line() -> None:
    text = "Va:\n\nEl 2/2/26 a las 9:05, Mesa escribió:\n> ¿Versión?\nla 3.2\n> ¿Desde?\nayer"
    assert cut_reply(text).text == text


def test_line_torn_from_the_quote_by_wrapping_belongs_to_it() -> None:
    long = "> Le pedimos que nos diga con la mayor precisión posible desde qué día y a qué"
    text = f"{WORDS}\n\nEl 2/2/26 a las 9:05, Mesa escribió:\n{long}\nhora le pasa\n> Gracias."
    assert cut_reply(text).text == WORDS


def test_list_footer_below_the_quote_is_no_answer() -> None:
    text = (
        f"{WORDS}\n\nOn 2/2/26 9:05 AM, Jo Park wrote:\n> Hi\n\n____________________\n"
        "users mailing list\nhttps://lists.example/users\n"
    )
    assert cut_reply(text).text == WORDS


def test_unannounced_quote_at_the_end_is_cut() -> None:
    assert cut_reply(f"{WORDS}\n\n> Hola:\n> Estamos en ello.\n").text == WORDS


def test_reply_above_this_line_is_an_evidence_of_its_own() -> None:
    for mark in (
        "##- Responda por encima de esta línea -##",
        "--- Reply above this line ---",
        "##- Responda acima desta linha -##",
    ):
        assert cut_reply(f"{WORDS}\n\n{mark}\n\nSu caso C-7 cambió.").text == WORDS


def test_nothing_but_a_quote_shows_everything() -> None:
    text = "El 2 feb 2026, a las 9:05, Mesa <mesa@norte.example> escribió:\n\n> Hola.\n> Sí."
    cut = cut_reply(text)
    assert (cut.text, cut.cut) == (text, False)


def test_attribution_glued_behind_the_reply() -> None:
    text = "vale El lun, 2 feb 2026 a las 9:05, Mesa <mesa@norte.example> escribió:\n> Hola"
    assert cut_reply(text).text == "vale"


@pytest.mark.parametrize("last", ["Gracias", "Muchas gracias por la respuesta", "Va en 2026"])
def test_author_without_moment_takes_no_word_of_the_line_above(last: str) -> None:
    text = f"Hola:\n{last}\nMarta Ruiz <marta@norte.example> escribió:\n> Buenos días.\n> Sí."
    assert cut_reply(text).text == f"Hola:\n{last}"


CLIENT_HTML = {
    "gmail": '<div dir="ltr"><div>Sigue igual.</div><div>Gracias</div></div><br>'
    '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">El lun, 2 feb 2026 a las 9:05, '
    "Mesa (&lt;<a href='mailto:m@n.example'>m@n.example</a>&gt;) escribió:<br></div>"
    '<blockquote class="gmail_quote"><div>Hola</div></blockquote></div>',
    "gmail in a locale without table": "<div>Sigue igual.<br>Gracias</div><br>"
    '<div class="gmail_quote"><div class="gmail_attr">Zzz qqq Mesa vvv:<br></div>'
    '<blockquote class="gmail_quote">Hola</blockquote></div>',
    "outlook on the web": "<html><head><style>p{color:red}</style></head><body>"
    '<div class="elementToProof">Sigue igual.</div><div>Gracias</div>'
    '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Xx:</b> Mesa<br></div>'
    "<div>Hola</div></body></html>",
    "outlook": "<html><body><div class=WordSection1><p class=MsoNormal>Sigue igual.<o:p></o:p></p>"
    "<p class=MsoNormal>Gracias</p><p class=MsoNormal><o:p>&nbsp;</o:p></p>"
    "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>De:</b> Mesa &lt;m@n.example&gt;"
    "<br><b>Enviado el:</b> lunes, 2 de febrero de 2026 9:05<br><b>Para:</b> X<br>"
    "<b>Asunto:</b> RE: x</p></div><p>Hola</p></div></body></html>",
    "outlook on a phone": "<div>Sigue igual.</div><div>Gracias</div>"
    '<div id="divRplyFwdMsg"><b>Zzz</b> Mesa</div><div>Hola</div>',
    "thunderbird": "<p>Sigue igual.</p><p>Gracias</p>"
    '<div class="moz-cite-prefix">El 2/2/26 a las 9:05, Mesa escribió:<br></div>'
    '<blockquote type="cite"><p>Hola</p></blockquote>',
    "apple mail": "Sigue igual.<div>Gracias<br><div><br><blockquote type='cite'>"
    "<div>El 2 feb 2026, a las 9:05, Mesa &lt;m@n.example&gt; escribió:</div><div>Hola</div>"
    "</blockquote></div></div>",
    "yahoo": "<div>Sigue igual.</div><div>Gracias</div><div id='y' class='yahoo_quoted'>"
    "<div>El lunes, 2 de febrero de 2026, Mesa escribió:</div><div>Hola</div></div>",
}


@pytest.mark.parametrize("client", CLIENT_HTML)
def test_html_reply_is_cut_at_the_marks_of_the_client(client: str) -> None:
    found = parse(mail(CLIENT_HTML[client], subtype="html", subject="Re: Consulta"))
    assert found["reply_text"].split() == ["Sigue", "igual.", "Gracias"]
    assert "Hola" in found["text"]
    assert "\ue0f0" not in found["text"] + found["reply_text"]
    assert "\ue0f1" not in found["text"] + found["reply_text"]


def test_html_shows_a_quote_that_the_plain_part_hides() -> None:
    raw = multipart(
        "alternative",
        "Content-Type: text/plain; charset=utf-8\n\nSigue igual.\nGracias\n\nHola\nAdiós\n",
        "Content-Type: text/html; charset=utf-8\n\n<div>Sigue igual.<br>Gracias</div>"
        '<div id="divRplyFwdMsg"></div><div>Hola<br>Adiós</div>',
    )
    found = parse(raw)
    assert found["reply_text"] == "Sigue igual.\nGracias"
    assert "Adiós" in found["text"]


def test_html_answers_between_quotes_stay_whole() -> None:
    html = (
        "<div>El 2/2/26 a las 9:05, Mesa escribió:</div><blockquote>¿Versión?</blockquote>"
        "<div>La 3.2</div><blockquote>¿Desde?</blockquote><div>Ayer</div>"
    )
    reply = parse(mail(html, subtype="html"))["reply_text"]
    assert "La 3.2" in reply
    assert "Ayer" in reply


def test_indented_text_in_html_quotes_nobody() -> None:
    html = (
        "Pasos:<blockquote style='margin:0 0 0 40px;border:none;padding:0px'>abrir<br>guardar"
        "</blockquote>"
    )
    assert parse(mail(html, subtype="html"))["reply_text"] == "Pasos:\nabrir\nguardar"
