"""What keeps a mailbox from being read, as a code that the desk has words for."""

from __future__ import annotations

from enum import StrEnum


class Obstacle(StrEnum):
    UNKNOWN_HOST = "unknown_host"
    NO_CONNECTION = "no_connection"
    CERTIFICATE = "certificate"  # the server's is not trusted, or is another host's
    NO_TLS = "no_tls"  # no encrypted connection comes about
    NOT_PRIVATE = "not_private"  # unencrypted, and not on this machine
    SIGN_IN = "sign_in"
    TOKEN = "token"  # who gives tokens refuses
    TOKEN_UNREACHABLE = "token_unreachable"
    SEALED = "sealed"  # the kept secrets cannot be opened
    FOLDER = "folder"
    MOVE = "move"
    ODD_ANSWER = "odd_answer"  # the server answers what cannot be understood
    OURS = "ours"  # an error on our side


FOR_PEOPLE = frozenset((Obstacle.SIGN_IN, Obstacle.TOKEN, Obstacle.SEALED, Obstacle.NOT_PRIVATE))


class Trouble(Exception):
    """A mailbox could not be read. `lost`: the connection is of no more use.

    Its text is "code: what the other side said", which is also how it is kept.
    """

    def __init__(self, obstacle: Obstacle, detail: object = "", *, lost: bool = False) -> None:
        super().__init__(f"{obstacle}: {detail}".strip())
        self.obstacle, self.detail, self.lost = obstacle, str(detail), lost
