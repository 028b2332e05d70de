"""Texts that people read: collects them from the code, compiles the catalogues, checks both.

    python scripts/messages.py update    put new texts into the .po files, drop unused ones
    python scripts/messages.py compile   write the .mo files
    python scripts/messages.py check     every text translated, placeholders and .mo agree

English is the language of the code, so its catalogue holds only texts with a plural.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib
from babel.messages.extract import extract_python
from django.conf import settings
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "acuse"
TRANSLATED = ("es", "pt")
# As in the catalogues that Django ships, so that both count alike (CLDR: es, pt, en).
PLURALS = {
    "es": "nplurals=3; plural=n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;",
    "pt": "nplurals=3; plural=(n == 0 || n == 1) ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;",
    "en": "nplurals=2; plural=(n != 1);",
}
KEYWORDS = {
    "N_": None,
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
CONTEXTUAL = {name for name, places in KEYWORDS.items() if places and places[0] == (1, "c")}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdif]|(?<!%)%([sdi])|\{(\w*)[^{}]*\}")

Key = tuple[str, str]  # context ("" for none) and msgid, as a catalogue knows an entry


@dataclass
class Text:
    """One text of the code: its plural (or ""), and the files that use it."""

    plural: str = ""
    files: set[str] = field(default_factory=set)


def python_messages(source: str) -> Iterator[tuple[Key, str]]:
    """Key and plural of every text marked in Python source."""
    found = extract_python(io.BytesIO(source.encode()), KEYWORDS, [], {"encoding": "utf-8"})
    for _line, name, arguments, _comments in found:
        words = list(arguments) if isinstance(arguments, tuple) else [arguments]
        context = words.pop(0) if name in CONTEXTUAL and words else ""
        count = 2 if "n" in name.removesuffix("_lazy").partition("gettext")[0] else 1
        texts = words[:count]
        if texts and all(isinstance(text, str) for text in (context, *texts)) and texts[0]:
            yield (context, texts[0]), texts[1] if count == 2 else ""


def template_messages(source: str) -> Iterator[tuple[Key, str]]:
    """Key and plural of every text marked in a Django template."""
    return python_messages(templatize(source))


def collect(package: Path) -> dict[Key, Text]:
    """Every text under `package`. Raises ValueError where one msgid has two plurals."""
    texts: dict[Key, Text] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            found = python_messages(path.read_text())
        elif path.suffix in (".html", ".txt") and "templates" in path.parts:
            found = template_messages(path.read_text())
        else:
            continue
        for key, plural in found:
            text = texts.setdefault(key, Text())
            if plural and text.plural and plural != text.plural:
                raise ValueError(f"{path.name}: {key[1]!r} has another plural elsewhere")
            text.plural = text.plural or plural
            text.files.add(path.relative_to(package).as_posix())
    return texts


def wanted(language: str, texts: dict[Key, Text]) -> dict[Key, Text]:
    """The texts that the catalogue of `language` has to hold."""
    if language in TRANSLATED:
        return texts
    return {key: text for key, text in texts.items() if text.plural}


def place(package: Path, language: str) -> Path:
    """Where the catalogue of `language` is."""
    return package / "locale" / language / "LC_MESSAGES" / "django.po"


def read(path: Path) -> polib.POFile:
    """The catalogue at `path`, empty if there is none. Lines are never wrapped."""
    return polib.pofile(str(path), wrapwidth=0) if path.exists() else polib.POFile(wrapwidth=0)


def key_of(entry: polib.POEntry) -> Key:
    """How the code names an entry."""
    return entry.msgctxt or "", entry.msgid


def update(package: Path) -> None:
    """Rewrites every .po: kept translations, new empty entries, nothing that is unused."""
    texts = collect(package)
    for language, plurals in PLURALS.items():
        path = place(package, language)
        kept = {key_of(entry): entry for entry in read(path) if not entry.obsolete}
        fresh = polib.POFile(wrapwidth=0)
        fresh.metadata = {
            "Language": language,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": plurals,
        }
        for key, text in sorted(wanted(language, texts).items()):
            fresh.append(_entry(language, key, text, kept.get(key)))
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.save(str(path))


def _entry(language: str, key: Key, text: Text, kept: polib.POEntry | None) -> polib.POEntry:
    context, msgid = key
    entry = polib.POEntry(
        msgctxt=context or None,
        msgid=msgid,
        msgid_plural=text.plural,
        occurrences=[(name, "") for name in sorted(text.files)],
    )
    if not text.plural:
        entry.msgstr = kept.msgstr if kept else ""
    elif kept and kept.msgid_plural:
        entry.msgstr_plural = kept.msgstr_plural
    elif language in TRANSLATED:
        entry.msgstr_plural = dict.fromkeys(range(forms(language)), "")
    else:
        entry.msgstr_plural = {0: msgid, 1: text.plural}
    if kept and kept.fuzzy:
        entry.flags.append("fuzzy")
    return entry


def forms(language: str) -> int:
    """How many plural forms the language has."""
    return int(PLURALS[language].partition("=")[2][0])


def compile_all(package: Path) -> None:
    """Writes every .mo from its .po."""
    for language in PLURALS:
        path = place(package, language)
        path.with_suffix(".mo").write_bytes(read(path).to_binary())


def check(package: Path) -> list[str]:
    """What is wrong with the catalogues, one sentence each; empty if nothing is."""
    texts = collect(package)
    faults: list[str] = []
    for language in PLURALS:
        path = place(package, language)
        catalogue = read(path)
        entries = {key_of(entry): entry for entry in catalogue if not entry.obsolete}
        needed = wanted(language, texts)
        for key, text in needed.items():
            where = f"{language}: {key[1]!r} ({', '.join(sorted(text.files))})"
            if key not in entries:
                faults.append(f"{where} is missing")
            else:
                faults += [f"{where} {fault}" for fault in faults_of(language, entries[key], text)]
        faults += [f"{language}: {key[1]!r} is no longer used" for key in entries.keys() - needed]
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
            faults.append(f"{language}: django.mo does not agree with django.po")
    return faults


def faults_of(language: str, entry: polib.POEntry, text: Text) -> Iterable[str]:
    """What is wrong with one entry."""
    if entry.fuzzy:
        yield "is fuzzy"
    if text.plural != entry.msgid_plural:
        yield f"has the plural {entry.msgid_plural!r} instead of {text.plural!r}"
        return
    strings = [entry.msgstr]
    if text.plural:
        strings = [entry.msgstr_plural.get(number, "") for number in range(forms(language))]
    if not all(string.strip() for string in strings):
        yield "is not translated"
        return
    allowed = placeholders(entry.msgid) | placeholders(text.plural)
    # The form for one may spell the number out; every other has to have all that the text has.
    needed = placeholders(text.plural or entry.msgid)
    for number, string in enumerate(strings):
        has = placeholders(string)
        if has - allowed or (needed - has and not (text.plural and number == 0)):
            yield f"has the placeholders {sorted(has)} instead of {sorted(needed)}"
    if entry.msgid.startswith("\n") != strings[0].startswith("\n"):
        yield "begins with a line break on one side only"


def placeholders(text: str) -> set[str]:
    """The names (or signs) of the places where a value goes in."""
    return {"".join(found.groups(default="")) for found in PLACEHOLDER.finditer(text)}


def main(words: list[str]) -> int:
    """Runs one of update, compile, check; 1 if the check found something."""
    settings.configure(USE_I18N=True)
    if words == ["update"]:
        update(PACKAGE)
    elif words == ["compile"]:
        compile_all(PACKAGE)
    elif words == ["check"]:
        faults = check(PACKAGE)
        print("\n".join(faults) or "translations complete")
        return int(bool(faults))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
