"""Reports of mail that did not arrive, and whom it did not reach (mail rule 11, RFC 3464).

A bounce is recognised by its structure or by its robot sender together with its words; words alone
never suffice, because people quote and forward bounces.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from email.message import Message

from acuse.interfaces.mail.decode import Address, decode_text, read_addresses
from acuse.interfaces.mail.structure import Content

MAX_RECIPIENTS = 200
MAX_SCANNED_CHARS = 60_000
MAX_LIBRARY_CHARS = 300_000

_EMAIL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,100}@[\w-]+(?:\.[\w-]+)*"
_ROBOT_LOCAL = re.compile(
    r"^(?:mailer[-_.]?daemon.*|m?daemon|post[-_]?master|poostmaster|mdaemon|mail[-_.]?deliver.*|"
    r"bounces?|bounced|mailbounce.*|mail[-_.]?system.*|system|smtp.*|.*[-_.]smtp|"
    r".*smtp[-_.]?mail.*|mta.*|mailgateway|.*mail[-_.]?service|no-?reply|do-?not-?reply|"
    r"autoresponder|mailservice|delivery.*|mail[-_]?admin.*|exchange.*|"
    r"microsoftexchange.*|mailmaster|mailadm|listserv|majordomo|notification.*|ndr.*)$",
    re.I,
)
_ROBOT_NAME = re.compile(
    r"mail(?:er)?[ -]?daemon|mail delivery|delivery (?:sub)?system|mail system|postmaster|"
    r"system administrator|administrador del sistema|correo postal|mail administrator|"
    r"internet mail|microsoft outlook|mailadmin|delivery service",
    re.I,
)
_SUBJECT = re.compile(
    r"^(?:returned mail|undeliver(?:ed|able)|non[- ]?deliver|not delivered|delivery (?:status|"
    r"report|failure|failed|notification|has failed|delay|error|problem|unsuccessful|incomplete)|"
    r"failure (?:notice|delivery)|mail (?:delivery|could not|failure|system error|error|returned|"
    r"not delivered)|"
    r"mail delivery|message (?:delivery|delayed|status|could not|not delivered|undeliver|you sent "
    r"blocked)|"
    r"warning:|delayed mail|delayed message|could not (?:be )?(?:send|sent|deliver)|"
    r"error sending|there was an error sending|rejected mail|automatically rejected|"
    r"unknown (?:user|recipient)|user unknown|nondeliverable|bounce|email bounce|"
    r"postmaster notify|unable to deliver|your (?:message|mail|e-?mail).{0,40}(?:not|undeliver|"
    r"reject|block|delay|fail)|(?:e-?mail|correo).{0,30}(?:no entregad|devuelt|rechazad)|"
    r"no se (?:puede|pudo|ha podido) entregar|no entregado|notificaci[oó]n de (?:estado|error)|"
    r"error (?:de|en la) entrega|mensaje (?:no entregado|devuelto|rechazado)|"
    r"devoluci[oó]n|devuelto|correo devuelto|"
    r"n[aã]o (?:foi poss[ií]vel entregar|entregue|entreg[aá]vel)|n[aã]o[- ]entregue|"
    r"falha (?:na|de) entrega|"
    r"notifica[cç][aã]o de (?:estado|status|falha)|mensagem (?:devolvida|n[aã]o entregue)|"
    r"unzustellbar|zustellung|rücksendung|non remis|non distribu|échec de|impossible de remettre|"
    r"mancato recapito|impossibile recapitare|onbestelbaar|niet bezorgd|недоставлен|"
    r"ваше сообщение не доставлено|ошибка|未达|退信|系统退信|配信不能)",
    re.I,
)
_PHRASES = re.compile(
    r"(?:could not|couldn't|cannot|can't|can not|was not|were not|wasn't|unable to|not able to|"
    r"failed to|failure to|did not)\s+(?:be\s+)?(?:deliver|send|sent|reach|accept|find|process)|"
    r"wasn't able to deliver|was unable to deliver|"
    r"deliver(?:y|ed|ing)?\b.{0,60}\b(?:fail|error|problem|unsuccess|delay|impossible|has been "
    r"suspended|temporarily|abort)|"
    r"(?:permanent|fatal|transient|temporary)\s+(?:fatal\s+)?(?:error|failure)|"
    r"user unknown|unknown user|no such user|mailbox (?:full|unavailable|not found|is full)|"
    r"invalid (?:user|recipient|address|mailbox)|over quota|quota exceeded|"
    r"undeliver|not deliver|returned to (?:you|sender)|failed recipient|following (?:address|"
    r"recipient|message).{0,80}(?:fail|reject|not)|message.{0,60}(?:was|has been|is being) "
    r"(?:automatically )?(?:reject|return|delay|block|bounce)|automatically rejected|"
    r"\b(?:550|551|552|553|554|421|450|451|452)[ -](?:\d\.\d\.\d|[a-z<#])|\b[45]\.\d\.\d{1,3}\b|"
    r"still being retried|will (?:be retried|keep trying|retry)|host unknown|name lookup failure|"
    r"no se (?:pudo|puede|ha podido) entregar|no ha podido ser entregado|no entregado|rechazado|"
    r"n[aã]o (?:p[oô]de|foi poss[ií]vel|foi) (?:ser )?entreg|не доставлено|"
    r"konnte nicht zugestellt|n'a pas pu être|non è stato possibile (?:recapitare|consegnare)",
    re.I | re.S,
)
_NULL_PATHS = ("<>", "<mailer-daemon>", "<null>", "mailer-daemon", "<#@[]>", "<@>")

_RECIPIENT_PATTERNS = tuple(
    re.compile(pattern, re.I | re.M)
    for pattern in (
        rf"^[ \t]*<?({_EMAIL})>?\s*:?\s*(?:$|\(|- no such|\.\.\.|Requested action)",
        rf"^[ \t]*<({_EMAIL})>\s*:",
        (
            rf"(?:RCPT TO|addressed to|recipient(?:\s+address)?|final-recipient|to|destinatario|"
            rf"user|target mail address|mailbox)\s*[:;]?\s*(?:rfc822\s*;)?\s*<?({_EMAIL})>?"
        ),
        rf"\b5\d\d\b[^\n]{{0,80}}?<({_EMAIL})>",
        rf"<({_EMAIL})>",
        rf"({_EMAIL})[ \t]*[:\[]",
        rf"({_EMAIL})",
    )
)


@dataclass(frozen=True)
class Report:
    """A delivery report: whether it is one, its gravest action, and the addresses concerned."""

    bounce: bool
    action: str = ""
    recipients: list[str] = field(default_factory=list)


def judge_bounce(
    message: Message,
    content: Content,
    fields: dict[str, list[str]],
    subject: str,
    sender: Address,
    text: str,
) -> Report:
    """The delivery report in a message; Report(False) for anything a person may have written."""
    statuses = content.reports.get("message/delivery-status", []) + content.reports.get(
        "message/global-delivery-status", []
    )
    top = (fields.get("content-type") or [""])[0].lower()
    robot = is_robot(fields, sender)
    if statuses and ("multipart/report" in top or robot):
        action, recipients = read_statuses(statuses)
        if not recipients and action != "delivered":
            recipients = _search_recipients(message, content, fields, text)
        return Report(True, action, recipients)
    failed = _failed_header(fields)
    if failed and robot:
        return Report(True, _action_of(subject + "\n" + text[:2000]), failed)
    sns = _read_sns(sender, text)
    if sns is not None:
        return sns
    rejected = "rejected" in (fields.get("auto-submitted") or [""])[0].lower()
    reported = "multipart/report" in top and "disposition" not in top and "feedback" not in top
    if not robot and not rejected and not reported:
        return Report(False)
    if not (
        _PHRASES.search(text[:8_000])
        and (_is_daemon(fields, sender) or _SUBJECT.match(subject) or rejected or reported)
        or _is_daemon(fields, sender)
        and _SUBJECT.match(subject)
    ):
        return Report(False)
    if "feedback-report" in top:
        return Report(False)
    return Report(
        True,
        _action_of(subject + "\n" + text[:2000]),
        _search_recipients(message, content, fields, text),
    )


def is_robot(fields: dict[str, list[str]], sender: Address) -> bool:
    """Whether the envelope or the author's name is that of a mail system."""
    path = (fields.get("return-path") or ["?"])[0].strip().lower()
    if path in _NULL_PATHS or path == "" or _is_daemon(fields, sender):
        return True
    local = sender.email.partition("@")[0]
    return bool(_ROBOT_LOCAL.match(local) or _ROBOT_NAME.search(sender.name))


