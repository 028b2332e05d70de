"""Automatic mail and bounces: robots are known, people never are taken for one (rule 11)."""

from __future__ import annotations

import pytest

from acuse.interfaces.mail.bounce import read_statuses
from acuse.interfaces.mail.parse import parse
from tests.mail.samples import blocks, mail, multipart


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("auto_submitted", "auto-replied", "auto_replied"),
        ("auto_submitted", "auto-generated (disk full)", "auto_generated"),
        ("auto_submitted", "Auto-Notified; owner-email=x@y.example", "auto_generated"),
        ("x_autoreply", "yes", "auto_replied"),
        ("x_autorespond", "Re: hola", "auto_replied"),
        ("x_auto_response_suppress", "All", "vendor"),
        ("x_auto_response_suppress", "DR, OOF, AutoReply", "vendor"),
        ("precedence", "auto_reply", "auto_replied"),
        ("precedence", "bulk", "bulk"),
        ("precedence", "junk", "bulk"),
        ("precedence", "list", "list"),
        ("list_id", "<lista.example>", "list"),
        ("list_unsubscribe", "<https://lista.example/u>", "list"),
        ("subject", "Automatic reply: Your case", "subject"),
        ("subject", "Respuesta automática: Su caso", "subject"),
        ("subject", "Resposta automática: O seu caso", "subject"),
        ("subject", "Réponse automatique : votre dossier", "subject"),
        ("subject", "Automatische Antwort: Ihr Fall", "subject"),
        ("subject", "Auto: fuera", "subject"),
        ("subject", "Fuera de la oficina", "subject"),
        ("subject", "Fuera de oficina: vuelvo el lunes", "subject"),
        ("subject", "Fora do escritório: volto segunda", "subject"),
        ("subject", "Ausência temporária", "subject"),
        ("subject", "Out of Office Re: Your case", "subject"),
        ("subject", "Abwesenheitsnotiz", "subject"),
    ],
)
def test_automatic_mail(header: str, value: str, reason: str) -> None:
    found = parse(mail("Texto.", **{header: value}))
    assert (found["auto_submitted"], found["auto_reason"]) == (True, reason)
    assert found["bounce"] is False


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("auto_submitted", "auto-replied (vacation)"),
        ("x_autoreply", "yes"),
        ("subject", "Fuera de la oficina"),
        ("subject", "Ausência temporária"),
        ("subject", "Automatic reply: Your case"),
        ("x_apple_action", "VACATION"),
    ],
)
def test_absence_notices(header: str, value: str) -> None:
    assert parse(mail("Vuelvo el lunes.", **{header: value}))["out_of_office"] is True


def test_system_mail_is_no_absence() -> None:
    assert parse(mail("x", auto_submitted="auto-generated"))["out_of_office"] is False
    assert parse(mail("x", list_id="<l.example>"))["out_of_office"] is False


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("auto_submitted", "no"),
        ("x_autoreply", "no"),
        ("subject", "Re: Respuesta automática: Su caso"),
        ("subject", "Re: Out of office"),
        ("subject", "La respuesta automática no llega"),
        ("subject", "Respuesta automática mal traducida en el portal"),
        ("subject", "Autorespuesta que no funciona"),
        ("subject", "Auto de prueba"),
        ("subject", "¿Fuera de la oficina funciona la VPN?"),
        ("subject", "Automatic reply is broken"),
        ("precedence", "normal"),
        ("x_auto_response_suppress", "RN, NRN"),
        ("x_priority", "1"),
    ],
)
def test_people_are_no_robots(header: str, value: str) -> None:
    found = parse(mail("Texto.", **{header: value}))
    assert (found["auto_submitted"], found["out_of_office"], found["bounce"]) == (False,) * 3


STATUS = (
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.firma.example\n\n"
    "Final-Recipient: rfc822; nora@tienda.example\nAction: failed\nStatus: 5.1.1\n"
)
NOTICE = "Content-Type: text/plain; charset=utf-8\n\nNo se pudo entregar su mensaje."
RETURNED = (
    "Content-Type: message/rfc822\n\nFrom: soporte@firma.example\nTo: nora@tienda.example\n"
    "Message-ID: <aviso-7@firma.example>\nSubject: Aviso\n\nHola\n"
)
ROBOT = {"from": "Mail Delivery System <MAILER-DAEMON@mx.firma.example>", "return_path": "<>"}


def report(*parts: str, **headers: str) -> bytes:
    """A delivery report in the shape of RFC 3464."""
    content_type = 'multipart/report; report-type=delivery-status; boundary="=_b"'
    return multipart("report", *parts, **ROBOT | {"content_type": content_type} | headers)


def test_standard_report() -> None:
    found = parse(report(NOTICE, STATUS, RETURNED, subject="Undelivered Mail Returned to Sender"))
    assert (found["bounce"], found["bounce_action"]) == (True, "failed")
    assert found["bounce_recipients"] == ["nora@tienda.example"]
    assert found["bounced_message_id"] == "aviso-7@firma.example"
    assert (found["auto_submitted"], found["out_of_office"]) == (True, False)
    assert found["forwarded"] is None


