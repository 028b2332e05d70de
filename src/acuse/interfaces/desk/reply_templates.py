"""Reply templates and macros: texts that are kept to be used again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import reply_templates as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.forms import rows
from acuse.interfaces.web.forms.base import Code, long_text
from acuse.interfaces.web.profile import LANGUAGES
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Addressee, Case, Person, Queue, ReplyTemplate
from acuse.models.kept import LONGEST_NAME
from acuse.policy.fields import InvalidField
from acuse.policy.replies import VARIABLES
from acuse.queries import words

from .forms import PersonChoice
from .pages import show

INVALID = 422


class TemplateForm(forms.Form):
    """A text with its variables, and what a macro does beside it."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))
    text = long_text(_("Text"))
    shared = forms.BooleanField(label=_("Everybody of the firm may use it"), required=False)
    take = forms.BooleanField(label=_("Take the case"), required=False)
    assign_me = forms.BooleanField(label=_("Assign the case to who uses it"), required=False)
    assignee = PersonChoice(
        Person.objects.none(), required=False, label=_("Assign the case to"), empty_label="—"
    )
    queue = forms.ModelChoiceField(
        Queue.objects.none(), required=False, label=_("Put it into the queue"), empty_label="—"
    )
    wait_for = Code(words.ADDRESSEES, Addressee, required=False, label=_("Then wait for"))

    def __init__(self, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, found in (("assignee", rows.firm_people), ("queue", rows.queues)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = found(Case(), person)

    def facts(self) -> dict[str, Any]:
        """What the act takes."""
        return self.cleaned_data | {"wait_for": self.cleaned_data["wait_for"] or ""}


@for_firm
def reply_templates(request: HttpRequest) -> HttpResponse:
    """One's own templates and those that others share."""
    found = _usable(person_of(request)).select_related("owner", "assignee", "queue")
    return show(
        request,
        "reply_templates",
        current="settings",
        templates=found.order_by("name", "pk"),
        person=person_of(request),
    )


@for_firm
def new_template(request: HttpRequest) -> HttpResponse:
    """GET: an empty form. POST keeps it."""
    person = person_of(request)
    if request.method != "POST":
        return _show(request, TemplateForm(person, initial={"language": person.language}), None)
    return _save(request, TemplateForm(person, request.POST), None)


@for_firm
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """A template of one's own, or as a manager a shared one: shown on GET, changed on POST."""
    kept, person = _get(request, pk), person_of(request)
    if request.method == "POST":
        return _save(request, TemplateForm(person, request.POST), kept)
    initial = {name: getattr(kept, name) for name in TemplateForm.base_fields}
    return _show(request, TemplateForm(person, initial=initial), kept)


@for_firm
def retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the template is no longer offered to anybody."""
    kept = acts.retire_template(_get(request, pk), by=person_of(request), at=clock.now())
    messages.success(request, gettext("“%(name)s” is retired.") % {"name": kept.name})
    return redirect("desk:reply_templates")


def _usable(person: Person) -> QuerySet[ReplyTemplate]:
    return ReplyTemplate.objects.visible_to(person).in_use()


def _get(request: HttpRequest, pk: int) -> ReplyTemplate:
    """A template that this person may change; any other looks like none."""
    person = person_of(request)
    kept = _usable(person).filter(pk=pk).first()
    if kept is None or not kept.may_be_changed_by(person):
        raise Http404(pk)
    return kept


def _save(request: HttpRequest, form: TemplateForm, kept: ReplyTemplate | None) -> HttpResponse:
    if not form.is_valid():
        return _show(request, form, kept)
    given: dict[str, Any] = form.facts() | {"by": person_of(request), "at": clock.now()}
    try:
        if kept is None:
            acts.keep_template(**given)
        else:
            acts.change_template(kept, **given)
    except InvalidField as invalid:
        form.add_error(invalid.field, tell_rule(invalid))
        return _show(request, form, kept)
    messages.success(request, gettext("Kept."))
    return redirect("desk:reply_templates")


def _show(request: HttpRequest, form: TemplateForm, kept: ReplyTemplate | None) -> HttpResponse:
    wrong = form.is_bound and not form.is_valid()
    return show(
        request,
        "reply_template",
        status=INVALID if wrong else 200,
        current="settings",
        form=form,
        kept=kept,
        variables=[("{{" + name + "}}", gettext(told)) for name, told in VARIABLES.items()],
    )
