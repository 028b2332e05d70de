"""The checklists of the firm: what has to be known of a case, by its type (P13)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.checklists import publish_checklist
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import CaseType
from acuse.policy.checklists import LONGEST, MOST_ITEMS
from acuse.policy.fields import InvalidField
from acuse.policy.stages import Role
from acuse.queries import checklists as questions
from acuse.queries.checklists import TypeList

from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422


class ChecklistForm(forms.Form):
    """The items of a list, one a line, in their order."""

    use_required_attribute = False

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    items = forms.CharField(
        label=_("What has to be known"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        max_length=MOST_ITEMS * (LONGEST + 2) * 2,
        help_text=_("One in each line, as you would ask the customer. Empty: the list is retired."),
    )


@for_firm
def checklists(request: HttpRequest) -> HttpResponse:
    """Every list as it stands."""
    return show(
        request,
        "checklists",
        current="settings",
        lists=questions.lists(),
        administers=_administers(request),
    )


def _administers(request: HttpRequest) -> bool:
    person = person_of(request)
    return person.is_administrator or person.is_manager


@for_firm
def checklist(request: HttpRequest, pk: int) -> HttpResponse:
    """One list, with its history."""
    found = _find(pk)
    return _page(request, found, ChecklistForm(initial=_as_listed(found)))


def _find(pk: int) -> TypeList:
    try:
        return questions.get_list(pk)
    except CaseType.DoesNotExist as missing:
        raise Http404 from missing


def _as_listed(found: TypeList) -> dict[str, object]:
    number = found.version.number if found.version is not None else 0
    return {"seen": number, "items": "\n".join(item.text for item in found.items)}


@for_roles(*ADMINISTER)
def checklist_version(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: publish the next version of a list, with the words that were typed where it breaks a
    rule."""
    found, form = _find(pk), ChecklistForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, INVALID)
    try:
        publish_checklist(
            found.type,
            form.cleaned_data["items"].splitlines(),
            seen=form.cleaned_data["seen"],
            by=person_of(request),
            at=clock.now(),
        )
    except InvalidField as wrong:
        form.add_error(wrong.field, tell_rule(wrong))
        return _page(request, found, form, INVALID)
    messages.success(request, gettext("The list holds for cases that are opened from now on."))
    return redirect("desk:checklist", pk)


def _page(
    request: HttpRequest, found: TypeList, form: ChecklistForm, status: int = 200
) -> HttpResponse:
    changes = questions.changes_of(found.type.pk if found.type is not None else 0)
    return show(
        request,
        "checklist",
        status=status,
        current="settings",
        found=found,
        form=form,
        changes=[(row, row.fields.get("items", [[], []])[1]) for row in changes],
        administers=_administers(request),
    )
