"""Texts that Django and allauth show on our pages, marked so that our catalogue has them too.

Ours goes before theirs. They know no Portuguese of Brazil under the code "pt", and their Spanish
does not always say *usted*. Nothing imports this: what reads it is scripts/messages.py.
"""

from __future__ import annotations

from django.utils.translation import ngettext_lazy

from acuse.policy.fields import N_

BORROWED = (
    # django/forms/fields.py, models.py, formsets.py; django/core/validators.py
    N_("This field is required."),
    N_("Enter a valid value."),
    N_("Enter a valid email address."),
    N_("Enter a whole number."),
    N_("Enter a number."),
    N_("Enter a valid date."),
    N_("Enter a valid date/time."),
    N_("Enter a list of values."),
    N_("Ensure this value is less than or equal to %(limit_value)s."),
    N_("Ensure this value is greater than or equal to %(limit_value)s."),
    N_("Null characters are not allowed."),
    N_("Select a valid choice. %(value)s is not one of the available choices."),
    N_("Select a valid choice. That choice is not one of the available choices."),
    N_("“%(pk)s” is not a valid value."),
    N_("The submitted file is empty."),
    N_("No file was submitted."),
    N_("No file was submitted. Check the encoding type on the form."),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy(
        "Please submit at least %(num)d form.", "Please submit at least %(num)d forms.", "num"
    ),
    ngettext_lazy(
        "Please submit at most %(num)d form.", "Please submit at most %(num)d forms.", "num"
    ),
    # allauth/account/adapter.py and the pages of signing in by code
    N_("Incorrect code."),
    N_("This account is currently inactive."),
    N_("Too many failed login attempts. Try again later."),
    N_("Be patient, you are sending too many requests."),
    N_("The email address is not assigned to any user account."),
)
