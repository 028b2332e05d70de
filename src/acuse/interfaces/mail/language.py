"""A guess at the language of a text among those Acuse speaks: es, pt, en."""

from __future__ import annotations

import re
from collections import Counter

MAX_CHARS = 5_000

_WORDS: dict[str, frozenset[str]] = {
    "es": frozenset(
        "el la los las un una y en de del al que no se por para con su sus es está están lo le "
        "les me te nos como más pero este esta estos hay ha he hemos han gracias hola buenos "
        "buenas días tardes saludos saludo usted ustedes ya muy cuando desde sin sobre también "
        "puede podéis pueden favor adjunto correo error sí porque donde qué".split()
    ),
    "pt": frozenset(
        "o a os as um uma e em de do da dos das no na nos nas ao à que não se por para com seu "
        "sua é está estão lhe me como mais mas este esta isso há foi obrigado obrigada olá bom "
        "boa dia tarde cumprimentos atenciosamente você vocês já muito quando desde sem sobre "
        "também pode podem favor anexo segue erro sim porque onde quê são pelo pela".split()
    ),
    "en": frozenset(
        "the a an and in of to that not is are for with you your it its i we they this these "
        "there have has had thanks thank hello hi dear regards please when from without about "
        "also can could would will be was were on at as or if but our my yes because where what "
        "which do does did".split()
    ),
}


def guess_language(text: str) -> str:
    """'es', 'pt' or 'en', or '' when the words do not tell."""
    words = Counter(re.findall(r"[^\W\d_]+", text[:MAX_CHARS].lower()))
    scores = {
        code: sum(count for word, count in words.items() if word in known)
        for code, known in _WORDS.items()
    }
    first, second = sorted(scores.items(), key=lambda item: -item[1])[:2]
    if first[1] == 0 or first[1] == second[1]:
        return ""
    return first[0]
