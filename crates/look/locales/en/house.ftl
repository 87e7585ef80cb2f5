### The house: where somebody looks after their account.

house = Your account
house-profile = Profile
house-password = Password
house-devices = Devices
house-data = Your data
house-switch = Switch account

house-confirm = Confirm that it is me

## Profile

profile-lead = Who you are here, and how you sign in.
profile-name = Name
profile-your-name = Your name
profile-save = Save
profile-ways = How you sign in
profile-email = E-mail
profile-email-none = None yet
profile-email-unproven = not confirmed
profile-username = Username
profile-username-none = None. With one, you can sign in without typing your address.
profile-new-email = New e-mail
profile-new-email-note = We mail a code there. The address changes once you have typed it.
profile-change-email = Change e-mail
profile-username-note = Leave it empty to have none.
profile-save-username = Save username
profile-confirm = To change your e-mail or username, first confirm that it is you.
profile-language = Language of mails
profile-language-browser = As my browser says
profile-save-language = Save language
profile-done-language = Your language is saved.
profile-done-email = Your new address is saved.
profile-done-name = Your name is saved.
profile-done-username = Your username is saved.

## Password

password-lead = Changing it signs out everything else.
password-change = Change your password
password-set = Set a password
password-now = Password now
password-change-button = Change password
password-set-button = Set password
password-confirm = To set a password, first confirm that it is you.
password-done = Your password is changed. Everything else that was signed in is signed out.
password-not-it = That is not the password of this account.

## Devices

devices-lead = Where you are signed in. Sign out what you don’t know, then change your password.
devices-this = This one
devices-used = Used { $used } · signed in { $began }
devices-sign-out = Sign out { $device }, used { $used }
devices-more =
    { $n ->
        [one] One more is not shown.
       *[other] { $n } more are not shown.
    }
devices-others = Sign out everything else
devices-all = Sign out everywhere, here too
devices-done-session = That session is signed out.
devices-done-others = Everything else is signed out.

## Data

data-lead = Take along what is kept about you here, or have it deleted.
data-download = Download
data-download-says = Your profile, addresses and sessions, as a file that programs read (JSON).
data-download-button = Download my data
data-download-confirm = To download your data, first confirm that it is you.
data-delete = Delete the account
data-delete-says = You are asked again before anything happens.
data-delete-button = Delete my account…

delete = Delete your account?
delete-lead = This is about { $name }.
delete-lost = What will be lost
delete-lost-profile = Your profile, address, username and password here.
delete-lost-sessions = Every session: you are signed out on all devices and in all apps.
delete-lost-apps = The way into apps that know you by this account. Whoever makes a new one with your address does not get it back.
delete-button = Delete my account
delete-keep = Keep it
delete-confirm = First confirm that it is you.
deleted = Your account is gone
deleted-says = It was deleted with everything in it, and is signed out everywhere. You can close this page.

delete-for-good = It can’t be undone.
delete-grace-days = For { $days ->
        [one] a day
       *[other] { $days } days
    } you can still keep it, by signing in again.
delete-grace-hours = For { $hours ->
        [one] an hour
       *[other] { $hours } hours
    } you can still keep it, by signing in again.
deleted-later = Your account will be deleted
deleted-later-days = It is signed out everywhere. For { $days ->
        [one] a day
       *[other] { $days } days
    } you can still keep it: sign in again. After that it is gone for good.
deleted-later-hours = It is signed out everywhere. For { $hours ->
        [one] an hour
       *[other] { $hours } hours
    } you can still keep it: sign in again. After that it is gone for good.

## What to look at

checkup = Check-up
checkup-in-order = Nothing needs your attention
checkup-lately = Lately
checkup-unproven = Your address is not confirmed
checkup-unproven-says = Without that, nobody can be sure that it is yours.
checkup-unproven-button = Confirm it
checkup-no-password = You have no password
checkup-no-password-says = You sign in by a code in your mail. With a password you can do without.
checkup-no-password-button = Set one
checkup-unused =
    { $n ->
        [one] A device was
       *[other] { $n } devices were
    } not used for three months
checkup-unused-says = Sign out what you don’t use any more.
checkup-devices = Look at devices
checkup-look = Look at it
checkup-change = Change it
changed-password = Your password was changed
changed-password-by-operator = Your password was set by the people who run this service
changed-email = Your address was changed
changed-email-back = Your earlier address was put back
changed-email-lost = Somebody else proved that your address is theirs; you have it no more
changed-deletion-begun = Your account was to be deleted
changed-deletion-kept = Your account was kept
changed-username = Your username was changed
changed-device = A new device signed in
changed-not-me = Everything was signed out, by “This was not me”
