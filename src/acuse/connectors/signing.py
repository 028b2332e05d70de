"""The key that signs checkpoints: Ed25519 (RFC 8032), in a file that only its owner reads."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

ALGORITHM = "ed25519"


@dataclass(frozen=True)
class Signer:
    """A private key with what others need of it: `public` (PEM) and `key_id`, its fingerprint."""

    key_id: str
    public: str
    _private: Ed25519PrivateKey

    def sign(self, content: bytes) -> str:
        """The signature, in base64."""
        return base64.b64encode(self._private.sign(content)).decode()


def load_signer(name: str = "checkpoint") -> Signer:
    """The installation's key of this name, made at its first use. Raises ValueError for a file
    that holds no Ed25519 key."""
    place = Path(settings.KEYS) / f"{name}.pem"
    if not place.exists():
        _make(place)
    private = load_pem_private_key(place.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{place.name}: holds no Ed25519 key")
    public = private.public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Signer(hashlib.sha256(raw).hexdigest(), pem, private)


def _make(place: Path) -> None:
    """A new key, whole or not at all; the one that another process made a moment earlier stays."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.link(fresh, place)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)


def is_signed(content: bytes, signature: str, public: str) -> bool:
    """Whether the signature (base64) over the content was made by the key of this public half
    (PEM)."""
    try:
        key = load_pem_public_key(public.encode())
        given = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(given, content)
    except InvalidSignature:
        return False
    return True
