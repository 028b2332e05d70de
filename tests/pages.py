"""The catalogue of all addresses, read from the addresses themselves: who visits each one, with
which ids, and what it answers. A new page is in it at once; one whose address needs an id says here
what (`AFTER`, `ARGUMENTS`), and what is handed out without being a page says so (`DOCUMENTS`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from acuse.interfaces.web.errors import closed
from acuse.interfaces.web.nouns import NOUNS
from acuse.models.roles import roles_on
from acuse.policy.stages import ACTS, Stage

if TYPE_CHECKING:
    from acuse.models import Case
    from tests.estate import Estate

# What an id in an address is, by the word before it: its name in tests/estate.py.
AFTER = {
    "webhooks": "provider",
    "cases": "case",
    "receipts": "seq",
    "messages": "message",
    "files": "file",
    "notices": "notice",
    "policy": "policy",
    "customers": "customer",
    "area": "area",
    "entity": "entity",
    "environment": "environment",
    "contracts": "contract",
    "imports": "import",
    "templates": "kind",
    "people": "person",
    "skills": "person",
    "absences": "absence",
    "roles": "role",
    "calendars": "calendar",
    "years": "year",
    "mailboxes": "mailbox",
    "checklists": "type",
    "outages": "outage",
    "monitoring": "environment",
    "maintenance": "maintenance",
    "checks": "check",
    "alert-sources": "source",
    "addresses": "address",
    "routing": "rule",
    "turns": "turn",
    "offers": "offer",
    "pages": "page",
    "views": "view",
    "drafts": "draft",
    "sendings": "sending",
    "triage": "received",
    "replies": "reply",
    "timers": "timer",
    "works": "work",
}
# Where that is not enough: all ids of an address, by its name.
ARGUMENTS = {
    "pack": "packed pack_seq",
    "act": "case noun",
    "message": "mailed message",
    "message_html": "mailed message",
    "demo_mail": "caught",
    "demo_mail_html": "caught",
    "mail": "raw",
    "mail_html": "raw",
    "mail_raw": "raw",
    "mail_file": "raw part",
    "mail_decision": "raw decision",
    "offer_answer": "offer answer",
    "reply_text": "case reply",
    "hook": "hook",
    "hook_trial": "hook",
    "hook_retirement": "hook",
    "desk:policy": "policy_row",
    **dict.fromkeys(("vocabulary",), "words"),
    **dict.fromkeys(("word", "word_retirement", "word_restoration"), "words word"),
    **dict.fromkeys(("tables", "new_table"), "tables"),
    **dict.fromkeys(("table", "next_table", "table_retirement"), "tables table"),
}
# What is handed out and is no page of ours: files, what stands in a frame or becomes a part of a
# page, answers to machines.
DOCUMENTS = frozenset(
    [
        "health",
        "portal:pack",
        "portal:file",
        "portal:message_html",
        "portal:demo_mail_html",
        "portal:receipt_text",
        "portal:forecast",
        "portal:similar",
        "desk:pack",
        "desk:work_file",
        "desk:file",
        "desk:message_html",
        "desk:receipt_text",
        "desk:mail_html",
        "desk:mail_raw",
        "desk:mail_file",
        "desk:import_wrong",
        "desk:import_template",
        "desk:work_file",
        "desk:palette",
        "desk:glance",
        "desk:reply_text",
        "desk:sending",
    ]
)

# Who visits, where it is not the usual one: a user of the portal, a manager at the desk, nobody at
# the entrance.
VISITORS = {
    "account_logout": "ana",
    "profile": "ana",
    "desk:my_time": "carlos",
    "desk:day": "carlos",
}
VISITORS |= dict.fromkeys(("desk:hooks", "desk:hook"), "ada")
USUAL = {"portal": "ana", "desk": "mario", "": ""}

# The same page with other things on it: what is asked for behind the question mark.
ALSO = {
    "portal:home": ("state=ended", "whose=mine"),
    "portal:notices": ("show=unread",),
    "desk:inbox": ("stage=analysis", "view=nothing"),
    "desk:search": ("q=facturas",),
    "desk:mails": ("state=held",),
}
STATUSES = {("desk:inbox", "view=nothing"): 400}
CASES = tuple(stage for stage in Stage if stage not in (Stage.DIAGNOSIS, Stage.ESTIMATION))

# Acts that need a case on which something special has happened.
SPECIAL = {
    "answer_objection": Stage.CORRECTION,
    "answer": Stage.IN_PROGRESS,
    "deliver": Stage.IN_PROGRESS,
    "decide_claim": "claimed",
    "deliver_fix": "covered",
    "approve_statement": "stated",
    "dispute_statement": "stated",
    "credit_statement": "billed",
    "export_statement": "billed",
    "admit_copied": "mailed",
    "dismiss_copied": "mailed",
}
CUSTOMERS, FIRM = ("ana", "omar"), ("mario", "sara", "carlos", "paula")


@dataclass(frozen=True)
class Visit:
    """Somebody (a short name of tests/world.py, or nobody) at an address, and the status of the
    answer."""

    who: str
    path: str
    status: int = 200


@cache
def addresses() -> dict[str, list[URLPattern]]:
    """Every address of the site by its full name (desk:case); allauth's closed ones left out."""
    found: dict[str, list[URLPattern]] = {}

    def walk(entries: list[URLPattern | URLResolver], space: str) -> None:
        for entry in entries:
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, f"{entry.namespace}:" if entry.namespace else space)
            elif entry.callback is not closed:
                found.setdefault(f"{space}{entry.name}", []).append(entry)

    walk(get_resolver().url_patterns, "")
    return found


