### Mails. Jede Nachricht hat einen Betreff, eine Überschrift, einen Satz darüber, einen darunter und die Worte ihres Knopfs.

mail-or = Oder öffnen Sie diesen Link:
mail-code-until = Der Code und der Link gelten einmal und für { $minutes ->
        [one] eine Minute
       *[other] { $minutes } Minuten
    }.

mail-sign-in =
    .subject = { $code } ist Ihr Code zum Anmelden bei { $brand }
    .plain = Ihr Code zum Anmelden bei { $brand }
    .heading = Anmelden
    .lead = Mit diesem Code melden Sie sich bei { $brand } an:
    .button = Anmelden
    .note = Wenn Sie sich nicht anmelden wollten, können Sie diese Mail ignorieren. Ohne den Code kommt niemand hinein.
mail-sign-up =
    .subject = { $code } ist Ihr Code für { $brand }
    .plain = Ihr Code für { $brand }
    .heading = Adresse bestätigen
    .lead = Mit diesem Code legen Sie Ihr Konto bei { $brand } fertig an:
    .button = Weiter
    .note = Wenn Sie kein Konto wollten, können Sie diese Mail ignorieren. Ohne den Code wird keines angelegt.
mail-existing =
    .subject = { $code } ist Ihr Code zum Anmelden bei { $brand }
    .plain = Ihr Code zum Anmelden bei { $brand }
    .heading = Sie haben schon ein Konto
    .lead = Sie haben bei { $brand } schon ein Konto mit dieser Adresse. Mit diesem Code melden Sie sich an:
    .button = Anmelden
    .note = Wenn Sie kein Konto anlegen wollten, können Sie diese Mail ignorieren. Ohne den Code kommt niemand hinein.
mail-recover =
    .subject = { $code } ist Ihr Code für ein neues Passwort bei { $brand }
    .plain = Ihr Code für ein neues Passwort bei { $brand }
    .heading = Neues Passwort setzen
    .lead = Mit diesem Code setzen Sie ein neues Passwort für { $brand }:
    .button = Neues Passwort setzen
    .note = Wenn Sie kein neues Passwort wollten, können Sie diese Mail ignorieren. Ohne den Code ändert sich nichts.
mail-step-up =
    .subject = { $code } ist Ihr Code für { $brand }
    .plain = Ihr Code für { $brand }
    .heading = Sind Sie es?
    .lead = Mit diesem Code bestätigen Sie, dass Sie selbst Ihr Konto bei { $brand } ändern:
    .button = Ja, das bin ich
    .note = Wenn Sie es nicht waren, melden Sie Ihre anderen Sitzungen ab, und ändern Sie Ihr Passwort.
mail-verify =
    .subject = { $code } bestätigt Ihre Adresse für { $brand }
    .plain = Bestätigen Sie Ihre Adresse für { $brand }
    .heading = Diese Adresse bestätigen
    .lead = Mit diesem Code bestätigen Sie diese Adresse für Ihr Konto bei { $brand }:
    .button = Adresse bestätigen
    .note = Wenn Sie das nicht wollten, können Sie diese Mail ignorieren. Ohne den Code wird die Adresse nicht verwendet.
mail-factor =
    .subject = { $code } ist Ihr Code für { $brand }
    .plain = Ihr Code für { $brand }
    .heading = Der zweite Schritt
    .lead = Dieser Code ist der zweite Schritt, um sich bei { $brand } anzumelden:
    .button = Anmelden
    .note = Wenn Sie sich nicht gerade anmelden, kennt jemand Ihr Passwort. Ändern Sie es.

mail-no-account =
    .subject = Kein Konto bei { $brand } mit dieser Adresse
    .heading = Zu dieser Adresse gibt es kein Konto
    .lead = Jemand, vielleicht Sie, wollte sich mit dieser Adresse bei { $brand } anmelden. Es gibt kein Konto dazu.
    .sign-up = Wenn Sie eines möchten, können Sie es anlegen:
    .other = Vielleicht haben Sie sich mit einer anderen Adresse registriert.
    .button = Konto anlegen
    .note = Wenn Sie es nicht waren, können Sie diese Mail ignorieren.
