"""What mail clients write around a quoted message, per language: data only.

The reply cutter, the forward reader and the automatic-mail test look words up here. Each table
maps a language code to what the clients of that locale print; the compiled views at the end are
what the rules use. Adding a locale means adding rows, never rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The verb (with its auxiliaries) that closes or opens an attribution: "On ..., X wrote:".
VERBS: dict[str, tuple[str, ...]] = {
    "en": ("wrote", "writes", "sent", "said"),
    "es": ("escribió", "escribio", "ha escrito", "escribiste"),
    "pt": ("escreveu", "escreveste", "a escrit"),
    "ca": ("va escriure", "ha escrit"),
    "gl": ("escribiu",),
    "fr": ("a écrit", "a ecrit", "écrivait", "écrit"),
    "de": ("schrieb", "schrieben", "geschrieben"),
    "it": ("ha scritto", "scrive", "scriveva"),
    "nl": ("schreef", "heeft geschreven", "geschreven"),
    "sv": ("skrev",),
    "no": ("skrev", "skreiv"),
    "da": ("skrev",),
    "fi": ("kirjoitti",),
    "pl": ("napisał(a)", "napisał", "napisała", "napisana", "pisze"),
    "cs": ("napsal(a)", "napsal", "napsala"),
    "sk": ("napísal(a)", "napísal", "napísala", "píše"),
    "hu": ("írta", "ezt írta"),
    "ro": ("a scris",),
    "hr": ("je napisao", "je napisala", "napisao je"),
    "ru": ("написал(а)", "написал", "написала", "пишет", "писал"),
    "uk": ("написав", "написала", "пише"),
    "bg": ("написа",),
    "tr": ("yazdı", "şunu yazdı", "yazmış"),
    "el": ("έγραψε",),
    "et": ("kirjutas",),
    "lt": ("rašė",),
    "lv": ("rakstīja",),
    "vi": ("đã viết",),
    "id": ("menulis",),
    "ja": ("のメール", "wrote"),
    "ko": ("작성", "님이 작성"),
    "zh": ("写道", "寫道"),
    "he": ("כתב", "כתבה"),
    "ar": ("كتب",),
}

# The word(s) with which an attribution starts, directly before its date.
STARTERS: dict[str, tuple[str, ...]] = {
    "en": ("on", "at", "in"),
    "es": ("el", "a las", "con fecha", "en fecha"),
    "pt": ("em", "no dia", "a", "às", "na"),
    "ca": ("el", "la"),
    "gl": ("o",),
    "fr": ("le",),
    "de": ("am", "den"),
    "it": ("il giorno", "il", "in data", "alle"),
    "nl": ("op",),
    "sv": ("den",),
    "no": ("den",),
    "da": ("den",),
    "fi": (),
    "pl": ("w dniu", "dnia"),
    "cs": ("dne",),
    "sk": ("dňa", "dna"),
    "hu": ("ekkor",),
    "ro": ("pe", "în data de", "la"),
    "hr": ("dana",),
    "bg": ("на",),
    "el": ("στις",),
    "lt": (),
    "tr": (),
    "vi": ("vào",),
    "id": ("pada",),
    "zh": ("于", "在"),
    "he": ("ב", "בתאריך"),
    "ar": ("في",),
}

# Whole openings of attributions that name the author before the moment.
PREFIXES = ("wiadomość napisana przez", "messaggio originale da", "mensagem original de")

# Weekdays, whole and as clients abbreviate them; some locales start an attribution with one.
WEEKDAYS: dict[str, tuple[str, ...]] = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
           "mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
           "lun", "mar", "mié", "mie", "jue", "vie", "sáb", "sab", "dom"),
    "pt": ("segunda", "terça", "quarta", "quinta", "sexta", "segunda-feira", "terça-feira",
           "quarta-feira", "quinta-feira", "sexta-feira", "seg", "ter", "qua", "qui", "sex"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
           "mer", "jeu", "ven", "sam", "dim"),
    "de": ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag",
           "mo", "di", "mi", "do", "fr", "sa", "so"),
    "it": ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica", "gio"),
    "nl": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag",
           "ma", "wo", "vr", "za", "zo"),
    "nordic": ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag", "måndag",
               "tisdag", "lördag", "söndag", "man", "tirs", "tir", "ons", "tors", "tor", "fre",
               "lør", "søn", "mån", "tis", "lör", "sön"),
    "fi": ("maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai",
           "ti", "ke", "to", "pe", "la", "su"),
    "pl": ("poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela",
           "pon", "wt", "śr", "czw", "pt", "sob", "niedz"),
    "cs": ("pondělí", "úterý", "středa", "čtvrtek", "pátek", "neděle",
           "po", "út", "st", "čt", "pá", "ne"),
    "sk": ("pondelok", "utorok", "streda", "štvrtok", "piatok", "nedeľa", "ut", "št", "pi"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
           "пн", "вт", "ср", "чт", "пт", "сб", "вс"),
    "uk": ("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя", "нд"),
    "tr": ("pazartesi", "salı", "çarşamba", "perşembe", "cuma", "cumartesi", "pazar"),
    "ro": ("luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică", "vin", "sâm"),
}

# Labels of the little header that clients print above a quoted or forwarded message.
LABELS: dict[str, dict[str, tuple[str, ...]]] = {
    "from": {
        "en": ("from", "sender"),
        "es": ("de", "desde", "remitente"),
        "pt": ("de", "remetente"),
        "fr": ("de", "expéditeur"),
        "de": ("von", "absender"),
        "it": ("da", "mittente"),
        "nl": ("van", "afzender"),
        "sv": ("från", "avsändare"),
        "no": ("fra",),
        "da": ("fra",),
        "fi": ("lähettäjä",),
        "pl": ("od", "nadawca"),
        "cs": ("od", "odesílatel"),
        "sk": ("od", "odosielateľ"),
        "hu": ("feladó", "küldő"),
        "ro": ("de la", "expeditor"),
        "hr": ("od", "šalje", "pošiljatelj"),
        "ru": ("от", "от кого", "отправитель"),
        "uk": ("від", "від кого", "відправник"),
        "bg": ("от",),
        "tr": ("kimden", "gönderen"),
        "el": ("από",),
        "et": ("saatja", "kellelt"),
        "lt": ("nuo",),
        "lv": ("no",),
        "ca": ("de", "remitent"),
        "vi": ("từ",),
        "id": ("dari",),
        "ja": ("差出人", "送信者", "from"),
        "ko": ("보낸 사람", "보낸사람", "발신"),
        "zh": ("发件人", "寄件者", "寄件人", "發件人", "发送者"),
        "he": ("מאת",),
        "ar": ("من",),
    },
    "date": {
        "en": ("date", "sent", "sent on", "date sent", "on"),
        "es": ("fecha", "enviado", "enviado el", "enviada", "enviado en", "fecha de envío"),
        "pt": ("data", "enviado", "enviada", "enviada em", "enviado em", "data de envio"),
        "fr": ("date", "envoyé", "envoyé le", "envoyé à"),
        "de": ("datum", "gesendet", "gesendet am"),
        "it": ("data", "inviato", "inviato il", "inviata"),
        "nl": ("datum", "verzonden", "verzonden op"),
        "sv": ("datum", "skickat", "skickades"),
        "no": ("dato", "sendt"),
        "da": ("dato", "sendt"),
        "fi": ("päivämäärä", "päiväys", "lähetetty", "pvm"),
        "pl": ("data", "wysłano", "wysłane"),
        "cs": ("datum", "odesláno"),
        "sk": ("dátum", "odoslané"),
        "hu": ("dátum", "elküldve", "küldve"),
        "ro": ("data", "dată", "trimis", "trimise", "trimis la"),
        "hr": ("datum", "poslano", "šalje"),
        "ru": ("дата", "отправлено", "дата отправки"),
        "uk": ("дата", "надіслано", "відправлено"),
        "bg": ("дата", "изпратено"),
        "tr": ("tarih", "gönderilen", "gönderildi", "gönderme tarihi"),
        "el": ("ημερομηνία", "στάλθηκε", "εστάλη"),
        "et": ("kuupäev", "saadetud"),
        "lt": ("data", "išsiųsta"),
        "lv": ("datums", "nosūtīts"),
        "ca": ("data", "enviat", "enviat el"),
        "vi": ("ngày", "đã gửi"),
        "id": ("tanggal", "dikirim"),
        "ja": ("日付", "送信日時", "日時"),
        "ko": ("날짜", "보낸 날짜", "보낸날짜"),
        "zh": ("日期", "发送时间", "发送日期", "寄件日期", "時間", "时间"),
        "he": ("תאריך", "נשלח"),
        "ar": ("التاريخ", "تاريخ الإرسال", "تم الإرسال"),
    },
    "to": {
        "en": ("to",),
        "es": ("para", "a", "destinatario"),
        "pt": ("para", "destinatário"),
        "fr": ("à", "a", "pour", "destinataire"),
        "de": ("an",),
        "it": ("a", "per"),
        "nl": ("aan",),
        "sv": ("till",),
        "no": ("til",),
        "da": ("til",),
        "fi": ("vastaanottaja", "saaja"),
        "pl": ("do",),
        "cs": ("komu", "pro"),
        "sk": ("komu", "pre"),
        "hu": ("címzett",),
        "ro": ("către", "catre", "la"),
        "hr": ("za", "prima", "kome"),
        "ru": ("кому",),
        "uk": ("кому",),
        "bg": ("до", "на"),
        "tr": ("kime", "alıcı"),
        "el": ("προς",),
        "et": ("saaja", "kellele"),
        "lt": ("kam",),
        "lv": ("kam",),
        "ca": ("per a", "a"),
        "vi": ("đến", "tới"),
        "id": ("kepada", "untuk"),
        "ja": ("宛先", "to"),
        "ko": ("받는 사람", "받는사람", "수신"),
        "zh": ("收件人", "收件者"),
        "he": ("אל",),
        "ar": ("إلى",),
    },
    "cc": {
        "en": ("cc", "bcc"),
        "es": ("cc", "con copia"),
        "pt": ("cc", "com cópia"),
        "fr": ("cc", "copie", "copie à"),
        "de": ("cc", "kopie"),
        "it": ("cc", "copia"),
        "nl": ("cc", "kopie"),
        "sv": ("kopia", "kopia till"),
        "no": ("kopi", "kopi til"),
        "da": ("cc", "kopi"),
        "fi": ("kopio", "kopio vastaanottajalle"),
        "pl": ("dw", "udw", "kopia"),
        "cs": ("kopie",),
        "sk": ("kópia",),
        "hu": ("másolat", "másolatot kap"),
        "ro": ("cc", "copie"),
        "hr": ("kopija",),
        "ru": ("копия",),
        "uk": ("копія",),
        "tr": ("bilgi", "cc"),
        "el": ("κοιν",),
        "et": ("koopia",),
        "ja": ("cc",),
        "ko": ("참조",),
        "zh": ("抄送", "副本"),
        "he": ("עותק",),
        "ar": ("نسخة",),
    },
    "subject": {
        "en": ("subject",),
        "es": ("asunto",),
        "pt": ("assunto",),
        "fr": ("objet", "sujet"),
        "de": ("betreff",),
        "it": ("oggetto",),
        "nl": ("onderwerp",),
        "sv": ("ämne",),
        "no": ("emne",),
        "da": ("emne",),
        "fi": ("aihe",),
        "pl": ("temat",),
        "cs": ("předmět",),
        "sk": ("predmet",),
        "hu": ("tárgy",),
        "ro": ("subiect", "subiectul"),
        "hr": ("predmet", "naslov"),
        "ru": ("тема",),
        "uk": ("тема",),
        "bg": ("тема", "относно"),
        "tr": ("konu",),
        "el": ("θέμα",),
        "et": ("teema",),
        "lt": ("tema",),
        "lv": ("tēma", "temats"),
        "ca": ("assumpte", "tema"),
        "vi": ("chủ đề",),
        "id": ("subjek", "perihal"),
        "ja": ("件名",),
        "ko": ("제목",),
        "zh": ("主题", "主旨", "主題"),
        "he": ("נושא",),
        "ar": ("الموضوع",),
    },
    "reply_to": {
        "en": ("reply-to", "reply to"),
        "es": ("responder a",),
        "pt": ("responder para", "responder a"),
        "fr": ("répondre à",),
        "de": ("antwort an",),
        "it": ("rispondi a", "risposta"),
        "nl": ("antwoord aan",),
        "sv": ("svara till", "svar till"),
        "no": ("svar til",),
        "da": ("svar til",),
        "fi": ("vastausosoite", "vastaa"),
        "pl": ("odpowiedź-do", "odpowiedz do"),
        "cs": ("odpovědět komu",),
        "sk": ("odpovedať komu",),
        "hu": ("válaszcím",),
        "ro": ("răspuns către",),
        "ru": ("ответить", "кому ответить", "обратный адрес"),
        "uk": ("відповісти",),
        "tr": ("yanıt adresi",),
    },
    "other": {
        "en": ("importance", "priority", "attachments", "attachment", "organization"),
        "es": ("importancia", "prioridad", "datos adjuntos", "adjuntos", "responsable"),
        "pt": ("importância", "prioridade", "anexos"),
        "fr": ("importance", "priorité", "pièces jointes"),
        "de": ("wichtigkeit", "priorität", "anlagen"),
        "it": ("priorità", "allegati"),
    },
}

# Words between two rules of dashes above a quoted original (a reply, in most clients).
ORIGINAL: dict[str, tuple[str, ...]] = {
    "en": ("original message", "original email", "original appointment", "reply message"),
    "es": ("mensaje original", "correo original", "mensaje de origen"),
    "pt": ("mensagem original", "mensagem de origem", "e-mail original"),
    "ca": ("missatge original",),
    "fr": ("message d'origine", "message d’origine", "message original", "message initial"),
    "de": ("ursprüngliche nachricht", "originalnachricht", "original-nachricht",
           "ursprungliche nachricht", "originalmail"),
    "it": ("messaggio originale",),
    "nl": ("oorspronkelijk bericht", "oorspronkelijke bericht", "origineel bericht"),
    "sv": ("ursprungligt meddelande", "originalmeddelande"),
    "no": ("opprinnelig melding", "original melding"),
    "da": ("oprindelig meddelelse", "original besked", "oprindelig besked"),
    "fi": ("alkuperäinen viesti",),
    "pl": ("wiadomość oryginalna", "oryginalna wiadomość", "oryginalny e-mail"),
    "cs": ("původní zpráva", "původní e-mail"),
    "sk": ("pôvodná správa", "pôvodná e-mailová správa"),
    "hu": ("eredeti üzenet",),
    "ro": ("mesaj original", "mesajul original", "mesaj initial"),
    "hr": ("izvorna poruka",),
    "ru": ("исходное сообщение", "исходное письмо", "оригинальное сообщение"),
    "uk": ("вихідне повідомлення", "оригінальне повідомлення"),
    "tr": ("orijinal mesaj", "özgün ileti", "orijinal ileti"),
    "el": ("αρχικό μήνυμα",),
    "ja": ("元のメッセージ", "オリジナルメッセージ"),
    "ko": ("원본 메시지", "원본 메일"),
    "zh": ("原始邮件", "邮件原件", "原始郵件"),
    "he": ("הודעה מקורית",),
    "ar": ("الرسالة الأصلية",),
}

# Words that say "this is a forwarded message", between dashes, or alone before a colon.
FORWARDED: dict[str, tuple[str, ...]] = {
    "en": ("forwarded message", "begin forwarded message", "forwarded email", "forwarded by",
           "start of forwarded message"),
    "es": ("mensaje reenviado", "inicio del mensaje reenviado", "correo reenviado",
           "forwarded message"),
    "pt": ("mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada",
           "início da mensagem reencaminhada", "inicio da mensagem encaminhada"),
    "ca": ("missatge reenviat", "inici del missatge reenviat"),
    "fr": ("message transféré", "début du message transféré", "début du message réexpédié",
           "message transmis", "message réexpédié", "courriel transféré"),
    "de": ("weitergeleitete nachricht", "anfang der weitergeleiteten nachricht",
           "anfang der weitergeleiteten e-mail", "weitergeleitete e-mail",
           "beginn der weitergeleiteten nachricht"),
    "it": ("messaggio inoltrato", "inizio messaggio inoltrato", "inizio del messaggio inoltrato"),
    "nl": ("doorgestuurd bericht", "begin doorgestuurd bericht", "doorgezonden bericht",
           "begin van doorgestuurd bericht"),
    "sv": ("vidarebefordrat meddelande", "vidarebefordrat brev",
           "vidarebefordrat mejl", "påbörja vidarebefordrat brev",
           "början på vidarebefordrat meddelande"),
    "no": ("videresendt melding", "videresendt e-post", "start på videresendt melding",
           "begynnelse på videresendt melding"),
    "da": ("videresendt meddelelse", "videresendt besked", "start på videresendt besked",
           "påbegynd videresendt besked", "starten på den videresendte meddelelse"),
    "fi": ("välitetty viesti", "edelleenlähetetty viesti", "lähetetty viesti",
           "välitetty viesti alkaa", "edelleen lähetetty viesti"),
    "pl": ("przekazana wiadomość", "wiadomość przekazana dalej", "początek przekazanej wiadomości",
           "treść przekazanej wiadomości", "przesłana wiadomość",
           "początek przekazywanej wiadomości", "treść przekazanej wiadomości"),
    "cs": ("přeposlaná zpráva", "předaná zpráva", "začátek přeposlané zprávy",
           "přeposlaný e-mail", "začátek přeposílané zprávy"),
    "sk": ("preposlaná správa", "preposlané správa", "začiatok preposlanej správy",
           "začiatok preposielanej správy", "preposlaný e-mail"),
    "hu": ("továbbított üzenet", "továbbított levél", "továbbított levél kezdete",
           "továbbított üzenet kezdete"),
    "ro": ("mesaj redirecționat", "mesaj redirectionat", "mesaj transmis mai departe",
           "început mesaj redirecționat", "începe mesajul redirecționat", "mesaj înaintat",
           "mesaj redirecţionat", "începutul mesajului redirecționat"),
    "hr": ("proslijeđena poruka", "početak proslijeđene poruke", "prosljeđena poruka"),
    "ru": ("пересылаемое сообщение", "пересланное сообщение", "начало переадресованного сообщения",
           "перенаправленное сообщение", "начало пересылаемого сообщения",
           "пересылаемое письмо", "пересланное письмо", "перенаправленное письмо"),
    "uk": ("переслане повідомлення", "пересланий лист", "початок листа, що пересилається",
           "перенаправлене повідомлення", "початок переадресованого повідомлення"),
    "bg": ("препратено съобщение", "начало на препратеното съобщение"),
    "tr": ("iletilmiş mesaj", "yönlendirilmiş ileti", "iletilen mesaj", "iletilmiş ileti",
           "yönlendirilen ileti başlangıcı", "iletinin başlangıcı", "i̇letilmiş mesaj",
           "yönlendirilen mesaj", "başlangıç: yönlendirilen ileti", "i̇letilen mesaj",
           "yönlendirilen ileti"),
    "el": ("προωθημένο μήνυμα", "έναρξη προωθημένου μηνύματος"),
    "et": ("edastatud kiri", "edastatud sõnum"),
    "lt": ("persiųstas laiškas", "persiųsta žinutė"),
    "lv": ("pārsūtīta ziņa", "pārsūtītais ziņojums"),
    "vi": ("thư đã chuyển tiếp", "tin nhắn đã chuyển tiếp"),
    "id": ("pesan terusan", "pesan yang diteruskan"),
    "ja": ("転送メッセージ", "転送されたメッセージ", "転送済みメッセージ"),
    "ko": ("전달된 메시지", "전달된 메일", "전달한 메시지"),
    "zh": ("转发的邮件", "转发邮件信息", "轉寄的郵件", "已转发邮件", "转发的邮件信息", "轉寄郵件"),
    "he": ("הודעה שהועברה",),
    "ar": ("رسالة معاد توجيهها", "الرسالة المعاد توجيهها"),
}

# Subject prefixes. A forward's prefix also tells a forward in Outlook's shape from a reply.
REPLY_PREFIXES = (
    "re", "aw", "sv", "antw", "antwort", "res", "resp", "r", "rif", "ref", "odp", "ynt", "yan",
    "vs", "vá", "απ", "απαντ", "ответ", "відп", "отг", "回复", "回覆", "答复", "답장", "返信", "rv re",
    "réf", "回信", "תגובה", "השב", "رد", "ats", "atb", "bls", "y", "ad", "reply",
)
FORWARD_PREFIXES = (
    "fw", "fwd", "rv", "enc", "tr", "wg", "i", "vb", "vs", "vl", "doorst", "dv", "pd", "fs",
    "továbbítás", "tovabbitas", "ilt", "i̇lt", "ynl", "πρθ", "転送", "转发", "轉寄", "전달", "пер",
    "пересл", "переслано", "прд", "reenv", "reenviado", "encaminhada", "enc.", "fwd.", "tov",
    "redir", "trs", "trasm", "inoltro", "fyi", "на", "препр", "הועבר", "إعادة توجيه", "вп",
)

# A line that a phone or a mailer adds by itself; it must be the whole line.
_DEVICE = r"[^,;:?!\n]{1,50}"
APP_SIGNATURES: dict[str, tuple[str, ...]] = {
    "en": (rf"sent from my {_DEVICE}", r"sent from (?:an? )?(?:iphone|ipad|ipod|android|samsung|"
           r"blackberry|huawei|xiaomi|windows|nokia|htc|sony|oneplus|mobile|smartphone)\b.{0,60}",
           r"sent (?:from|with|via|using) (?:the )?(?:yahoo|outlook|hotmail|gmail|mail|aol|"
           r"protonmail|proton mail|typeapp|bluemail|mailbird|spark|airmail|newton|polymail|"
           r"front|superhuman|mailspring|k-9|fairemail|thunderbird|workspace|boxer|nine|"
           r"myMail|edison|cloudmagic|alto|inbox|gmx|web\.de|tutanota|zoho|canary)\b.{0,80}",
           r"get (?:the )?outlook for (?:ios|android|mac|windows).{0,60}",
           r"get the free .{1,40} app.{0,40}",
           r"sent from my .{1,40} (?:smartphone|tablet|device|phone)\b.{0,40}",
           r"sent via .{1,30} for (?:ios|android|iphone).{0,40}"),
    "es": (rf"enviad[oa] desde mi {_DEVICE}",
           r"(?:enviad[oa]|mandad[oa]) (?:desde|con|por|a través de|mediante) (?:la aplicaci[oó]n "
           r"(?:de )?)?(?:el )?(?:yahoo|outlook|hotmail|gmail|correo(?= para| electr[oó]nico seguro)|mail|iphone|ipad|"
           r"android|samsung|huawei|xiaomi|blackberry|proton ?mail|spark|bluemail|typeapp|aol|"
           r"nokia|windows|mobile|un dispositivo|un móvil|un smartphone)\b.{0,80}",
           r"(?:obtener|obtén|obtenga|consigue|descarga|descargar) (?:la aplicaci[oó]n )?"
           r"outlook para .{1,60}"),
    "pt": (rf"enviad[oa] (?:do|a partir do|pelo|no|de) meu {_DEVICE}",
           rf"enviad[oa] da minha {_DEVICE}",
           r"enviad[oa] (?:do|pelo|de|via|com|através do|a partir do|usando o) (?:o )?(?:yahoo|"
           r"outlook|hotmail|gmail|e?-?mail(?= para)|correio(?= para)|iphone|ipad|android|samsung|"
           r"huawei|xiaomi|blackberry|proton ?mail|spark|bluemail|smartphone|telem[oó]vel|celular|"
           r"aol|nokia|windows|motorola|galaxy)\b.{0,80}",
           r"(?:obter|obtenha|baixe|baixar|transferir) (?:o )?outlook para .{1,60}"),
    "fr": (rf"envoyé (?:de|depuis) mon {_DEVICE}",
           r"envoyé (?:à partir d[e'’]|depuis|avec|par|via|de) ?(?:l[’'])?(?:application )?(?:"
           r"outlook|yahoo|gmail|iphone|ipad|android|samsung|mail|courrier|orange|proton).{0,80}",
           r"(?:télécharger|téléchargez|obtenir|obtenez) outlook pour .{1,60}"),
    "de": (rf"(?:von|über) meine[mr] {_DEVICE} (?:aus )?(?:gesendet|geschickt|gesandt)",
           r"(?:gesendet|diese nachricht wurde).{0,15} (?:von|mit|aus|über) .{0,20}(?:iphone|ipad|"
           r"android|outlook|samsung|yahoo|gmail|mail|gmx|web\.de|handy|smartphone).{0,60}",
           rf"gesendet von mein(?:em|er) {_DEVICE}", r"outlook für .{1,40} (?:herunterladen|abrufen|"
           r"beziehen).{0,60}", r"holen sie sich outlook für .{1,60}"),
    "it": (rf"inviat[oa] da(?:l mio| mio) {_DEVICE}",
           r"inviat[oa] (?:da|con|dall[ao']|tramite) ?(?:l['’]app )?(?:outlook|yahoo|gmail|iphone|"
           r"ipad|android|samsung|libero|posta|mail|smartphone|tiscali|virgilio).{0,80}",
           r"(?:scarica|ottieni) outlook per .{1,60}"),
    "nl": (rf"verzonden (?:vanaf|met|via|van) mijn {_DEVICE}", rf"verstuurd vanaf mijn {_DEVICE}",
           r"verzonden (?:vanaf|met|via|vanuit) (?:outlook|yahoo|gmail|iphone|ipad|android|samsung|"
           r"mail).{0,60}", r"(?:outlook voor .{1,30} downloaden|download outlook voor .{1,40})"
           r".{0,60}"),
    "nordic": (rf"skickat från min {_DEVICE}", rf"sendt fra min {_DEVICE}",
               r"(?:skickat|sendt) (?:från|fra|med) (?:outlook|yahoo|gmail|iphone|ipad|android|"
               r"samsung|mail|e-post).{0,60}",
               r"(?:hämta|hent|last ned|download) outlook (?:för|for|til) .{1,60}"),
    "fi": (rf"lähetetty {_DEVICE}(?:ista|istä|sta|stä|lta|ltä)(?:ni)?",
           r"hanki outlook .{1,60}"),
    "pl": (rf"wysłan[eoay] z (?:mojego )?(?:iphone|ipad|androida?|telefonu|smartfona|outlook|"
           rf"yahoo|gmail|samsung|urządzenia|poczty|aplikacji){_DEVICE}?",
           rf"wysłan[eoay] z mojego {_DEVICE}", r"pobierz (?:aplikację )?outlook .{1,60}"),
    "cs": (rf"odesláno z (?:mého )?(?:iphon|ipad|android|telefonu|outlook|mobil|"
           rf"samsung|pošty|aplikace){_DEVICE}",),
    "sk": (rf"odoslané z (?:môjho )?(?:iphon|ipad|android|telefónu|outlook|mobil|samsung)"
           rf"{_DEVICE}",),
    "ru": (rf"отправлено с (?:моего )?(?:iphone|ipad|android|айфона|телефона|устройства|samsung|"
           rf"мобильного|xiaomi|huawei)(?:{_DEVICE})?", rf"отправлено из {_DEVICE}"),
    "uk": (rf"надіслано з (?:мого )?{_DEVICE}",),
    "hu": (r"(?:iphone|ipad|android|samsung)\S* ?küldve", r"az én iphone-omról küldve"),
    "ro": (rf"trimis de pe (?:telefonul meu )?(?:iphone|ipad|android|samsung|dispozitiv|telefon)"
           rf"(?:{_DEVICE})?",),
    "tr": (r"(?:iphone|ipad|android|samsung)['’\w ]{0,15} ?(?:gönderildi|gönderilmiştir)",),
    "ca": (rf"enviat des (?:de|del) (?:meu |l['’]meu )?{_DEVICE}",),
    "ja": (r"(?:iphone|ipad|android)から送信", r"\S{1,30}から送信"),
    "zh": (r"发自我的\s?.{1,30}", r"從我的\s?.{1,30}傳送", r"获取 outlook .{1,40}"),
    "ko": (r"나의 .{1,20}에서 보냄", r".{1,20}에서 보냄"),
}

# What our own mails print above their text, so that a reply can be cut below it.
REPLY_ABOVE: dict[str, tuple[str, ...]] = {
    "en": ("reply above this line", "please type your reply above this line",
           "write your reply above this line"),
    "es": ("responda por encima de esta línea", "escriba su respuesta por encima de esta línea",
           "responda encima de esta línea", "conteste por encima de esta línea",
           "escriba su respuesta encima de esta línea"),
    "pt": ("responda acima desta linha", "escreva a sua resposta acima desta linha",
           "escreva sua resposta acima desta linha"),
}

# Starts of the subject of an answer that no person wrote.
AUTO_REPLY_SUBJECTS: dict[str, tuple[str, ...]] = {
    "en": ("automatic reply", "auto reply", "auto-reply", "autoreply", "auto response",
           "auto-response", "autoresponse", "automated reply", "automated response",
           "automatic response", "auto:", "autoresponder", "automatic answer"),
    "es": ("respuesta automática", "respuesta automatica", "autorespuesta", "auto-respuesta",
           "contestación automática", "respuesta automatizada", "autorrespuesta"),
    "pt": ("resposta automática", "resposta automatica", "autoresposta", "resposta-automática",
           "auto-resposta"),
    "ca": ("resposta automàtica",),
    "fr": ("réponse automatique", "reponse automatique"),
    "de": ("automatische antwort", "autom. antwort", "automatische rückantwort"),
    "it": ("risposta automatica",),
    "nl": ("automatisch antwoord", "automatische reactie"),
    "sv": ("autosvar", "automatiskt svar"),
    "no": ("automatisk svar", "autosvar"),
    "da": ("automatisk svar", "autosvar"),
    "fi": ("automaattinen vastaus",),
    "pl": ("automatyczna odpowiedź", "odpowiedź automatyczna"),
    "cs": ("automatická odpověď",),
    "sk": ("automatická odpoveď",),
    "hu": ("automatikus válasz",),
    "ro": ("răspuns automat", "raspuns automat"),
    "ru": ("автоматический ответ", "автоответ"),
    "uk": ("автоматична відповідь",),
    "tr": ("otomatik yanıt",),
    "ja": ("自動応答", "自動返信"),
    "ko": ("자동 회신",),
    "zh": ("自动答复", "自动回复", "自動回覆"),
}

# Starts of the subject of an absence notice.
ABSENCE_SUBJECTS: dict[str, tuple[str, ...]] = {
    "en": ("out of office", "out of the office", "out-of-office", "ooo:", "away from my mail",
           "vacation reply", "on vacation", "on annual leave", "i am away", "i'm away",
           "away from the office", "absence notice", "on leave:"),
    "es": ("fuera de la oficina", "fuera de oficina", "ausencia de la oficina", "estoy ausente",
           "aviso de ausencia", "mensaje de ausencia", "ausente de la oficina", "de vacaciones",
           "ausente:", "ausencia:"),
    "pt": ("fora do escritório", "fora do escritorio", "ausência temporária", "ausência do "
           "escritório", "aviso de ausência", "estou ausente", "mensagem de ausência",
           "ausente do escritório", "ausência:", "de férias", "férias:"),
    "ca": ("fora de l'oficina",),
    "fr": ("absence du bureau", "absent du bureau", "message d'absence", "absence:", "en congés"),
    "de": ("abwesenheitsnotiz", "abwesenheit", "abwesend", "nicht im büro"),
    "it": ("fuori sede", "fuori ufficio", "assenza dall'ufficio", "assente"),
    "nl": ("afwezig", "niet aanwezig", "afwezigheid"),
    "sv": ("frånvaro", "frånvarande"),
    "no": ("fravær", "ikke til stede"),
    "da": ("ikke til stede", "fravær"),
    "fi": ("poissa toimistosta", "poissaoloilmoitus", "poissaolo"),
    "pl": ("nieobecność", "poza biurem"),
    "cs": ("mimo kancelář", "nepřítomnost"),
    "hu": ("házon kívül", "irodán kívül"),
    "ru": ("отсутствую", "нет на месте"),
}


def flatten(table: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Every phrase of a table once, longest first (so that an alternation is greedy)."""
    return tuple(sorted({p for row in table.values() for p in row}, key=lambda p: (-len(p), p)))


def alternation(phrases: Iterable[str]) -> str:
    """A regular-expression alternation of literal phrases; any run of spaces matches a space."""
    return "|".join(re.escape(p).replace(r"\ ", r"\s+") for p in phrases)


def _roles() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for role, rows in LABELS.items():
        for labels in rows.values():
            for label in labels:
                found.setdefault(label, set()).add(role)
    return {label: frozenset(roles) for label, roles in found.items()}


ROLES_OF_LABEL: dict[str, frozenset[str]] = _roles()
VERB_WORDS = flatten(VERBS)
STARTER_WORDS = flatten(STARTERS)
WEEKDAY_WORDS = flatten(WEEKDAYS)
ORIGINAL_PHRASES = flatten(ORIGINAL)
FORWARDED_PHRASES = flatten(FORWARDED)
REPLY_ABOVE_PHRASES = flatten(REPLY_ABOVE)
APP_SIGNATURE_PATTERNS = flatten(APP_SIGNATURES)
AUTO_REPLY_PHRASES = flatten(AUTO_REPLY_SUBJECTS)
ABSENCE_PHRASES = flatten(ABSENCE_SUBJECTS)
