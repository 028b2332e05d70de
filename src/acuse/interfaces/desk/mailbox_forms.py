"""The forms of a mailbox: what it is for, and where it lies. A secret goes in and never out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from acuse.actions.mailboxes import AccountFacts, MailboxFacts
from acuse.connectors.trouble import Trouble
from acuse.interfaces.web.polled import SECRETS, seal, unseal
from acuse.models import (
    ImapAccount,
    Mailbox,
    Organisation,
    OrganisationKind,
    Person,
    Queue,
    Security,
    SignIn,
    Transport,
)
from acuse.policy.fields import N_

TRANSPORTS = {
    Transport.LISTENER: N_("our own listener (SMTP, LMTP)"),
    Transport.PIPE: N_("the pipe command of a mail server"),
    Transport.IMAP: N_("we fetch it (IMAP)"),
    Transport.WEBHOOK: N_("a mail provider hands it in (webhook)"),
}
SECURITIES = {
    Security.TLS: N_("TLS (usually port 993)"),
    Security.STARTTLS: N_("STARTTLS (usually port 143)"),
    Security.PLAIN: N_("none: only for a server on this machine"),
}
SIGN_INS = {
    SignIn.PASSWORD: N_("password"),
    SignIn.GOOGLE: N_("Google (OAuth)"),
    SignIn.MICROSOFT: N_("Microsoft 365 (OAuth)"),
}
OAUTH = (SignIn.GOOGLE, SignIn.MICROSOFT)
SECRET_FIELDS = ("password", "tenant", "client_id", "client_secret", "refresh_token")
OPTIONAL_SECRETS = {SignIn.MICROSOFT: {"client_secret", "refresh_token"}}
OPEN_FIELDS = ("tenant", "client_id")  # kept with the secrets, and no secrets themselves


def _choices(words: dict[Any, str]) -> list[tuple[str, str]]:
    return [(str(code), gettext(text)) for code, text in words.items()]


def _ways(*sign_ins: SignIn) -> dict[str, str]:
    """The attribute by which the stylesheet shows a field for these ways of signing in only."""
    return {"data-sign-in": " ".join(sign_ins)}


def _secret(label: Any, help_text: Any = "", *ways: SignIn, strip: bool = True) -> forms.CharField:
    """Never filled in: what is kept is not shown again."""
    attributes = {"autocomplete": "new-password", **_ways(*ways)}
    return forms.CharField(
        label=label,
        required=False,
        strip=strip,
        max_length=4000,
        widget=forms.PasswordInput(render_value=False, attrs=attributes),
        help_text=help_text,
    )


def _open(label: Any, help_text: Any, *ways: SignIn) -> forms.CharField:
    """Part of a permission, and shown again: by itself it opens nothing."""
    widget = forms.TextInput(attrs={"autocomplete": "off", **_ways(*ways)})
    return forms.CharField(
        label=label, required=False, max_length=400, widget=widget, help_text=help_text
    )


class MailboxForm(forms.Form):
    """What a mailbox is for and how its mail comes in."""

    use_required_attribute = False

    address = forms.EmailField(
        label=_("Address"),
        max_length=254,
        help_text=_("It cannot be changed later: answers to it are on their way for months."),
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=_("For the customer"), required=False, empty_label="—"
    )
    queue = forms.ModelChoiceField(
        Queue.objects.none(),
        label=_("For the queue"),
        required=False,
        empty_label="—",
        help_text=_("A customer or a queue, or neither: then whoever triages decides."),
    )
    transport = forms.ChoiceField(label=_("How mail comes in"))
    plus_addressing = forms.BooleanField(
        label=_("Mail to name+anything@ comes to this mailbox too"),
        required=False,
        help_text=_("Then every letter has an answer address of its own, which proves its case."),
    )
    reply_domain = forms.CharField(
        label=_("Domain of answers"),
        required=False,
        max_length=253,
        help_text=_("A domain all of whose mail comes to this mailbox, for servers without plus."),
    )
    authserv_id = forms.CharField(
        label=_("Server that checks senders"),
        required=False,
        max_length=253,
        help_text=_("Its name in Authentication-Results; only its verdicts count (RFC 8601)."),
    )

    def __init__(self, reader: Person, box: Mailbox | None, data: Any = None) -> None:
        super().__init__(data, initial=_facts(box) if box is not None else {"transport": "imap"})
        customers = Organisation.objects.visible_to(reader).filter(kind=OrganisationKind.CUSTOMER)
        self._rows("organisation", customers.filter(active=True).order_by("name"))
        self._rows("queue", Queue.objects.order_by("name"))
        transport = self.fields["transport"]
        assert isinstance(transport, forms.ChoiceField)
        transport.choices = _choices(TRANSPORTS)
        if box is not None:
            del self.fields["address"]
        else:
            self.fields["plus_addressing"].initial = True

    def _rows(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def facts(self) -> MailboxFacts:
        given = {name: value for name, value in self.cleaned_data.items() if name != "address"}
        return MailboxFacts(**given)


def _facts(box: Mailbox) -> dict[str, Any]:
    return {name: getattr(box, name) for name in MailboxFacts.__annotations__}


def _unsealed(account: ImapAccount | None) -> dict[str, str]:
    """What is kept sealed of an account; nothing where it cannot be unsealed."""
    try:
        return unseal(account.sealed) if account is not None else {}
    except Trouble:
        return {}


class AccountForm(forms.Form):
    """Where a polled mailbox lies and how we sign in there."""

    use_required_attribute = False

    host = forms.CharField(label=_("Server"), max_length=253)
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535)
    security = forms.ChoiceField(label=_("Encryption"))
    username = forms.CharField(label=_("User name"), max_length=254)
    sign_in = forms.ChoiceField(label=_("How we sign in"))
    password = _secret(_("Password"), "", SignIn.PASSWORD, strip=False)
    tenant = _open(_("Tenant"), _("For Microsoft 365."), SignIn.MICROSOFT)
    client_id = _open(_("OAuth client ID"), _("For Google and Microsoft 365."), *OAUTH)
    client_secret = _secret(_("OAuth client secret"), _("For Google and Microsoft 365."), *OAUTH)
    refresh_token = _secret(
        _("OAuth refresh token"), _("For Microsoft 365 it or the client secret."), *OAUTH
    )
    authority = forms.URLField(
        label=_("Who gives the permission"),
        required=False,
        assume_scheme="https",
        help_text=_("Only where it is not the provider's usual address."),
        widget=forms.URLInput(attrs=_ways(*OAUTH)),
    )
    folder = forms.CharField(label=_("Folder to read"), max_length=200)
    processed_folder = forms.CharField(label=_("Folder for what has been read"), max_length=200)
    failed_folder = forms.CharField(label=_("Folder for what failed"), max_length=200)

    def __init__(self, account: ImapAccount | None, data: Any = None) -> None:
        self.account = account
        shown = account or ImapAccount()
        names = AccountFacts.__annotations__.keys() - {"sealed"}
        sealed = _unsealed(account)
        self.kept = {name: sealed[name] for name in OPEN_FIELDS if name in sealed}
        known = {name: getattr(shown, name) for name in names}
        super().__init__(data, initial={**known, **self.kept})
        for name, words in (("security", SECURITIES), ("sign_in", SIGN_INS)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = _choices(words)
        for name in sealed.keys() & self.fields.keys() - set(OPEN_FIELDS):
            self.fields[name].help_text = _("It is kept. Leave it empty to keep it.")

    def facts(self) -> AccountFacts:
        """The facts, the secrets sealed. Nothing of a way of signing in that was not chosen is
        kept; where nothing new was given, what is kept stays."""
        given = dict(self.cleaned_data)
        new = self._gives_secrets(given)
        secrets = {name: given.pop(name) for name in SECRET_FIELDS}
        wanted = SECRETS[SignIn(given["sign_in"])]
        typed = {name: secrets[name] for name in wanted if secrets[name]}
        return AccountFacts(**given, sealed=seal(typed) if new else "")

    def _gives_secrets(self, given: dict[str, Any]) -> bool:
        """Whether the form says something of the chosen way of signing in that is not kept."""
        sign_in = SignIn(given["sign_in"])
        same = self.account is not None and self.account.sign_in == sign_in
        kept = self.kept if same else {}
        return any(given.get(name, "") != kept.get(name, "") for name in SECRETS[sign_in])

    def clean(self) -> dict[str, Any]:
        """Secrets are given all at once: half of them would stand beside the other half of
        others."""
        given = super().clean() or {}
        if given.get("sign_in") not in list(SECRETS):
            return given
        sign_in = SignIn(given["sign_in"])
        wanted, optional = SECRETS[sign_in], OPTIONAL_SECRETS.get(sign_in, set())
        if self._gives_secrets(given):
            for name in wanted:
                if not given.get(name) and name not in optional:
                    self.add_error(name, _("Give it together with the others."))
            if optional and not any(given.get(name) for name in optional):
                self.add_error("client_secret", _("Give this or a refresh token."))
        return given

    def blame_secrets(self, message: str) -> None:
        """A rule about the secrets, at the first field of the chosen way of signing in."""
        self.add_error(SECRETS[SignIn(self.cleaned_data["sign_in"])][0], message)


_CODES: dict[str, dict[Any, str]] = {
    "transport": TRANSPORTS,
    "security": SECURITIES,
    "sign_in": SIGN_INS,
}


def field_label(name: str) -> str:
    """What the forms call a column; the sealed secrets have no field of their own."""
    fields = {**AccountForm.base_fields, **MailboxForm.base_fields}
    return str(fields[name].label) if name in fields else gettext("Secrets")


def shown_value(name: str, value: object) -> str:
    """A value of a column in words, for the history."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    words = {str(code): text for code, text in _CODES.get(name, {}).items()}
    return gettext(words[str(value)]) if str(value) in words else str(value or "—")


class RetireMailbox(forms.Form):
    """Why an address takes no mail any more."""

    use_required_attribute = False

    why = forms.CharField(label=_("Why"), max_length=500)
