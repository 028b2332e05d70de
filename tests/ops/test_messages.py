"""The check of translations finds each kind of fault, and nothing in what `update` leaves."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import polib
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "messages.py"

TEMPLATE = "\n".join(
    (
        '{% load i18n %}{% translate "Accept" %}{% translate "May" context "month" %}',
        "{% blocktranslate count n=days trimmed %}{{ n }} day left",
        "{% plural %}{{ n }} days left{% endblocktranslate %}",
        "{% blocktranslate with number=case.number trimmed %}",
        "Case {{ number }} is closed.{% endblocktranslate %}",
    )
)
CODE = """
from django.utils.translation import gettext as _, pgettext
def say(name):
    return _("Hello {name}").format(name=name) + pgettext("verb", "may")
"""
SPANISH = {
    "Accept": "Aceptar",
    "Case %(number)s is closed.": "El caso %(number)s está cerrado.",
    "May": "mayo",
    "may": "puede",
    "Hello {name}": "Hola {name}",
}


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("acuse_messages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(messages: ModuleType, tmp_path: Path) -> Path:
    """A small package, wholly translated."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "code.py").write_text(CODE)
    messages.update(tmp_path)
    for language in ("es", "pt"):
        catalogue = messages.read(messages.place(tmp_path, language))
        for entry in catalogue:
            if entry.msgid_plural:
                entry.msgstr_plural = {0: "un día", 1: "%(n)s de días", 2: "%(n)s días"}
            else:
                entry.msgstr = SPANISH[entry.msgid]
        catalogue.save()
    messages.compile_all(tmp_path)
    return tmp_path


def change(messages: ModuleType, package: Path, msgid: str, **changes: object) -> list[str]:
    """The faults after changing one Spanish entry (and compiling again)."""
    catalogue = messages.read(messages.place(package, "es"))
    entry = catalogue.find(msgid, include_obsolete_entries=False)
    assert entry is not None
    for name, value in changes.items():
        setattr(entry, name, value)
    catalogue.save()
    messages.compile_all(package)
    return messages.check(package)


def test_complete_catalogues_have_no_fault(messages: ModuleType, package: Path) -> None:
    assert messages.check(package) == []


def test_texts_come_from_templates_and_code(messages: ModuleType, package: Path) -> None:
    assert set(messages.collect(package)) == {
        ("", "Accept"),
        ("", "%(n)s day left"),
        ("", "Case %(number)s is closed."),
        ("month", "May"),
        ("verb", "may"),
        ("", "Hello {name}"),
    }


def test_update_keeps_translations_and_drops_unused(messages: ModuleType, package: Path) -> None:
    (package / "code.py").write_text('_("Brand new")')
    messages.update(package)
    found = {entry.msgid: entry.msgstr for entry in messages.read(messages.place(package, "es"))}
    assert found["Accept"] == "Aceptar"
    assert found["Brand new"] == ""
    assert "Hello {name}" not in found


def test_english_holds_only_plurals(messages: ModuleType, package: Path) -> None:
    found = messages.read(messages.place(package, "en"))
    assert [(entry.msgid, entry.msgstr_plural) for entry in found] == [
        ("%(n)s day left", {0: "%(n)s day left", 1: "%(n)s days left"})
    ]


@pytest.mark.parametrize(
    ("msgid", "changes", "fault"),
    [
        ("Accept", {"msgstr": ""}, "is not translated"),
        ("Accept", {"msgstr": "  "}, "is not translated"),
        ("Accept", {"flags": ["fuzzy"]}, "is fuzzy"),
        ("Hello {name}", {"msgstr": "Hola"}, "has the placeholders"),
        ("Hello {name}", {"msgstr": "Hola {nombre}"}, "has the placeholders"),
        ("Case %(number)s is closed.", {"msgstr": "El %(numero)s"}, "has the placeholders"),
        ("%(n)s day left", {"msgstr_plural": {0: "un día", 1: "", 2: "x"}}, "is not translated"),
        ("%(n)s day left", {"msgstr_plural": {0: "u", 1: "%(n)s", 2: "x"}}, "has the placeholders"),
    ],
)
def test_each_fault_is_found(
    messages: ModuleType, package: Path, msgid: str, changes: dict[str, object], fault: str
) -> None:
    faults = change(messages, package, msgid, **changes)
    assert len(faults) == 1
    assert faults[0].startswith(f"es: {msgid!r}")
    assert fault in faults[0]


def test_missing_text_is_found_in_both_languages(messages: ModuleType, package: Path) -> None:
    (package / "more.py").write_text('_("Never seen")')
    assert messages.check(package) == [
        "es: 'Never seen' (more.py) is missing",
        "pt: 'Never seen' (more.py) is missing",
    ]


def test_unused_entry_is_found(messages: ModuleType, package: Path) -> None:
    (package / "code.py").write_text("")
    assert "pt: 'Hello {name}' is no longer used" in messages.check(package)


def test_stale_compiled_catalogue_is_found(messages: ModuleType, package: Path) -> None:
    path = messages.place(package, "es")
    catalogue = polib.pofile(str(path))
    catalogue.find("Accept").msgstr = "Acepto"
    catalogue.save()
    assert messages.check(package) == ["es: django.mo does not agree with django.po"]


def test_missing_compiled_catalogue_is_found(messages: ModuleType, package: Path) -> None:
    messages.place(package, "pt").with_suffix(".mo").unlink()
    assert messages.check(package) == ["pt: django.mo does not agree with django.po"]
