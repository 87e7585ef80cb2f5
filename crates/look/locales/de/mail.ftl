### Mails.

mail-or = Oder öffnen Sie diesen Link:
