"""Customers and people: set up, changed and retired by managers and administrators; and who did
what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from acuse.actions import customers as acts
from acuse.actions.administration import CUSTOMER, PERSON
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import person_of
from acuse.interfaces.web.profile import LANGUAGES
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Change, Organisation, Person
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries import administration as books
from acuse.queries import words
from acuse.queries.notices import GROUPS, WAYS

from .forms import PersonChoice
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422


class CustomerForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))
    spoc = PersonChoice(
        Person.objects.none(),
        label=_("Single point of contact"),
        required=False,
        help_text=_("Validates scopes for the firm (P17); without one none can be submitted."),
    )

    def __init__(self, customer: Organisation | None, data: Any = None) -> None:
        names = ("name", "language", "spoc")
        known = {name: getattr(customer, name) for name in names} if customer is not None else {}
        super().__init__(data, initial=known)
        field = self.fields["spoc"]
        assert isinstance(field, forms.ModelChoiceField)
        ids = [person.pk for person in books.firm_people()]
        field.queryset = Person.objects.filter(pk__in=ids).order_by("name", "email")

    def facts(self) -> acts.CustomerFacts:
        return acts.CustomerFacts(**self.cleaned_data)


class PartForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)
    detail = forms.CharField(required=False, max_length=200)

    def __init__(self, kind: str, part: acts.Part | None, data: Any = None) -> None:
        column = acts.DETAILS[kind]
        known = {}
        if part is not None:
            known = {"name": part.name, "detail": getattr(part, column) if column else ""}
        super().__init__(data, initial=known)
        if column:
            self.fields["detail"].label = gettext(LABELS[column])
        else:
            del self.fields["detail"]


class PersonForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))


class Retire(forms.Form):
    """Why something is no longer in use."""

    use_required_attribute = False

    why = forms.CharField(label=_("Why"), max_length=500)


LABELS = {
    "name": N_("Name"),
    "specialties": N_("Specialties"),
    "languages": N_("Languages"),
    "customers": N_("In the team of"),
    "calendar": N_("Works by the calendar"),
    "first": N_("First day"),
    "last_day": N_("Last day"),
    "substitute": N_("Substitute"),
    "language": N_("Language"),
    "spoc": N_("Single point of contact"),
    "tax_id": N_("Tax number"),
    "url": N_("Address"),
    "email": N_("Mail address"),
    "person": N_("Person"),
    "organisation": N_("Organisation"),
    "role": N_("Role"),
    "area": N_("Area"),
    "ways": N_("Notices"),
    "daily_hour": N_("Hour of the daily summary"),
    "quiet": N_("Nothing outside working hours"),
}
PART_WORDS = {
    "area": (N_("Add an area"), N_("Area")),
    "entity": (N_("Add an entity"), N_("Entity")),
    "environment": (N_("Add an environment"), N_("Environment")),
}
DONE = {
    "add": N_("set it up"),
    "edit": N_("changed it"),
    "retire": N_("retired it"),
    "restore": N_("took it into use again"),
    "set_preferences": N_("chose how to be told"),
    "publish": N_("published it"),
    "review": N_("reviewed a year"),
    "give_role": N_("gave a role"),
    "set_skills": N_("changed what cases are routed by"),
    "add_absence": N_("noted an absence"),
    "end_absence": N_("ended an absence"),
    "end_role": N_("ended a role"),
    "clear_bouncing": N_("noted that mail reaches an address again"),
    "add_area": N_("added an area"),
    "edit_area": N_("changed an area"),
    "retire_area": N_("retired an area"),
    "restore_area": N_("took an area into use again"),
    "add_entity": N_("added an entity"),
    "edit_entity": N_("changed an entity"),
    "retire_entity": N_("retired an entity"),
    "restore_entity": N_("took an entity into use again"),
    "add_environment": N_("added an environment"),
    "edit_environment": N_("changed an environment"),
    "retire_environment": N_("retired an environment"),
    "restore_environment": N_("took an environment into use again"),
}


def history(subject: str, row: int) -> list[tuple[Change, str, list[tuple[str, str, str]]]]:
    """Who changed what of a customer or a person, in words, the newest first."""
    return told_changes(books.changes_of(subject, row))


def told_changes(
    changes: Iterable[Change],
) -> list[tuple[Change, str, list[tuple[str, str, str]]]]:
    """Changes in words: the change, what was done, and each field that says something."""
    return [
        (change, gettext(DONE.get(change.act, change.act)), _fields(change)) for change in changes
    ]


def _fields(change: Change) -> list[tuple[str, str, str]]:
    """Each field that says something: its label, what stood there before ("": nothing), after."""
    return [
        (gettext(LABELS[name]), _shown(name, before), _shown(name, after) or "—")
        for name, (before, after) in change.fields.items()
        if name in LABELS and (before or after)
    ]


def _shown(name: str, value: object) -> str:
    if name == "role" and value:
        return words.label(words.ROLES, str(value))
    if name == "ways" and isinstance(value, dict):
        said = gettext("%(what)s: %(how)s")
        return "; ".join(
            said % {"what": gettext(GROUPS[g]), "how": gettext(WAYS[w])} for g, w in value.items()
        )
    if name == "daily_hour" and isinstance(value, int):
        return f"{value:02}:00"
    if isinstance(value, bool):
        return gettext(words.TRUTH[value])
    return str(value or "")


def _customer(request: HttpRequest, pk: int) -> Organisation:
    try:
        return books.get_customer(person_of(request), pk)
    except Organisation.DoesNotExist as missing:
        raise Http404 from missing


def _person(request: HttpRequest, pk: int) -> Person:
    try:
        return books.get_person(person_of(request), pk)
    except Person.DoesNotExist as missing:
        raise Http404 from missing


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))


def _form_page(
    request: HttpRequest,
    form: forms.Form,
    title: str,
    back: Organisation | Person,
    retire: forms.Form | None = None,
    **more: Any,
) -> HttpResponse:
    bound = form.is_bound or (retire is not None and retire.is_bound)
    return show(
        request,
        "keep",
        status=INVALID if bound else 200,
        current="people" if isinstance(back, Person) else "customers",
        form=form,
        title=title,
        back=back,
        of_person=isinstance(back, Person),
        retire=retire,
        **more,
    )


@for_roles(*ADMINISTER)
def new_customer(request: HttpRequest) -> HttpResponse:
    """GET asks, POST sets a customer up."""
    form = CustomerForm(None, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = acts.set_up_customer(form.facts(), by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, gettext("The customer is set up."))
            return redirect("desk:customer", made.pk)
    status = INVALID if form.is_bound else 200
    return show(request, "new_customer", status=status, current="customers", form=form)


@for_roles(*ADMINISTER)
def customer_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST changes what is known of a customer."""
    found = _customer(request, pk)
    form = CustomerForm(found, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            acts.change_customer(found, form.facts(), by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, gettext("The customer has been changed."))
            return redirect("desk:customer", pk)
    return _customer_form(request, found, form, Retire())


def _customer_form(
    request: HttpRequest, found: Organisation, form: forms.Form, retire: forms.Form
) -> HttpResponse:
    said = gettext("Its people enter no more and no new case is its. What happened stays.")
    return _form_page(
        request, form, str(found), found, retire, in_use=found.active, retiring=said, of="customer"
    )


@for_roles(*ADMINISTER)
def customer_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: it is no customer any more."""
    found, form = _customer(request, pk), Retire(request.POST)
    if form.is_valid():
        why = form.cleaned_data["why"]
        try:
            acts.retire_customer(found, by=person_of(request), at=clock.now(), why=why)
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, gettext("The customer is retired."))
            return redirect("desk:customer", pk)
    return _customer_form(request, found, CustomerForm(found), form)


@for_roles(*ADMINISTER)
def customer_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a retired customer is one again."""
    acts.restore_customer(_customer(request, pk), by=person_of(request), at=clock.now())
    messages.success(request, gettext("The customer is in use again."))
    return redirect("desk:customer", pk)


def _part(pk: int, kind: str, found: Organisation) -> acts.Part:
    part: acts.Part | None = acts.PARTS[kind].objects.filter(pk=pk, organisation=found).first()
    if part is None:
        raise Http404
    return part


@for_roles(*ADMINISTER)
def new_part(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """GET asks, POST adds an area, an entity or an environment."""
    found = _customer(request, pk)
    form = PartForm(kind, None, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            acts.add_part(found, kind, **form.cleaned_data, by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            return redirect("desk:customer", pk)
    return _form_page(request, form, gettext(PART_WORDS[kind][0]), found)


@for_roles(*ADMINISTER)
def part(request: HttpRequest, pk: int, kind: str, number: int) -> HttpResponse:
    """GET asks; POST changes it, retires it or takes it into use again (`retired` is sent)."""
    found = _customer(request, pk)
    row, by, now = _part(number, kind, found), person_of(request), clock.now()
    if "retired" in request.POST:
        acts.set_part_retired(row, request.POST["retired"] == "yes", by=by, at=now)
        return redirect("desk:customer", pk)
    form = PartForm(kind, row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            acts.change_part(row, **form.cleaned_data, by=by, at=now)
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            return redirect("desk:customer", pk)
    return _form_page(request, form, str(row), found, part=row)


@for_roles(*ADMINISTER)
def person_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST changes what the firm knows of somebody."""
    found = _person(request, pk)
    known = {"name": found.name, "language": found.language}
    form = PersonForm(request.POST if request.method == "POST" else None, initial=known)
    if form.is_bound and form.is_valid():
        acts.change_person(found, **form.cleaned_data, by=person_of(request), at=clock.now())
        messages.success(request, gettext("The person has been changed."))
        return redirect("desk:person", pk)
    return _person_form(request, found, form, Retire())


def _person_form(
    request: HttpRequest, found: Person, form: forms.Form, retire: forms.Form
) -> HttpResponse:
    count = sum(held.until is None for held in found.memberships.all())
    said = ngettext(
        "They enter no more, and %(n)s role ends. What they did stays theirs.",
        "They enter no more, and %(n)s roles end. What they did stays theirs.",
        count,
    )
    return _form_page(
        request,
        form,
        str(found),
        found,
        retire,
        in_use=found.is_active,
        retiring=said % {"n": count},
        of="person",
    )


@for_roles(*ADMINISTER)
def person_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: somebody enters no more."""
    found, form = _person(request, pk), Retire(request.POST)
    if form.is_valid():
        why = form.cleaned_data["why"]
        try:
            acts.retire_person(found, by=person_of(request), at=clock.now(), why=why)
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, gettext("The person is retired."))
            return redirect("desk:person", pk)
    known = {"name": found.name, "language": found.language}
    return _person_form(request, found, PersonForm(initial=known), form)


@for_roles(*ADMINISTER)
def person_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: somebody may enter again."""
    acts.restore_person(_person(request, pk), by=person_of(request), at=clock.now())
    messages.success(request, gettext("They may enter again. Give a role next."))
    return redirect("desk:person", pk)


def history_of_customer(pk: int) -> list[tuple[Change, str, list[tuple[str, str, str]]]]:
    return history(CUSTOMER, pk)


def history_of_person(pk: int) -> list[tuple[Change, str, list[tuple[str, str, str]]]]:
    return history(PERSON, pk)