mail-taken =
    .subject = Zu dieser Adresse gibt es schon ein Konto bei { $brand }
    .heading = Diese Adresse ist vergeben
    .lead = Jemand wollte diese Adresse einem Konto bei { $brand } hinzufügen. Sie gehört schon zu einem anderen Konto, deshalb wurde nichts geändert.
    .note = Wenn Sie das waren, melden Sie sich stattdessen mit dieser Adresse an. Wenn nicht, können Sie diese Mail ignorieren.
mail-password =
    .subject = Ihr Passwort bei { $brand } wurde geändert
    .heading = Ihr Passwort wurde geändert
    .lead = Das Passwort Ihres Kontos bei { $brand } wurde geändert, und alle anderen Sitzungen wurden abgemeldet.
mail-email =
    .subject = Die Adresse Ihres Kontos bei { $brand } wurde geändert
    .heading = Ihre Adresse wurde geändert
    .lead = Die Adresse Ihres Kontos bei { $brand } wurde in { $address } geändert.
mail-invitation =
    .subject = Sie sind zu { $brand } eingeladen
    .heading = Sie sind eingeladen
    .lead = Sie sind zu { $brand } eingeladen. Legen Sie mit dieser Adresse Ihr Konto an.
    .button = Einladung annehmen
    .note = Die Einladung gilt { $days ->
        [one] einen Tag
       *[other] { $days } Tage
    }, für diese Adresse.

mail-when = Wann
mail-device = Gerät
mail-place = Von
mail-was-it-you = Wenn Sie es waren, ist nichts zu tun. Wenn nicht, öffnen Sie den Link unten: Sein Knopf meldet alles ab, und Sie setzen ein neues Passwort. Er lässt sich einmal verwenden, innerhalb von sieben Tagen.
mail-was-not-you = Wenn Sie es waren, ist nichts zu tun. Wenn nicht, lassen Sie sich sofort ein neues Passwort geben, oder schreiben Sie den Betreibern dieses Dienstes.

mail-new-device =
    .subject = Neue Anmeldung mit Ihrem Konto bei { $brand }
    .heading = Neue Anmeldung
    .lead = Jemand, hoffentlich Sie, hat sich mit Ihrem Konto bei { $brand } auf einem Gerät angemeldet, das dort noch nicht bekannt war.
mail-password-set =
    .lead = Die Betreiber von { $brand } haben ein neues Passwort für Ihr Konto gesetzt, und alle Sitzungen wurden abgemeldet.
mail-username =
    .subject = Ihr Benutzername bei { $brand } wurde geändert
    .heading = Ihr Benutzername wurde geändert
    .lead = Der Benutzername Ihres Kontos bei { $brand } ist jetzt { $name }.
mail-username-none =
    .lead = Ihr Konto bei { $brand } hat keinen Benutzernamen mehr.
mail-signed-out =
    .subject = Ihr Konto bei { $brand } wurde anderswo abgemeldet
    .heading = Anderswo abgemeldet
    .lead = Sitzungen Ihres Kontos bei { $brand } auf anderen Geräten und in Apps wurden abgemeldet.
mail-deletion =
    .subject = Ihr Konto bei { $brand } wird gelöscht
    .heading = Ihr Konto wird gelöscht
    .lead = Ihr Konto bei { $brand } ist überall abgemeldet und wird am { $until } endgültig gelöscht. Um es zu behalten, melden Sie sich vorher an.
    .button = Anmelden und behalten
mail-kept =
    .subject = Ihr Konto bei { $brand } bleibt
    .heading = Ihr Konto bleibt
    .lead = Ihr Konto bei { $brand } sollte gelöscht werden. Nun bleibt es, mit allem darin.
mail-put-back =
    .subject = Diese Adresse gehört nicht mehr zu einem Konto bei { $brand }
    .heading = Diese Adresse wurde von einem Konto entfernt
    .lead = Wer die Mails der vorigen Adresse dieses Kontos bei { $brand } liest, sagt, dass die Änderung auf diese Adresse nicht von ihm kam.
    .note = Wenn das Konto Ihnen gehört, schreiben Sie den Betreibern dieses Dienstes.
