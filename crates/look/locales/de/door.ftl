### Die Tür: anmelden, registrieren, wieder hineinkommen, abmelden, und die Seiten hinter Links aus Mails.

## Anmelden

sign-in-lead = Bei { $brand } anmelden.
sign-in-identifier = E-Mail oder Benutzername
sign-in-forgot = Vergessen?
sign-in-by-code = Code per E-Mail schicken
sign-in-new = Neu hier?
sign-in-create = Konto anlegen
sign-in-missing-identifier = Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein.
sign-in-missing-password = Geben Sie Ihr Passwort ein, oder lassen Sie sich einen Code schicken.

## Registrieren

sign-up = Konto anlegen
sign-up-lead = Wir schicken einen Code an Ihre Adresse. Danach wählen Sie ein Passwort.
sign-up-by-invitation = Mit Einladung
sign-up-by-invitation-lead = Für ein Konto brauchen Sie hier eine Einladung. Wenn Sie eine haben, öffnen Sie den Link in der Einladungsmail.
sign-up-closed = Keine neuen Konten
sign-up-closed-lead = Neue Konten legen die Betreiber von { $brand } an. Fragen Sie dort nach einem.
sign-up-email = E-Mail
sign-up-have = Schon ein Konto?

## Zugang wiederherstellen

recover = Zugang wiederherstellen
recover-lead = Wir schicken einen Code an Ihre Adresse. Damit setzen Sie ein neues Passwort.
recover-email = E-Mail Ihres Kontos
recover-send = Code schicken
recover-found = Wieder eingefallen?

## Der Code aus der Mail

code = Sehen Sie in Ihren Mails nach
code-factor = Noch ein Schritt
code-sent = Wir haben einen Code an { $to } geschickt. Geben Sie ihn hier ein, oder öffnen Sie den Link in derselben Mail.
code-maybe = Falls es ein Konto für { $to } gibt, haben wir einen Code dorthin geschickt. Geben Sie ihn hier ein, oder öffnen Sie den Link in derselben Mail.
code-again = Eine weitere Mail ist unterwegs. Nur der neueste Code gilt.
code-digits = Code aus sechs Ziffern
code-nothing = Nach einer Minute noch nichts da? Sehen Sie im Spam-Ordner nach, dann lassen Sie eine weitere Mail schicken. Ein Code gilt { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    }.
code-send = Weitere Mail schicken
code-other = Andere Adresse verwenden
code-back = Zurück zum Konto
code-confirm-address = Adresse bestätigen
code-confirm = Bestätigen

## Noch einmal bestätigen

confirm = Bestätigen Sie, dass Sie es sind
confirm-lead = Ihre letzte Anmeldung ist eine Weile her, und was jetzt kommt, ist wichtig.
confirm-send = Code per E-Mail schicken
confirm-send-instead = Stattdessen Code per E-Mail schicken

## Ein neues Passwort

set-password = Neues Passwort setzen
set-password-lead = Alles andere, was bei diesem Konto angemeldet ist, wird abgemeldet.
set-password-button = Passwort setzen
choose-password = Passwort wählen
choose-password-lead = Das ist der letzte Schritt.
choose-password-button = Konto anlegen

## Mehrere Konten in einem Browser

choose = Konto auswählen
choose-lead = Diese Konten sind in diesem Browser angemeldet.
choose-current = Sie sind angemeldet
choose-current-lead = Machen Sie mit diesem Konto weiter, oder verwenden Sie ein anderes.
choose-continue = Weiter
choose-use = { $name } verwenden
choose-another = Anderes Konto verwenden

## Abmelden

sign-out-title = Abmelden?
sign-out-lead = Das meldet Sie hier ab, in diesem Browser, und in jeder App, die diese Sitzung verwendet.
sign-out-stay = Angemeldet bleiben
signed-out = Sie sind abgemeldet
signed-out-lead = Sie können diese Seite schließen.
signed-out-others =
    { $others ->
        [one] Dieser Browser ist noch bei einem anderen Konto angemeldet.
       *[other] Dieser Browser ist noch bei { $others } anderen Konten angemeldet.
    }
signed-out-again = Wieder anmelden

## Hinter einem Link aus einer Mail

page-changed = Diese Seite hat sich inzwischen geändert. Sehen Sie sie noch einmal an, dann drücken Sie den Knopf.
link-other = Dieser Browser ist als { $name } angemeldet. Wenn Sie weitergehen, wechselt er zur Adresse oben.
link-elsewhere = Haben Sie woanders angefangen, in einer App oder auf einem anderen Gerät? Dann geben Sie dort den Code aus derselben Mail ein.
link-ignore = Das waren nicht Sie? Dann schließen Sie diese Seite. Es ist nichts geschehen.
link-sign-in-lead = Ihr Link ist gültig. Ein Druck auf den Knopf, und Sie sind angemeldet.
link-sign-in-here = Hier anmelden
link-sign-in-here-lead = Dieser Link meldet Sie hier an, in diesem Browser.
link-sign-up = Adresse bestätigen
link-sign-up-lead = Bestätigen Sie, dass diese Adresse Ihnen gehört, dann geht es weiter.
link-sign-up-here-lead = Bestätigen Sie, dass diese Adresse Ihnen gehört, dann geht es hier weiter, in diesem Browser.
link-sign-up-button = Bestätigen und weiter
link-sign-up-here-button = Bestätigen und hier weiter
link-recover-lead = Sie wählen es auf der nächsten Seite.
link-step-up = Sind Sie es?
link-step-up-lead = Jemand, hoffentlich Sie, will dieses Konto ändern.
link-step-up-button = Ja, das bin ich
link-verify = Diese Adresse bestätigen
link-verify-lead = Sie wird zur Adresse Ihres Kontos.
link-app = Weiter geht es bei { $app }.
link-recover-app = Wieder hineinkommen
link-recover-app-lead = Sie werden angemeldet und wählen dort ein neues Passwort.
link-verify-current = Einer neuen Adresse zustimmen
link-verify-current-lead = Jemand, der in Ihrem Konto angemeldet ist, möchte diese Adresse durch eine andere ersetzen.
link-verify-current-button = Zustimmen
link-verify-account-lead = Sie wird zur Adresse des Kontos { $account }. Wenn das nicht Ihres ist, schließen Sie diese Seite.
link-factor-lead = Bestätigen Sie, dass Sie sich gerade anmelden.
elsewhere = Gehen Sie dorthin zurück, wo Sie angefangen haben
elsewhere-lead = Dieser Link gilt nur in dem Browser, in dem Sie ihn angefordert haben. Öffnen Sie ihn dort, oder geben Sie dort den Code aus derselben Mail ein.

