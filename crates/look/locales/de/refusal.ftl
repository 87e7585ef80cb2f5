### Was Menschen lesen, wenn etwas nicht geht: was geschehen ist, und was als Nächstes zu tun ist.

## Ganze Seiten

fault = Das hat nicht geklappt
    .says = Bei uns ist etwas schiefgegangen; es ist vermerkt. Versuchen Sie es gleich noch einmal.
to-start = Zur Startseite
begin-again = Neu anfangen
door-changed = Öffnen Sie die Seite noch einmal
    .says = Diese Anfrage kam nicht von der Seite, zu der sie gehört. Es ist nichts geschehen.
door-over = Dieser Schritt ist vorbei
    .says = Er wurde schon beendet, hat zu lange gedauert oder gehört zu einem anderen Browser. Nichts ist verloren: Fangen Sie neu an.
door-not-signed-in = Sie sind nicht mehr angemeldet
    .says = Melden Sie sich wieder an, dann machen Sie dort weiter, wo Sie waren.
invitation-unusable = Diese Einladung gilt nicht
    .says = Sie wurde schon verwendet, zurückgenommen oder ist zu alt. Wenn Sie Ihr Konto schon angelegt haben, melden Sie sich damit an. Sonst bitten Sie um eine neue.
link-changed = Öffnen Sie den Link noch einmal
    .says = Diese Anfrage kam nicht von der Seite, zu der sie gehört. Öffnen Sie den Link aus Ihrer Mail noch einmal, und drücken Sie dort den Knopf.
not-found = Hier ist nichts
    .says = Unter dieser Adresse gibt es keine Seite. Prüfen Sie die Adresse, oder gehen Sie dorthin zurück, woher Sie kamen.
not-that-way = Diese Adresse öffnet man anders
    .says = Es ist nichts geschehen. Gehen Sie zurück zu der Seite, von der Sie kamen, und benutzen Sie dort den Knopf oder Link.
link-unusable = Dieser Link gilt nicht mehr
    .says = Er wurde schon verwendet, durch einen neueren ersetzt oder ist zu alt. Gehen Sie dorthin zurück, wo Sie angefangen haben, und lassen Sie sich eine neue Mail schicken.
link-unusable-here = Dieser Link gilt hier nicht
    .says = Was er begonnen hat, ist vorbei oder gehört zu einem anderen Browser. Gehen Sie dorthin zurück, wo Sie angefangen haben, und lassen Sie sich eine neue Mail schicken.
limited = Zu viele Versuche
    .says = Warten Sie { $wait }, dann versuchen Sie es noch einmal.
busy = Gerade nicht
    .says = Der Server ist beschäftigt. Versuchen Sie es gleich noch einmal.
forbidden = Das ist nicht erlaubt
    .says = Dieses Konto kann das nicht. Fragen Sie die Betreiber dieses Dienstes.
not-signed-in = Sie sind nicht angemeldet
    .says = Melden Sie sich zuerst an.
reauthentication = Bestätigen Sie, dass Sie es sind
    .says = Dafür ist Ihre letzte Anmeldung zu lange her. Melden Sie sich noch einmal an, dann wiederholen Sie es.
task-outstanding = Etwas ist noch zu tun
    .says = Diese Anmeldung ist noch nicht fertig. Melden Sie sich noch einmal an, und gehen Sie jeden Schritt bis zum Ende.
off = Abgeschaltet
    .says = Das wird hier nicht angeboten.
sign-up-off = Keine neuen Konten
    .says = Ohne Einladung lassen sich hier keine Konten anlegen. Fragen Sie die Betreiber dieses Dienstes.
guests-off = Keine Gäste
    .says = Gäste sind hier nicht zugelassen. Legen Sie ein Konto an, oder melden Sie sich an.
not-for-guests = Nicht für Gäste
    .says = Ein Gast kann das nicht haben. Registrieren Sie sich zuerst: Was Ihnen gehört, bleibt.
banned = Dieses Konto ist gesperrt
    .says = Es darf sich hier nicht anmelden. Fragen Sie die Betreiber dieses Dienstes.

## Bei einem Formular oder einem seiner Felder

form-changed = Diese Seite hat sich inzwischen geändert. Sehen Sie sie noch einmal an, dann schicken Sie sie noch einmal ab.
form-cookies = Erlauben Sie Ihrem Browser Cookies für diese Seite, dann versuchen Sie es noch einmal.
credentials-wrong = Dieses Konto und dieses Passwort passen nicht zusammen. Versuchen Sie es noch einmal, oder lassen Sie sich einen Code schicken.
code-wrong = Dieser Code stimmt nicht, ist zu alt oder wurde zu oft versucht. Prüfen Sie ihn, oder lassen Sie sich einen neuen schicken.
code-shape = Der Code hat sechs Ziffern.
throttled-closed = Zu viele falsche Passwörter. Lassen Sie sich stattdessen einen Code schicken.
throttled = Zu viele falsche Versuche. Warten Sie { $wait }, oder lassen Sie sich einen Code schicken.
limited-often = Das war oft. Warten Sie { $wait }, dann versuchen Sie es noch einmal.
taken = Das hat schon jemand anderes. Wählen Sie etwas anderes.
last-one = Ohne das könnten Sie sich nicht mehr anmelden. Wählen Sie stattdessen etwas anderes.
input = Hier stimmt etwas noch nicht.
email-invalid = Das ist keine vollständige E-Mail-Adresse wie ada@example.com.
identifier-invalid = Das ist weder eine vollständige E-Mail-Adresse wie ada@example.com noch ein Benutzername.
username-invalid = Ein Benutzername hat 1 bis 64 Buchstaben, Ziffern, Punkte, Binde- und Unterstriche eines Alphabets und beginnt und endet mit einem Buchstaben oder einer Ziffer.
name-invalid = Ein Name hat höchstens 200 Zeichen, die sich alle anzeigen lassen.
password-missing = Geben Sie ein Passwort ein.

weak = Wählen Sie ein anderes Passwort, länger oder weniger verbreitet.
weak-too-short = Dieses Passwort ist zu kurz. Mehrere Wörter, die nicht zusammengehören, merkt man sich leicht.
weak-too-long = Dieses Passwort ist zu lang.
weak-common = Dieses Passwort gehört zu denen, die Angreifer zuerst probieren.
weak-context-word = Dieses Passwort ist kaum mehr als ein Name, der zu Ihnen oder zu diesem Dienst gehört.
weak-breached = Dieses Passwort war unter denen, die anderswo gestohlen wurden. Wählen Sie eines, das Sie sonst nirgends verwenden.
weak-guessable = Dieses Passwort ist zu leicht zu erraten. Machen Sie es länger, oder wählen Sie etwas anderes als ein abgewandeltes Wort.
weak-characters = Diesem Passwort fehlt eine Art von Zeichen, die hier verlangt wird. Verwenden Sie kleine und große Buchstaben, Ziffern und Sonderzeichen.