def _is_daemon(fields: dict[str, list[str]], sender: Address) -> bool:
    local = sender.email.partition("@")[0].lower()
    if not sender.email:
        written = " ".join(fields.get("from") or [])
        return "mailer-daemon" in written.lower() or written.strip() in ("<>", "")
    return bool(
        re.match(r"mailer[-_.]?daemon|poo?st[-_]?master|mdaemon|mail\.delivery", local)
    ) or bool(re.search(r"mail(er)? ?-?daemon|mail delivery (sub)?system", sender.name, re.I))


def read_statuses(statuses: list[str]) -> tuple[str, list[str]]:
    """The gravest action and the failing or delayed addresses of delivery-status bodies."""
    actions: list[str] = []
    recipients: list[str] = []
    for status in statuses:
        for block in re.split(r"\n\s*\n", status.replace("\r\n", "\n")):
            fields = {
                k.lower(): v.strip()
                for k, v in re.findall(r"(?m)^([A-Za-z-]+)[ \t]*:[ \t]*(.*(?:\n[ \t]+.*)*)", block)
            }
            who = _status_address(fields)
            if not who:
                continue
            action = fields.get("action", "").split()[0].lower() if fields.get("action") else ""
            actions.append(action or "failed")
            if action not in ("delivered", "relayed", "expanded") and who not in recipients:
                recipients.append(who)
    for action in ("failed", "failure", "delayed", "delivered", "relayed", "expanded"):
        if action in actions:
            return {"failure": "failed", "relayed": "delivered", "expanded": "delivered"}.get(
                action, action
            ), recipients[:MAX_RECIPIENTS]
    return "failed", recipients[:MAX_RECIPIENTS]


