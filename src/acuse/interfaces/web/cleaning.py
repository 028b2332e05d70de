"""The HTML of a mail made harmless: words, tables and colours stay; nothing runs, nothing is
fetched from elsewhere, and only the mail's own images are shown (mail rule 17)."""

from __future__ import annotations

from collections.abc import Mapping

import nh3
from django.http import HttpResponse
from django.template.loader import render_to_string

LARGEST = 2_000_000  # characters; what comes after is cut

# The same origin, so that its images come with the reader's session; without scripts it is no more
# than a picture. Links open elsewhere.
_POLICY = (
    "sandbox allow-same-origin allow-popups; default-src 'none'; img-src 'self'; "
    "style-src 'unsafe-inline'; frame-ancestors 'self'"
)
_TAGS = (
    "a abbr address b big blockquote br caption center cite code col colgroup dd del details div"
    " dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike"
    " strong sub summary sup table tbody td tfoot th thead tr tt u ul var"
)
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "blockquote": {"type"},
    "col": {"span"},
    "font": {"color", "face", "size"},
    "img": {"src", "alt"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
# None of these can fetch anything or lie over what is not the mail's.
_STYLES = (
    "background-color border border-bottom border-collapse border-color border-left border-radius"
    " border-right border-spacing border-style border-top border-width color direction font-family"
    " font-size font-style font-weight height letter-spacing line-height list-style-type margin"
    " margin-bottom margin-left margin-right margin-top max-width min-width padding padding-bottom"
    " padding-left padding-right padding-top text-align text-decoration text-indent"
    " text-transform vertical-align white-space width word-break"
)
_SCHEMES = {"http", "https", "mailto", "tel"}


def clean_html(html: str, images: Mapping[str, str] | None = None) -> str:
    """The body of a mail as harmless HTML. `images`: our own address of each of its files by
    Content-ID (without brackets); every other image is left out (RFC 2392, RFC 2557)."""
    found = {cid.lower(): address for cid, address in (images or {}).items() if cid}

    def allowed(tag: str, name: str, value: str) -> str | None:
        scheme, _colon, rest = value.strip().partition(":")
        if (tag, name) == ("img", "src"):
            return found.get(rest.lower()) if scheme.lower() == "cid" else None
        if name == "href":  # an address without its scheme would lead into our own site
            return value if scheme.lower() in _SCHEMES else None
        return value

    return nh3.clean(
        html[:LARGEST].replace("\0", ""),
        tags=set(_TAGS.split()),
        clean_content_tags={"script", "style", "title", "template", "noscript"},
        attributes=_ATTRIBUTES,
        attribute_filter=allowed,
        filter_style_properties=set(_STYLES.split()),
        url_schemes=_SCHEMES | {"cid"},
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def framed(html: str, images: Mapping[str, str] | None = None) -> HttpResponse:
    """The cleaned HTML of a mail as a page of its own, to stand in a frame of ours."""
    body = clean_html(html, images)
    response = HttpResponse(render_to_string("shared/mail_body.html", {"body": body}))
    response["Content-Security-Policy"] = _POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
