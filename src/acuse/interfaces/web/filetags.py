"""What templates say of files and of the mails they came with: invitations, seals, kinds."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.translation import gettext as _

from acuse.connectors import storage
from acuse.interfaces.web.invitations import LARGEST, Invitation, read_invitation
from acuse.models import Attachment, Message
from acuse.policy.fields import N_
from acuse.policy.files import DISGUISED, PROGRAM, RISK_HEAD, find_kind, find_risk

register = template.Library()

MOST = 3  # invitations of one message that are read
KINDS = {
    "message": N_("a mail of its own"),
    "invitation": N_("an invitation"),
    "signed": N_("a signature"),
    "encrypted": N_("encrypted"),
    "key": N_("a public key"),
    "contact": N_("a contact"),
    "report": N_("a delivery report"),
}
RISKS = {
    PROGRAM: N_("A program: run it only if you expected it from this sender."),
    DISGUISED: N_("A program that looks like something else: do not open it."),
}
SEALS = {
    "signed": N_("Signed by its sender. The signature has not been checked."),
    "encrypted": N_("Encrypted: we cannot read it. Ask the sender for it in plain words."),
}
# PKCS #7 names what it holds near its beginning (RFC 5652, 4 and 5.1): 1.2.840.113549.1.7.2
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_OPAQUE_HEAD = 64


def _kind(file: Attachment) -> str:
    return find_kind(file.filename, file.content_type)


@register.filter
def kind_words(file: Attachment) -> str:
    """What a file is, where its name does not say it."""
    return _(KINDS[_kind(file)]) if _kind(file) in KINDS else ""


@register.filter
def risk_words(file: Attachment) -> str:
    """A warning of what may happen to whoever opens a file; nothing for most."""
    return tell_risk(file.filename, _bytes(file, RISK_HEAD))


def tell_risk(filename: str, head: bytes) -> str:
    """The same for a file that is not on a case yet, by its name and first bytes."""
    found = find_risk(filename, head)
    return _(RISKS[found]) if found else ""


@register.filter
def is_picture(file: Attachment) -> bool:
    """Whether it came as a picture: it is looked at rather than downloaded."""
    return _kind(file) == "image"


@register.filter
def invitations(files: Iterable[Attachment]) -> list[Invitation]:
    """The invitations among the files, as far as they can be read."""
    asked = [file for file in files if _kind(file) == "invitation"][:MOST]
    found = (read_invitation(_bytes(file, LARGEST + 1)) for file in asked)
    return [invitation for invitation in found if invitation is not None]


@register.filter
def seal_words(message: Message) -> str:
    """That a message is signed or encrypted (S/MIME, PGP), in words; nothing for any other."""
    return _(SEALS[_seal(message)]) if _seal(message) else ""


def _seal(message: Message) -> str:
    if "-----BEGIN PGP MESSAGE-----" in message.text:
        return "encrypted"
    kinds = {"signed"} if "-----BEGIN PGP SIGNED MESSAGE-----" in message.text else set()
    for file in message.attachments.all():
        kind = _kind(file)
        if kind == "encrypted" and _SIGNED_DATA in _bytes(file, _OPAQUE_HEAD):
            kind = "signed"
        kinds.add(kind)
    return next((seal for seal in ("encrypted", "signed") if seal in kinds), "")


def _bytes(file: Attachment, most: int) -> bytes:
    try:
        with storage.open(file.blob_id) as stream:
            return stream.read(most)
    except FileNotFoundError:
        return b""
