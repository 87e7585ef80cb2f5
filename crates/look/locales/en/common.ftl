### What stands on more than one page. English is what the other languages are translated from.
### $brand is the name of the service; $to, $name and $address are what somebody typed or is called.

skip = Skip to the content
or = or
languages = Language
legal = About this service
go-on = Go on
not-now = Not now
sign-in = Sign in
sign-out = Sign out
password = Password
new-password = New password
new-password-note = At least { $least } characters. A few words that don’t belong together make a good one.

# The waiting time of a message. One of the two is given.
wait =
    { $minutes ->
        [one] a minute
       *[other] { $minutes } minutes
    }
wait-hours =
    { $hours ->
        [one] an hour
       *[other] { $hours } hours
    }

ago-now = just now
ago-this = now
ago-minutes =
    { $n ->
        [one] a minute ago
       *[other] { $n } minutes ago
    }
ago-hours =
    { $n ->
        [one] an hour ago
       *[other] { $n } hours ago
    }
ago-days =
    { $n ->
        [one] a day ago
       *[other] { $n } days ago
    }

# “Chrome on Windows”. A browser or a system may be unknown.
device = { $browser } on { $system }
device-known = { $browser }
device-browser = A browser
device-any = A device
device-app = An app

dev-mail = This is a development server: its mail is in { $mailbox }.
dev-mailbox = the mailbox

guest = Guest

# A time, in UTC.
date = { $day } { $month } { $year }, { $time } UTC
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
