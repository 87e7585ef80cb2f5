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
device-any = Ein Gerät
device-app = Eine App

dev-mail = Dies ist ein Entwicklungsserver: Seine Mails liegen im { $mailbox }.
dev-mailbox = Postfach

guest = Gast

date = { $day }. { $month } { $year }, { $time } UTC
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember
