"""Declared outages at the desk: telling the customers, and gathering their reports (P04, P06)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import disruptions as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import DESK, for_firm, occasion_of, person_of
from acuse.interfaces.web.forms.base import CaseNumber
from acuse.interfaces.web.refusals import tell, tell_rule
from acuse.models import Case, Environment, Person
from acuse.policy.disruptions import LANGUAGES, LONGEST
from acuse.policy.fields import InvalidField, find_int
from acuse.policy.refusals import Refused
from acuse.policy.stages import BEFORE_WORK, ENDED, Role
from acuse.queries import disruptions as questions
from acuse.queries.disruptions import Known
from acuse.queries.narrow import numbers

from .monitoring_forms import Moment
from .pages import for_roles, show

DECLARE = (Role.SUPPORT, Role.MANAGER)
INVALID = 422


def _text(label: Any, **options: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(
        label=label, widget=widget, max_length=LONGEST, required=False, **options
    )


class WordForm(forms.Form):
    """What the customers read, each in their language."""

    use_required_attribute = False

    text_es = _text(
        _("In Spanish"),
        help_text=_("All customers read the same: name none of them. One language is enough."),
    )
    text_en = _text(_("In English"))
    text_pt = _text(_("In Portuguese"))

    def texts(self) -> dict[str, str]:
        return {code: self.cleaned_data[f"text_{code}"] for code in LANGUAGES}


class _Environments(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.organisation} · {obj.name}"


class _KnownCase(CaseNumber):
    """A case by its number, where there is one."""

    def clean(self, value: Any) -> Case | None:
        found: Case | None = super().clean(value) if value else None
        return found


class DeclareForm(WordForm):
    """Which systems do not work, since when, and what their customers read."""

    environments = _Environments(
        Environment.objects.none(),
        label=_("What does not work"),
        widget=forms.CheckboxSelectMultiple,
    )
    system = forms.CharField(
        label=_("Name of what they share"),
        required=False,
        max_length=100,
        help_text=_("For example the hosting; without it each customer reads its environments."),
    )
    since = forms.DateTimeField(label=_("Since when"), widget=Moment())
    parent = _KnownCase(
        label=_("Parent case"),
        required=False,
        help_text=_("The reports hang on it (C-17). Without one the firm opens a case of its own."),
    )
    field_order = ("environments", "system", "since", "text_es", "text_en", "text_pt", "parent")

    def __init__(self, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        environments, parent = self.fields["environments"], self.fields["parent"]
        assert isinstance(environments, forms.ModelMultipleChoiceField)
        assert isinstance(parent, CaseNumber)
        rows = Environment.objects.visible_to(person).filter(retired_at__isnull=True)
        environments.queryset = rows.select_related("organisation").order_by(
            "organisation__name", "name"
        )
        parent.limit(Case(), person)


@for_firm
def disruptions(request: HttpRequest) -> HttpResponse:
    """Every declared outage, those that run first."""
    found = questions.every(person_of(request))
    return show(
        request,
        "disruptions",
        current="monitoring",
        running=[row for row in found if not row.ended],
        over=[row for row in found if row.ended],
    )


@for_roles(*DECLARE)
def new_disruption(request: HttpRequest) -> HttpResponse:
    """GET asks, POST declares an outage and has its customers told."""
    person = person_of(request)
    if request.method != "POST":
        chosen = [pk for pk in request.GET.getlist("environment") if find_int(pk) is not None]
        initial = {"environments": chosen, "since": timezone.localtime(clock.now())}
        return _ask(request, DeclareForm(person, initial=initial))
    form = DeclareForm(person, request.POST)
    if not form.is_valid():
        return _ask(request, form, INVALID)
    given = form.cleaned_data
    try:
        found = acts.declare(
            occasion_of(request, DESK, None),
            environments=list(given["environments"]),
            since=given["since"],
            texts=form.texts(),
            system=given["system"],
            parent=given["parent"],
        )
    except InvalidField as wrong:
        form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))
    except Refused as refusal:
        form.add_error(None, tell(refusal, person).reason)
    else:
        messages.success(request, gettext("The outage is declared; its customers get a mail."))
        return redirect("desk:disruption", found.pk)
    return _ask(request, form, INVALID)


def _ask(request: HttpRequest, form: DeclareForm, status: int = 200) -> HttpResponse:
    return show(request, "new_disruption", status=status, current="monitoring", form=form)


@for_firm
def disruption(request: HttpRequest, pk: int) -> HttpResponse:
    """One outage: what was told, how the mails go, the reports that hang on it or may."""
    return _page(request, _found(request, pk))


def _found(request: HttpRequest, pk: int) -> Known:
    try:
        return questions.get_disruption(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


def _page(
    request: HttpRequest, known: Known, form: WordForm | None = None, status: int = 200
) -> HttpResponse:
    row, person = known.disruption, person_of(request)
    held = {m.role for m in person.active_memberships()}
    children = questions.children_of(row)
    return show(
        request,
        "disruption",
        status=status,
        current="monitoring",
        known=known,
        post=questions.post_of(row),
        children=children,
        waiting=[case for case in children if case.stage not in ENDED],
        before_work=BEFORE_WORK,
        candidates=questions.candidates(row),
        may=not held.isdisjoint(DECLARE),
        form=form or WordForm(),
    )


@for_roles(*DECLARE)
def disruption_words(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: tell how it goes; with `end` that it is over."""
    known, form = _found(request, pk), WordForm(request.POST)
    if not form.is_valid():
        return _page(request, known, form, INVALID)
    say = acts.end if "end" in request.POST else acts.update
    try:
        say(known.disruption, form.texts(), by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))
        return _page(request, known, form, INVALID)
    messages.success(request, gettext("The customers get it by mail."))
    return redirect("desk:disruption", pk)


@for_roles(*DECLARE)
def disruption_reports(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: hang the ticked reports on the parent case."""
    known, person = _found(request, pk), person_of(request)
    ticked = set(numbers(request.POST.getlist("case")))
    chosen = [case for case in questions.candidates(known.disruption) if case.pk in ticked]
    attached, refused = acts.attach_reports(
        known.disruption, chosen, occasion_of(request, DESK, None)
    )
    for case, refusal in refused:
        messages.error(request, f"{case.number}: {tell(refusal, person).reason}")
    told = ngettext("%(n)s case was attached.", "%(n)s cases were attached.", attached)
    messages.success(request, told % {"n": attached})
    return redirect("desk:disruption", pk)
