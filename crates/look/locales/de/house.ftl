### Das Haus: wo man sich um das eigene Konto kümmert.

house = Ihr Konto
house-profile = Profil
house-password = Passwort
house-devices = Geräte
house-data = Ihre Daten
house-switch = Konto wechseln

house-confirm = Bestätigen, dass ich es bin

## Profil

profile-lead = Wer Sie hier sind, und wie Sie sich anmelden.
profile-name = Name
profile-your-name = Ihr Name
profile-save = Speichern
profile-ways = Wie Sie sich anmelden
profile-email = E-Mail
profile-email-none = Noch keine
profile-email-unproven = nicht bestätigt
profile-username = Benutzername
profile-username-none = Keiner. Mit einem können Sie sich anmelden, ohne Ihre Adresse einzugeben.
profile-new-email = Neue E-Mail
profile-new-email-note = Wir schicken einen Code dorthin. Die Adresse ändert sich, sobald Sie ihn eingegeben haben.
profile-change-email = E-Mail ändern
profile-username-note = Lassen Sie das Feld leer, um keinen zu haben.
profile-save-username = Benutzernamen speichern
profile-confirm = Um E-Mail oder Benutzernamen zu ändern, bestätigen Sie zuerst, dass Sie es sind.
profile-language = Sprache der Mails
profile-language-browser = Wie mein Browser
profile-save-language = Sprache speichern
profile-done-language = Ihre Sprache ist gespeichert.
profile-done-email = Ihre neue Adresse ist gespeichert.
profile-done-name = Ihr Name ist gespeichert.
profile-done-username = Ihr Benutzername ist gespeichert.

## Passwort

password-lead = Wenn Sie es ändern, wird alles andere abgemeldet.
password-change = Passwort ändern
password-set = Passwort setzen
password-now = Jetziges Passwort
password-change-button = Passwort ändern
password-set-button = Passwort setzen
password-confirm = Um ein Passwort zu setzen, bestätigen Sie zuerst, dass Sie es sind.
password-done = Ihr Passwort ist geändert. Alles andere, was angemeldet war, ist abgemeldet.
password-not-it = Das ist nicht das Passwort dieses Kontos.

## Geräte

devices-lead = Wo Sie angemeldet sind. Melden Sie ab, was Sie nicht kennen, und ändern Sie dann Ihr Passwort.
devices-this = Dieses hier
devices-used = Verwendet { $used } · angemeldet { $began }
devices-sign-out = { $device } abmelden, verwendet { $used }
devices-more =
    { $n ->
        [one] Ein weiteres ist nicht zu sehen.
       *[other] { $n } weitere sind nicht zu sehen.
    }
devices-others = Alles andere abmelden
devices-all = Überall abmelden, auch hier
devices-done-session = Diese Sitzung ist abgemeldet.
devices-done-others = Alles andere ist abgemeldet.

## Daten

data-lead = Nehmen Sie mit, was hier über Sie gespeichert ist, oder lassen Sie es löschen.
data-download = Herunterladen
data-download-says = Ihr Profil, Ihre Adressen und Sitzungen, als Datei, die Programme lesen (JSON).
data-download-button = Meine Daten herunterladen
data-download-confirm = Um Ihre Daten herunterzuladen, bestätigen Sie zuerst, dass Sie es sind.
data-delete = Konto löschen
data-delete-says = Bevor etwas geschieht, werden Sie noch einmal gefragt.
data-delete-button = Mein Konto löschen …

delete = Ihr Konto löschen?
delete-lead = Es geht um { $name }.
delete-lost = Was verloren geht
delete-lost-profile = Ihr Profil, Ihre Adresse, Ihr Benutzername und Ihr Passwort hier.
delete-lost-sessions = Jede Sitzung: Sie sind auf allen Geräten und in allen Apps abgemeldet.
delete-lost-apps = Der Zugang zu Apps, die Sie an diesem Konto erkennen. Wer mit Ihrer Adresse ein neues anlegt, bekommt ihn nicht zurück.
delete-button = Mein Konto löschen
delete-keep = Behalten
delete-confirm = Bestätigen Sie zuerst, dass Sie es sind.
deleted = Ihr Konto ist gelöscht
deleted-says = Es wurde mit allem darin gelöscht und ist überall abgemeldet. Sie können diese Seite schließen.

delete-for-good = Das lässt sich nicht rückgängig machen.
delete-grace-days = Noch { $days ->
        [one] einen Tag
       *[other] { $days } Tage
    } lang können Sie es behalten, indem Sie sich wieder anmelden.
delete-grace-hours = Noch { $hours ->
        [one] eine Stunde
       *[other] { $hours } Stunden
    } lang können Sie es behalten, indem Sie sich wieder anmelden.
deleted-later = Ihr Konto wird gelöscht
deleted-later-days = Es ist überall abgemeldet. Noch { $days ->
        [one] einen Tag
       *[other] { $days } Tage
    } lang können Sie es behalten: Melden Sie sich wieder an. Danach ist es endgültig weg.
deleted-later-hours = Es ist überall abgemeldet. Noch { $hours ->
        [one] eine Stunde
       *[other] { $hours } Stunden
    } lang können Sie es behalten: Melden Sie sich wieder an. Danach ist es endgültig weg.

## What to look at

checkup = Überblick
checkup-in-order = Nichts zu tun
checkup-lately = In letzter Zeit
checkup-unproven = Ihre Adresse ist nicht bestätigt
checkup-unproven-says = Sonst kann niemand sicher sein, dass sie Ihnen gehört.
checkup-unproven-button = Bestätigen
checkup-no-password = Sie haben kein Passwort
checkup-no-password-says = Sie melden sich mit einem Code aus Ihrer Mail an. Mit einem Passwort geht es ohne.
checkup-no-password-button = Eines setzen
checkup-unused =
    { $n ->
        [one] Ein Gerät wurde
       *[other] { $n } Geräte wurden
    } drei Monate lang nicht benutzt
checkup-unused-says = Melden Sie ab, was Sie nicht mehr benutzen.
checkup-devices = Geräte ansehen
checkup-look = Ansehen
checkup-change = Ändern
changed-password = Ihr Passwort wurde geändert
changed-password-by-operator = Ihr Passwort wurde von den Betreibern dieses Dienstes gesetzt
changed-email = Ihre Adresse wurde geändert
changed-email-back = Ihre frühere Adresse gilt wieder
changed-email-lost = Jemand anderes hat nachgewiesen, dass Ihre Adresse ihm gehört; Sie haben sie nicht mehr
changed-deletion-begun = Ihr Konto sollte gelöscht werden
changed-deletion-kept = Ihr Konto wurde behalten
changed-username = Ihr Benutzername wurde geändert
changed-device = Ein neues Gerät hat sich angemeldet
changed-not-me = Alles wurde abgemeldet, durch „Das war ich nicht“