def _status_address(fields: dict[str, str]) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = fields.get(name, "")
        address = value.split(";", 1)[-1].strip()
        found = re.search(_EMAIL, address)
        if found:
            return found[0].strip(".'")
    return ""


def _failed_header(fields: dict[str, list[str]]) -> list[str]:
    found = [a.email for v in fields.get("x-failed-recipients", []) for a in read_addresses(v)]
    return [email for email in dict.fromkeys(found) if email][:MAX_RECIPIENTS]


def _action_of(text: str) -> str:
    delayed = re.search(
        r"delay|still being retried|warning|temporar|will (?:keep|be retried|retry)|"
        r"not yet been delivered|retras|atras",
        text,
        re.I,
    )
    return "delayed" if delayed else "failed"


def _read_sns(sender: Address, text: str) -> Report | None:
    """Amazon's notification as a mail: one line of JSON."""
    if not sender.email.lower().endswith("sns.amazonaws.com"):
        return None
    # Long lines of JSON arrive folded anywhere, so that it is searched, not parsed.
    told = re.sub(r"\r?\n", "", text[:MAX_SCANNED_CHARS])
    kind = re.search(
        r'"(?:notificationType|eventType)"\s*:\s*"(Bounce|Delivery|DeliveryDelay)"', told
    )
    if kind is None:
        return None
    listed = re.search(r'"bouncedRecipients"\s*:\s*\[(.*?)\]', told)
    found = re.findall(r'"emailAddress"\s*:\s*"([^"]+)"', listed[1]) if listed else []
    action = {"Bounce": "failed", "Delivery": "delivered"}.get(kind[1], "delayed")
    return Report(True, action, found[:MAX_RECIPIENTS])


def _search_recipients(
    message: Message, content: Content, fields: dict[str, list[str]], text: str
) -> list[str]:
    """The failing addresses of a report without machine-readable status."""
    failed = _failed_header(fields)
    if failed:
        return failed
    size = sum(map(len, [*content.plain, *content.rich, *content.embedded]))
    found = _library_recipients(message) if size <= MAX_LIBRARY_CHARS else []
    if found:
        return found
    ours = {
        a.email.lower()
        for name in ("to", "from", "cc", "delivered-to", "x-original-to")
        for value in fields.get(name, [])
        for a in read_addresses(value)
    }
    told = re.split(
        r"(?m)^[ \t]*(?:-{3,}.{0,60}(?:original|copy|returned).*|Received:|Return-Path:)",
        text[:MAX_SCANNED_CHARS],
        maxsplit=1,
    )[0]
    for pattern in _RECIPIENT_PATTERNS:
        for match in pattern.finditer(told):
            email = match[1].strip(".'")
            if email.lower() not in ours and "@" in email:
                return [email]
    for data in content.embedded[:1]:
        head = decode_text(data[:20_000])
        addressed = re.search(r"(?im)^to:[ \t]*(.*(?:\n[ \t].*)*)", head)
        found = [a.email for a in read_addresses(addressed[1])] if addressed else []
        if found:
            return [f for f in found if f][:MAX_RECIPIENTS]
    return []


def _library_recipients(message: Message) -> list[str]:
    """What flufl.bounce knows about the formats of many servers; only asked behind the gate."""
    from flufl.bounce import all_failures

    # It logs a traceback for every header that its detectors cannot read.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    try:
        temporary, permanent = all_failures(message)
    except Exception:
        return []
    found = [
        decode_text(bytes(a)) if isinstance(a, bytes) else str(a) for a in (permanent or temporary)
    ]
    return sorted(found)[:MAX_RECIPIENTS]
