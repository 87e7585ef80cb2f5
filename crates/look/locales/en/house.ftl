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
profile-language = Language of mails, and of pages in this browser
profile-language-browser = As my browser says
profile-save-language = Save language
profile-done-language = Your language is saved.
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
data-delete-says = At once and for good. You are asked again before anything happens.
data-delete-button = Delete my account…

delete = Delete your account?
delete-lead = This is about { $name }. It can’t be undone.
delete-lost = What will be lost
delete-lost-profile = Your profile, address, username and password here.
delete-lost-sessions = Every session: you are signed out on all devices and in all apps.
delete-lost-apps = The way into apps that know you by this account. Whoever makes a new one with your address does not get it back.
delete-button = Delete my account for good
delete-keep = Keep it
delete-confirm = First confirm that it is you.
deleted = Your account is gone
deleted-says = It was deleted with everything in it, and is signed out everywhere. You can close this page.
