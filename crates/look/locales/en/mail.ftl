### Mails.

mail-or = Or open this link:
