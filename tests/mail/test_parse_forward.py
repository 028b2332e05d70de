"""Forwarded mails (rule 18): the original author is found, answers are not forwards."""

from __future__ import annotations

import pytest

from acuse.interfaces.mail.parse import parse
from tests.mail.samples import blocks, mail, multipart


@pytest.mark.parametrize("sample", blocks("forwards.txt", r"\n%%\n"))
def test_original_of_a_forward(sample: str) -> None:
    subject, _, body = sample.partition("\n")
    found = parse(mail(body, subject=subject))["forwarded"]
    assert found["from_email"] == "nora.paz@tienda.example"
    assert found["from_name"] == "Nora Paz"
    assert found["subject"] in ("Pedido sin llegar", "")
    assert "El pedido 881 no llegó." in found["body"]
    assert "881" not in found["before"]
    assert found["certain"] is True


def test_words_of_the_forwarding_person_are_kept_apart() -> None:
    subject, _, body = blocks("forwards.txt", r"\n%%\n")[0].partition("\n")
    found = parse(mail(body, subject=subject))
    assert found["forwarded"]["before"] == "Os paso lo que dice el cliente."
    assert found["reply_text"] == "Os paso lo que dice el cliente."


@pytest.mark.parametrize("prefix", ["Re: ", "RE: ", "RES: ", "AW: ", "Re[2]: "])
@pytest.mark.parametrize("block", blocks("blocks.txt", r"\n%%\n"))
def test_answer_in_the_shape_of_a_forward_is_no_forward(block: str, prefix: str) -> None:
    assert (
        parse(mail(f"Sigue igual.\n\n{block}\n\nHola", subject=prefix + "x"))["forwarded"] is None
    )


def test_answer_without_prefix_but_with_in_reply_to_is_no_forward() -> None:
    block = blocks("blocks.txt", r"\n%%\n")[0]
    raw = mail(f"Sigue igual.\n\n{block}\n\nHola", in_reply_to="<7@firma.example>")
    assert parse(raw)["forwarded"] is None


@pytest.mark.parametrize("words", blocks("kept.txt", r"\n%%\n"))
@pytest.mark.parametrize("subject", ["Consulta", "Re: Consulta", "Fwd: Consulta"])
def test_ordinary_words_are_no_forward(words: str, subject: str) -> None:
    assert parse(mail(words, subject=subject))["forwarded"] is None


def test_forward_as_attached_message() -> None:
    raw = multipart(
        "mixed",
        "Content-Type: text/plain\n\nOs lo paso.",
        "Content-Type: message/rfc822\n\nFrom: Nora Paz <nora.paz@tienda.example>\n"
        "Subject: Pedido sin llegar\n\nEl pedido 881 no llegó.\n",
        subject="RV: Pedido sin llegar",
    )
    found = parse(raw)
    assert found["forwarded"]["from_email"] == "nora.paz@tienda.example"
    assert found["forwarded"]["before"] == "Os lo paso."
    assert found["attachments"][0]["kind"] == "message"


def test_attached_message_without_a_forwarding_subject_is_only_a_file() -> None:
    raw = multipart(
        "mixed",
        "Content-Type: text/plain\n\nAdjunto el correo.",
        "Content-Type: message/rfc822\n\nFrom: Nora <n@t.example>\n\nHola\n",
    )
    assert parse(raw)["forwarded"] is None
