"""The firm's vocabulary: each part listed, its words added, renamed, retired; and who did what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import catalogue as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Person
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries import tables as books
from acuse.queries.administration import changes_of

from .customers import told_changes
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422

TITLES = {
    "queue": N_("Queues"),
    "type": N_("Types of case"),
    "module": N_("Modules"),
    "specialty": N_("Specialties"),
    "cause": N_("Root causes"),
}


class WordForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)


def administers(person: Person) -> bool:
    """Whether somebody may change what the installation consists of."""
    return person.is_administrator or person.is_manager


@for_firm
def settings(request: HttpRequest) -> HttpResponse:
    """Everything that managers and administrators set up, by subject."""
    return show(
        request,
        "settings",
        current="settings",
        vocabulary=[(kind, gettext(title)) for kind, title in TITLES.items()],
        administers=administers(person_of(request)),
    )


@for_firm
def vocabulary(request: HttpRequest, kind: str) -> HttpResponseBase:
    """GET shows one part of the vocabulary, POST adds a word to it."""
    if kind not in acts.WORDS:
        raise Http404
    if request.method == "POST":
        return _add(request, kind)
    return _list(request, kind, WordForm())


@for_roles(*ADMINISTER)
def _add(request: HttpRequest, kind: str) -> HttpResponse:
    form = WordForm(request.POST)
    if form.is_valid():
        try:
            acts.add_word(kind, form.cleaned_data["name"], by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            form.add_error("name", tell_rule(wrong))
        else:
            return redirect("desk:vocabulary", kind)
    return _list(request, kind, form, INVALID)


def _list(request: HttpRequest, kind: str, form: WordForm, status: int = 200) -> HttpResponse:
    return show(
        request,
        "vocabulary",
        status=status,
        current="settings",
        kind=kind,
        title=gettext(TITLES[kind]),
        rows=books.vocabulary(acts.WORDS[kind]),
        form=form,
        administers=administers(person_of(request)),
    )


def _find(kind: str, pk: int) -> Any:
    model = acts.WORDS.get(kind)
    found = model._default_manager.filter(pk=pk).first() if model is not None else None
    if found is None:
        raise Http404
    return found


@for_roles(*ADMINISTER)
def word(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """GET shows a word, POST gives it another name."""
    found = _find(kind, pk)
    form = WordForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            acts.rename_word(kind, found, name, by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            form.add_error("name", tell_rule(wrong))
        else:
            return redirect("desk:vocabulary", kind)
    return _page(request, kind, found, form)


def _page(
    request: HttpRequest, kind: str, found: Any, form: WordForm, refusal: str = ""
) -> HttpResponse:
    return show(
        request,
        "word",
        status=INVALID if refusal or form.errors else 200,
        current="settings",
        kind=kind,
        title=gettext(TITLES[kind]),
        word=found,
        form=form,
        refusal=refusal,
        changes=told_changes(changes_of(kind, found.pk)),
    )


@for_roles(*ADMINISTER)
def word_retirement(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """POST: a word is not offered any more; what names it keeps it."""
    found = _find(kind, pk)
    try:
        acts.retire_word(kind, found, by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        form = WordForm(initial={"name": found.name})
        return _page(request, kind, found, form, tell_rule(wrong))
    messages.success(request, gettext("It is not offered any more."))
    return redirect("desk:vocabulary", kind)


@for_roles(*ADMINISTER)
def word_restoration(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """POST: a retired word is offered again."""
    acts.restore_word(kind, _find(kind, pk), by=person_of(request), at=clock.now())
    messages.success(request, gettext("It is offered again."))
    return redirect("desk:vocabulary", kind)
