### Mails. Each message has a subject, a heading, a sentence above (.lead), one below (.note) and the words of its button.
### $code is the code; .plain is the subject of a realm that keeps codes out of subjects.

mail-or = Or open this link:
mail-code-until = The code and the link work once, for { $minutes ->
        [one] a minute
       *[other] { $minutes } minutes
    }.

mail-sign-in =
    .subject = { $code } is your { $brand } sign-in code
    .plain = Your { $brand } sign-in code
    .heading = Sign in
    .lead = Use this code to sign in to { $brand }:
    .button = Sign in
    .note = If you did not try to sign in, you can ignore this mail. Nobody gets in without the code.
mail-sign-up =
    .subject = { $code } is your { $brand } code
    .plain = Your { $brand } code
    .heading = Confirm your address
    .lead = Use this code to finish making your { $brand } account:
    .button = Go on
    .note = If you did not ask for an account, you can ignore this mail. None is made without the code.
mail-existing =
    .subject = { $code } is your { $brand } sign-in code
    .plain = Your { $brand } sign-in code
    .heading = You have an account already
    .lead = You already have a { $brand } account with this address. Use this code to sign in to it:
    .button = Sign in
    .note = If you did not try to make an account, you can ignore this mail. Nobody gets in without the code.
mail-recover =
    .subject = { $code } is your { $brand } code for a new password
    .plain = Your { $brand } code for a new password
    .heading = Set a new password
    .lead = Use this code to set a new password for { $brand }:
    .button = Set a new password
    .note = If you did not ask for a new password, you can ignore this mail. Nothing changes without the code.
mail-step-up =
    .subject = { $code } is your { $brand } code
    .plain = Your { $brand } code
    .heading = Is it you?
    .lead = Use this code to confirm that it is you who changes your { $brand } account:
    .button = Yes, it is me
    .note = If it was not you, sign out your other sessions and change your password.
mail-verify =
    .subject = { $code } confirms your address for { $brand }
    .plain = Confirm your address for { $brand }
    .heading = Confirm this address
    .lead = Use this code to confirm this address for your { $brand } account:
    .button = Confirm the address
    .note = If you did not ask for this, you can ignore this mail. The address is not used without the code.
mail-verify-current =
    .subject = { $code } agrees to a new address for { $brand }
    .plain = Agree to a new address for { $brand }
    .heading = Agree to a new address
    .lead = Somebody who is signed in to your { $brand } account wants to replace this address by another one. Use this code to agree:
    .button = Agree to the new address
    .note = If you did not ask for this, do not use the code, and change your password: somebody is signed in to your account.
mail-factor =
    .subject = { $code } is your { $brand } code
    .plain = Your { $brand } code
    .heading = The second step
    .lead = Use this code as the second step to sign in to { $brand }:
    .button = Sign in
    .note = If you are not signing in, somebody knows your password. Change it.

mail-no-account =
    .subject = No { $brand } account with this address
    .heading = There is no account with this address
    .lead = Somebody, maybe you, tried to sign in to { $brand } with this address, or asked for a new password. There is no account with it.
    .sign-up = If you want one, you can make it:
    .other = Perhaps you signed up with another address.
    .button = Create an account
    .note = If it was not you, you can ignore this mail.
mail-taken =
    .subject = This address already has a { $brand } account
    .heading = This address is in use
    .lead = Somebody tried to add this address to a { $brand } account. It belongs to another account already, so nothing was changed.
    .note = If that was you, sign in with this address instead. If not, you can ignore this mail.
mail-password =
    .subject = Your { $brand } password was changed
    .heading = Your password was changed
    .lead = The password of your { $brand } account was changed, and all other sessions were signed out.
mail-email =
    .subject = The address of your { $brand } account was changed
    .heading = Your address was changed
    .lead = The address of your { $brand } account was changed to { $address }.
mail-invitation =
    .subject = You are invited to { $brand }
    .heading = You are invited
    .lead = You are invited to { $brand }. Make your account with this address.
    .button = Accept the invitation
    .note = The invitation is good for { $days ->
        [one] a day
       *[other] { $days } days
    }, for this address.

## Notices: what has happened to an account. Below each stand .mail-was-it-you and the link, or .mail-was-not-you.

mail-when = When
mail-device = Device
mail-place = From
mail-was-it-you = If it was you, nothing is left to do. If it was not you, open the link below: its button signs everything out, and you set a new password. It can be used once, within seven days.
mail-was-not-you = If it was you, nothing is left to do. If not, ask for a new password at once, or write to the people who run this service.

mail-new-device =
    .subject = New sign-in to your { $brand } account
    .heading = New sign-in
    .lead = Somebody, hopefully you, signed in to your { $brand } account with a device that had not been seen there before.
mail-password-set =
    .lead = The people who run { $brand } set a new password for your account, and all sessions were signed out.
mail-username =
    .subject = Your { $brand } username was changed
    .heading = Your username was changed
    .lead = The username of your { $brand } account is now { $name }.
mail-username-none =
    .lead = Your { $brand } account has no username any more.
mail-signed-out =
    .subject = Your { $brand } account was signed out elsewhere
    .heading = Signed out elsewhere
    .lead = Sessions of your { $brand } account on other devices and in apps were signed out.
mail-deletion =
    .subject = Your { $brand } account will be deleted
    .heading = Your account will be deleted
    .lead = Your { $brand } account is signed out everywhere, and will be gone for good on { $until }. To keep it, sign in before then.
    .button = Sign in and keep it
mail-kept =
    .subject = Your { $brand } account is kept
    .heading = Your account is kept
    .lead = Your { $brand } account was to be deleted. Now it is kept, with everything in it.
mail-put-back =
    .subject = This address was taken off a { $brand } account
    .heading = This address was taken off an account
    .lead = Whoever reads the mail of the address that the { $brand } account had before says that the change to this one was not theirs.
    .note = If the account is yours, write to the people who run this service.
