"""`acuse mail receive < message.eml`: the pipe of a mail server (sysexits.h codes)."""

from __future__ import annotations

from typing import BinaryIO

from django.db import Error

from acuse.config import config
from acuse.interfaces.mail import post

OK, BAD_DATA, NO_MAILBOX, TRY_LATER = 0, 65, 67, 75


def receive(stream: BinaryIO, mailbox: str = "") -> tuple[int, str]:
    """Keep one raw message as mail for a mailbox (by default the main one, plus-parts allowed).
    Returns the exit code, 75 when it has to be handed over again, and a line that says why."""
    address = mailbox or config.main_mailbox
    content = stream.read(post.LARGEST + 1)
    if not content.strip():
        return BAD_DATA, "there is no message on standard input"
    if len(content) > post.LARGEST:
        return BAD_DATA, f"the message is larger than {post.LARGEST} bytes"
    try:
        found = post.find_mailbox(address)
        if found is None:
            return NO_MAILBOX, f"there is no mailbox {address}"
        kept = post.keep(content, "", [post.Recipient(address, found)])
    except Error as reason:
        return TRY_LATER, f"not kept, try again: {reason}"
    return OK, f"kept as mail {kept[0].pk}"
