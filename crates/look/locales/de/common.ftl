### Was auf mehr als einer Seite steht.

skip = Zum Inhalt springen
or = oder
languages = Sprache
legal = Über diesen Dienst
go-on = Weiter
not-now = Jetzt nicht
sign-in = Anmelden
sign-out = Abmelden
password = Passwort
new-password = Neues Passwort
new-password-note = Mindestens { $least } Zeichen. Gut sind ein paar Wörter, die nicht zusammengehören.

wait =
    { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    }
wait-hours =
    { $hours ->
        [one] eine Stunde
       *[other] { $hours } Stunden
    }

ago-now = gerade eben
ago-this = jetzt
ago-minutes =
    { $n ->
        [one] vor einer Minute
       *[other] vor { $n } Minuten
    }
ago-hours =
    { $n ->
        [one] vor einer Stunde
       *[other] vor { $n } Stunden
    }
ago-days =
    { $n ->
        [one] vor einem Tag
       *[other] vor { $n } Tagen
    }

device = { $browser } auf { $system }
device-known = { $browser }
device-browser = Ein Browser
device-app = Eine App

dev-mail = Dies ist ein Entwicklungsserver: Seine Mails liegen im { $mailbox }.
dev-mailbox = Postfach

guest = Gast
