"""By what an answer is told from our letter that it answers (mail rule 13): the line that our
letters print above their text, in each language, and the class that their HTML begins with. The
letters write these and the reply cutter reads them."""

from __future__ import annotations

REPLY_ABOVE = {
    "es": "Escriba su respuesta por encima de esta línea",
    "en": "Reply above this line",
    "pt": "Escreva a sua resposta acima desta linha",
}
HTML_CLASS = "acuse_letter"