invitation = Sie sind eingeladen
invitation-lead = Legen Sie mit dieser Adresse Ihr Konto bei { $brand } an.
invitation-name = Ihr Name
invitation-name-optional = (kann leer bleiben)
invitation-ignore = Sie haben das nicht erwartet? Dann schließen Sie diese Seite. Es wird kein Konto angelegt.

done-sign-in = Sie sind angemeldet
done-sign-up = Ihr Konto ist bereit
done-recover = Ihr neues Passwort ist gesetzt
done-confirm = Bestätigt
done-lead = Sie können diese Seite schließen oder dorthin zurückgehen, wo Sie angefangen haben.
done-lead-on = Sie können diese Seite schließen oder weitergehen.
done-as = Hier angemeldet als { $name }
done-account = Ihr Konto

no-link = Öffnen Sie den Link aus Ihrer Mail
no-link-says = Diese Seite zeigt, wozu ein Link aus einer Mail da ist. Wenn Sie gerade einen geöffnet haben, erlauben Sie Ihrem Browser Cookies für diese Seite, und öffnen Sie ihn noch einmal.
second-step = Noch ein Schritt
second-step-says = Ihr Konto verlangt einen zweiten Schritt, den diese Seite noch nicht annimmt. Machen Sie dort weiter, wo Sie angefangen haben.

## Die Startseite

start = Anmeldung
start-lead = Dieser Server meldet Menschen bei { $brand } an. Wenn Sie eine App verwenden wollen, öffnen Sie die App, und melden Sie sich dort an. Hier kümmern Sie sich um Ihr Konto.
start-runs-on = Läuft mit Latchstring

## An account that is to be deleted

code-ended = Alles ist abgemeldet, und das bisherige Passwort gilt nicht mehr. Mit dem Code setzen Sie ein neues.
keep = Konto behalten?
keep-lead = Sie haben dieses Konto gelöscht. Am { $until } ist es endgültig weg.
keep-button = Mein Konto behalten
keep-ignore = Bis Sie entscheiden, lässt Sie keine App mit diesem Konto ein. Wenn Sie nichts tun, wird es gelöscht.
kept = Ihr Konto bleibt
kept-lead = Nichts darin ging verloren. Auf anderen Geräten müssen Sie sich neu anmelden.

## “This was not me”

not-me = Waren Sie das nicht?
not-me-new-device = Am { $at } hat sich ein neues Gerät bei Ihrem Konto angemeldet.
not-me-password = Am { $at } wurde das Passwort Ihres Kontos geändert.
not-me-email = Am { $at } wurde die Adresse Ihres Kontos geändert.
not-me-username = Am { $at } wurde der Benutzername Ihres Kontos geändert.
not-me-signed-out = Am { $at } wurden Sitzungen Ihres Kontos abgemeldet.
not-me-deletion = Am { $at } wurde Ihr Konto gelöscht.
not-me-kept = Am { $at } wurde Ihr Konto vor dem Löschen bewahrt.
not-me-else = Am { $at } ist mit Ihrem Konto etwas geschehen.
not-me-then = Wenn Sie es nicht waren, drücken Sie den Knopf. Dann
not-me-ends = wird alles abgemeldet, auf allen Geräten und in allen Apps,
not-me-resets = gilt das jetzige Passwort nicht mehr, und Sie setzen mit einem Code, den wir an diese Adresse mailen, ein neues,
not-me-moves = gehört diese Adresse wieder zum Konto, an Stelle der jetzigen,
not-me-keeps = wird das Konto nicht gelöscht, falls jemand das wollte.
not-me-button = Das war ich nicht
not-me-ignore = Sie waren es? Dann schließen Sie diese Seite. Es ist nichts geschehen.
not-me-used = Dieser Link gilt nicht mehr
not-me-used-says = Er wurde schon benutzt oder ist zu alt. Wenn Sie glauben, dass jemand anders Ihr Konto benutzt, setzen Sie ein neues Passwort: Das meldet alles ab.
not-me-taken = Alles ist abgemeldet
not-me-taken-lead = Das Passwort des Kontos, um das es in der Mail ging, gilt nicht mehr. Seine Adresse konnte nicht zurückgesetzt werden: Sie gehört inzwischen zu einem anderen Konto.
not-me-taken-says = Um das frühere Konto zurückzubekommen, schreiben Sie den Betreibern dieses Dienstes.
not-me-taken-button = Beim Konto mit dieser Adresse anmelden