def page_names() -> list[str]:
    """What is visited: every page by name, and each act's page at the doors of who may do it."""
    names = []
    for name in addresses():
        if name.endswith(":act"):
            names += [f"{name}/{noun}" for act, noun in NOUNS.items() if _is_done_at(act, name)]
        elif name not in DOCUMENTS and not is_sent_to(name):
            names.append(name)
    return names


def is_sent_to(name: str) -> bool:
    """Whether an address only takes what forms send: there is nothing to look at."""
    return all("GET" not in _methods(pattern.callback) for pattern in addresses()[name])


def _methods(view: Callable[..., object] | None) -> list[str]:
    """The methods that a view has been restricted to, by any of its decorators."""
    while view is not None:
        code = getattr(view, "__code__", None)
        if code is not None and "request_method_list" in code.co_freevars:
            return inspect.getclosurevars(view).nonlocals["request_method_list"]
        view = getattr(view, "__wrapped__", None)
    return ["GET"]


def _is_done_at(act: str, name: str) -> bool:
    firm = ACTS[act].who & {"support", "consultant", "spoc", "manager"}
    customer = ACTS[act].who & {"user", "lead", "owner"}
    return bool(firm if name.startswith("desk:") else customer)


def paths(estate: Estate, name: str) -> list[str]:
    """The paths of an address, with Andina's ids. Raises LookupError where nobody has said which
    ids it takes."""
    found = []
    for pattern in addresses()[name]:
        takes = len(pattern.pattern.converters)
        ids = _ids(name, str(pattern.pattern)) if takes else []
        if len(ids) != takes or not set(ids) <= set(estate.ids):
            raise LookupError(f"tests/pages.py does not say which ids {name} takes: {ids}")
        found.append(reverse(name, args=[estate.ids[one] for one in ids]))
    return found


def _ids(name: str, pattern: str) -> list[str]:
    given = ARGUMENTS.get(name, ARGUMENTS.get(name.partition(":")[2], ""))
    if given:
        return given.split()
    words = re.findall(r"([\w-]+)/<", pattern)
    return [AFTER[word] for word in words if word in AFTER]


def visits(estate: Estate, name: str) -> Iterator[Visit]:
    """The visits to a page of `page_names`."""
    if ":act/" in name:
        yield _visit_of_act(estate, name)
        return
    space = name.partition(":")[0] if ":" in name else ""
    who = VISITORS.get(name, USUAL[space])
    for path in paths(estate, name):
        yield Visit(who, path)
        for asked in ALSO.get(name, ()):
            yield Visit(who, f"{path}?{asked}", STATUSES.get((name, asked), 200))
    if name.endswith(":case"):
        for stage in CASES:
            who = "omar" if space == "portal" and stage == Stage.SCOPE_VALIDATION else USUAL[space]
            yield Visit(who, reverse(name, args=[estate.cases[stage].number]))


def _visit_of_act(estate: Estate, name: str) -> Visit:
    view, _, noun = name.partition("/")
    act = next(act for act, known in NOUNS.items() if known == noun)
    case = _case_for(estate, act)
    people = FIRM if view.startswith("desk") else CUSTOMERS
    by_name = estate.world.people
    may = [p for p in people if ACTS[act].who & roles_on(case, by_name[p], estate.now)]
    return Visit(may[0], reverse(view, args=[case.number, noun]))


def _case_for(estate: Estate, act: str) -> Case:
    """A case on which the act may be done, and has something to be done to."""
    wanted = SPECIAL.get(act)
    if isinstance(wanted, Stage):
        return estate.cases[wanted]
    if wanted is not None:
        return estate.named(wanted)
    order = (Stage.DELIVERED, Stage.ACCEPTED, *Stage)
    return next(estate.cases[stage] for stage in order if stage in ACTS[act].stages)


def errors(estate: Estate) -> Iterator[Visit]:
    """What people see who have gone wrong: nothing there, not theirs, not now."""
    yield Visit("ana", "/nowhere", 404)
    yield Visit("sara", reverse("desk:new_person"), 403)
    case = estate.cases[Stage.RECEIVED]
    yield Visit("ana", reverse("portal:act", args=[case.number, NOUNS["accept"]]), 409)
    yield Visit("sara", reverse("desk:act", args=[case.number, NOUNS["close"]]), 409)