@pytest.mark.parametrize(
    ("action", "told", "listed"),
    [
        ("failed", "failed", True),
        ("delayed", "delayed", True),
        ("delivered", "delivered", False),
        ("relayed", "delivered", False),
        ("expanded", "delivered", False),
    ],
)
def test_actions_of_a_report(action: str, told: str, listed: bool) -> None:
    status = STATUS.split("\n\n", 1)[1].replace("Action: failed", f"Action: {action}")
    assert read_statuses([status]) == (told, ["nora@tienda.example"] if listed else [])


def test_report_on_several_recipients_tells_only_those_that_failed() -> None:
    status = (
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; <a@x.example>\nAction: failed\n\n"
        "Final-Recipient: rfc822; b@x.example\nAction: delivered\n\n"
        "Original-Recipient: rfc822; c@x.example\nFinal-Recipient: rfc822; z@y.example\n"
        "Action: delayed\n"
    )
    assert read_statuses([status]) == ("failed", ["a@x.example", "c@x.example"])


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Mail delivery failed", "<nora@tienda.example>: user unknown"),
        ("failure notice", "I couldn't deliver it.\n\n<nora@tienda.example>:\n550 no such user"),
        ("No entregado: Aviso", "No se pudo entregar a nora@tienda.example: buzón lleno"),
        ("Não entregue: Aviso", "Não foi possível entregar a nora@tienda.example"),
        ("Undeliverable: Aviso", "Your message could not be delivered to <nora@tienda.example>"),
    ],
)
def test_reports_in_words(subject: str, body: str) -> None:
    found = parse(mail(body, subject=subject, **ROBOT))
    assert found["bounce"] is True
    assert found["bounce_recipients"] == ["nora@tienda.example"]


def test_failed_recipients_header() -> None:
    raw = mail("x", x_failed_recipients="a@x.example, b@x.example", subject="Aviso", **ROBOT)
    assert parse(raw)["bounce_recipients"] == ["a@x.example", "b@x.example"]


def test_amazon_notice_folded_inside_its_json() -> None:
    body = (
        '{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"nora@\n'
        'tienda.example","status":"5.1.1"}]},"mail":{"source":"x@firma.example"}}'
    )
    found = parse(mail(body, **{"from": "AWS <no-reply@sns.amazonaws.com>"}))
    assert (found["bounce"], found["bounce_recipients"]) == (True, ["nora@tienda.example"])


@pytest.mark.parametrize(
    ("subject", "body", "headers"),
    [
        ("Mail delivery failed", "Me sale esto: 550 user unknown <x@y.example>", {}),
        ("Undeliverable: pedido", "¿Por qué me vuelve? could not be delivered", {}),
        ("RV: Undelivered Mail Returned to Sender", "Os reenvío: user unknown", {}),
        ("No entregado el pedido 7", "El pedido no ha sido entregado.", {}),
        ("Devuelto el equipo", "Equipo devuelto y rechazado por el almacén.", {}),
        ("Warning: no imprime", "Error 550 5.1.1 al enviar.", {}),
        ("Ayuda", "No consigo enviar correos.", {"from": "Postmaster <postmaster@x.example>"}),
        ("Ayuda", "Hola, no entra.", {"return_path": "<>"}),
        ("Falha de entrega", "A transportadora não entregou.", {}),
    ],
)
def test_people_are_no_bounces(subject: str, body: str, headers: dict[str, str]) -> None:
    assert parse(mail(body, subject=subject, **headers))["bounce"] is False


def test_forwarded_report_is_no_bounce() -> None:
    raw = multipart(
        "mixed",
        "Content-Type: text/plain\n\nMe llega esto, could not be delivered.",
        "Content-Type: message/rfc822\n\n" + report(NOTICE, STATUS).decode().replace("\r\n", "\n"),
        subject="RV: Undelivered Mail Returned to Sender",
    )
    found = parse(raw)
    assert (found["bounce"], found["auto_submitted"]) == (False, False)


def test_read_receipt_is_automatic_and_no_bounce() -> None:
    raw = multipart(
        "report",
        "Content-Type: text/plain\n\nLeído.",
        "Content-Type: message/disposition-notification\n\nDisposition: "
        "manual-action/MDN-sent-manually; displayed\n",
        content_type='multipart/report; report-type=disposition-notification; boundary="=_b"',
        subject="Leído: Su caso",
    )
    found = parse(raw)
    assert (found["bounce"], found["auto_submitted"], found["auto_reason"]) == (
        False, True, "report",
    )  # fmt: skip


@pytest.mark.parametrize("words", blocks("kept.txt", r"\n%%\n"))
def test_ordinary_words_are_neither_automatic_nor_bounces(words: str) -> None:
    found = parse(mail(words))
    assert (found["bounce"], found["auto_submitted"]) == (False, False)
