"""A file as the rulebook sees it: its name, kind, fingerprint, and what its first bytes say."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A stored file: sha256 (hex) of its bytes, size in bytes, the name and type it came with."""

    sha256: str
    size: int
    filename: str
    content_type: str = "application/octet-stream"
    content_id: str = ""


KINDS = (
    "file",
    "image",
    "message",
    "invitation",
    "signed",
    "encrypted",
    "key",
    "contact",
    "report",
)

_KIND_OF_TYPE = {
    "message/rfc822": "message",
    "message/global": "message",
    "text/calendar": "invitation",
    "application/ics": "invitation",
    "application/pkcs7-signature": "signed",
    "application/x-pkcs7-signature": "signed",
    "application/pgp-signature": "signed",
    "application/pkcs7-mime": "encrypted",
    "application/x-pkcs7-mime": "encrypted",
    "application/pgp-encrypted": "encrypted",
    "application/pgp-keys": "key",
    "text/vcard": "contact",
    "text/x-vcard": "contact",
    "text/directory": "contact",
    "message/delivery-status": "report",
    "message/disposition-notification": "report",
    "message/feedback-report": "report",
    "text/rfc822-headers": "report",
}
_KIND_OF_ENDING = {
    "eml": "message",
    "ics": "invitation",
    "p7s": "signed",
    "p7m": "encrypted",
    "vcf": "contact",
    "pgp": "encrypted",
    "gpg": "encrypted",
}


def find_kind(filename: str, content_type: str, smime_type: str = "") -> str:
    """What an attachment is for the reader, one of KINDS."""
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = _KIND_OF_TYPE.get(content_type) or _KIND_OF_ENDING.get(ending)
    if kind == "encrypted" and smime_type == "signed-data":
        return "signed"
    return kind or ("image" if content_type.startswith("image/") else "file")


# What a file may do to whoever opens it.
PROGRAM, DISGUISED = "program", "disguised"
RISKS = (PROGRAM, DISGUISED)
RISK_HEAD = 64  # bytes that are enough to know a program by

# Endings that a desktop system runs, installs, follows or mounts when somebody opens the file.
_RUN = frozenset(
    {
        *("exe", "com", "scr", "pif", "cpl", "dll", "sys", "msi", "msp", "mst", "msix", "appx"),
        *("bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta", "sct"),
        *("lnk", "url", "scf", "reg", "inf", "msc", "gadget", "application", "appref-ms"),
        *("iso", "img", "vhd", "vhdx", "dmg", "pkg", "app", "command", "jar", "jnlp", "chm"),
        *("sh", "deb", "rpm", "appimage", "desktop", "apk", "xll", "library-ms"),
        "settingcontent-ms",
    }
)
# Endings under which people expect something to be read, not run.
_READ = frozenset(
    {
        *("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "txt"),
        *("csv", "xml", "html", "htm", "jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp"),
        *("svg", "mp3", "mp4", "wav", "avi", "mov", "zip", "rar", "7z", "eml", "msg", "ics"),
        "json",
    }
)
# ELF; Mach-O in its four forms, and the one for several processors (also a Java class);
# a shortcut of Windows ([MS-SHLLINK] 2.1).
_RUNNABLE = (
    b"\x7fELF",
    *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
    b"\xca\xfe\xba\xbe",
    b"L\0\0\0\x01\x14\x02\0",
)
_SCRIPT = re.compile(rb"#![ \t]*/")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def find_risk(filename: str, head: bytes) -> str:
    """What may happen to whoever opens a file, by its name as it came and its first RISK_HEAD
    bytes: PROGRAM, DISGUISED (a program that looks like something to be read), or ""."""
    name = "".join(sign for sign in filename if unicodedata.category(sign)[0] != "C").casefold()
    endings = [part.strip() for part in name.rstrip(" .").split(".")][1:]
    last = endings[-1] if endings else ""
    named, machine, script = last in _RUN, _is_machine_code(head), _SCRIPT.match(head) is not None
    if not (named or machine or script):
        return ""
    shown = endings[:-1] if named else endings  # what is left where known endings are hidden
    hidden = bool(shown) and shown[-1] in _READ and (named or machine)
    return DISGUISED if hidden or not _TURNS.isdisjoint(filename) else PROGRAM


def _is_machine_code(head: bytes) -> bool:
    """Whether a processor runs what begins so. A text may begin with MZ as a program for Windows
    does, but it has no NUL."""
    return head.startswith(_RUNNABLE) or (head[:2] == b"MZ" and b"\0" in head[:RISK_HEAD])
