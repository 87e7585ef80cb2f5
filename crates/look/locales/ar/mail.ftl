### Mails.

mail-or = أو افتح هذا الرابط:
