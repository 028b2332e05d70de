"""Contracts: one in all its versions with its hours, and publishing the next version (P09)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from acuse.actions import contracts as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.models import Contract, ContractKind, Organisation
from acuse.policy.fields import InvalidField
from acuse.policy.stages import Role
from acuse.queries import administration, words
from acuse.queries import contracts as books
from acuse.queries.contracts import ContractView

from .contract_forms import ContractForm
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422


def _find(request: HttpRequest, pk: int) -> ContractView:
    try:
        return books.get_contract(person_of(request), pk, timezone.localdate(clock.now()))
    except Contract.DoesNotExist as missing:
        raise Http404 from missing


@for_firm
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """One contract: its hours by period, and every version whole."""
    person = person_of(request)
    found = _find(request, pk)
    return show(
        request,
        "contract",
        current="customers",
        found=found,
        contract=found.contract,
        kind=words.label(words.CONTRACT_KINDS, found.contract.kind),
        administers=person.is_administrator or person.is_manager,
    )


@for_roles(*ADMINISTER)
def new_contract(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST agrees a contract with a customer."""
    try:
        customer = administration.get_customer(person_of(request), pk)
    except Organisation.DoesNotExist as missing:
        raise Http404 from missing
    form = ContractForm(customer, None, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            version = acts.agree(
                customer,
                given["name"],
                ContractKind(given["kind"]),
                form.terms(),
                by=person_of(request),
                at=clock.now(),
                why=given["why"],
            )
        except InvalidField as wrong:
            form.blame(wrong)
        else:
            messages.success(request, _("The contract holds from its first day on."))
            return redirect("desk:contract", version.contract_id)
    status = INVALID if form.is_bound else 200
    return show(
        request, "contract_form", status=status, current="customers", form=form, customer=customer
    )


@for_roles(*ADMINISTER)
def new_version(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST publishes the next version of a contract. Cases that run keep theirs."""
    found = _find(request, pk)
    customer = found.contract.organisation
    data = request.POST if request.method == "POST" else None
    form = ContractForm(customer, found.newest, data)
    if form.is_bound and form.is_valid():
        try:
            version = acts.publish(
                found.contract,
                form.terms(),
                by=person_of(request),
                at=clock.now(),
                why=form.cleaned_data["why"],
            )
        except InvalidField as wrong:
            form.blame(wrong)
        else:
            told = _("Version %(number)s is published. Cases that run keep theirs.")
            messages.success(request, told % {"number": version.number})
            return redirect("desk:contract", pk)
    return show(
        request,
        "contract_form",
        status=INVALID if form.is_bound else 200,
        current="customers",
        form=form,
        customer=customer,
        contract=found.contract,
    )
