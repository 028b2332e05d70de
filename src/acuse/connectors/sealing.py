"""Secrets that have to be kept: encrypted, so that a copy of the database alone gives none away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

_PURPOSE = b"acuse sealed secrets 1"


class Unsealable(ValueError):
    """Sealed with another key, or changed since."""


def seal(secrets: Mapping[str, str], key: str) -> str:
    """The secrets as a text that only `key` opens (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _box(key).encrypt(json.dumps(dict(secrets), sort_keys=True).encode()).decode()


def unseal(sealed: str, key: str) -> dict[str, str]:
    """The secrets again. Raises Unsealable."""
    try:
        opened = json.loads(_box(key).decrypt(sealed.encode()))
    except (InvalidToken, ValueError) as reason:
        raise Unsealable("sealed with another key, or changed since") from reason
    return {str(name): str(value) for name, value in opened.items()}


def _box(key: str) -> Fernet:
    digest = hmac.new(key.encode(), _PURPOSE, hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
