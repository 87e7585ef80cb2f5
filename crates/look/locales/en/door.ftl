### The door: signing in and up, getting back in, signing out, and the pages behind mailed links.

## Sign in

sign-in-lead = Sign in to { $brand }.
sign-in-identifier = E-mail or username
sign-in-forgot = Forgot it?
sign-in-by-code = E-mail me a code instead
sign-in-new = New here?
sign-in-create = Create an account
sign-in-missing-identifier = Type your e-mail address or username.
sign-in-missing-password = Type your password, or have a code mailed to you.

## Sign up

sign-up = Create an account
sign-up-lead = We mail a code to your address. Then you choose a password.
sign-up-by-invitation = By invitation
sign-up-by-invitation-lead = To make an account here you need an invitation. If you have one, open the link in its mail.
sign-up-closed = No new accounts
sign-up-closed-lead = New accounts are made by the people who run { $brand }. Ask them for one.
sign-up-email = E-mail
sign-up-have = Have an account?

## Get back in

recover = Get back in
recover-lead = We mail a code to your address. With it you set a new password.
recover-email = E-mail of your account
recover-send = Mail me a code
recover-found = It came back to you?

## The mailed code

code = Check your mail
code-factor = One more step
code-sent = We have mailed a code to { $to }. Type it here, or open the link in the same mail.
code-maybe = If there is an account for { $to }, we have mailed it a code. Type it here, or open the link in the same mail.
code-again = Another mail is on its way. Only the newest code counts.
code-digits = Code of six digits
code-nothing = Nothing there after a minute? Look among spam, then have another one sent. A code is good for { $minutes ->
        [one] a minute
       *[other] { $minutes } minutes
    }.
code-send = Send another mail
code-other = Use another address
code-back = Back to your account
code-confirm-address = Confirm the address
code-confirm = Confirm

## Prove it again

confirm = Confirm that it is you
confirm-lead = Your last sign-in was a while ago, and what comes next matters.
confirm-send = E-mail me a code
confirm-send-instead = E-mail me a code instead

## A new password

set-password = Set a new password
set-password-lead = Everything else that is signed in to this account will be signed out.
set-password-button = Set the password
choose-password = Choose a password
choose-password-lead = This is the last step.
choose-password-button = Make the account

## Several accounts in one browser

choose = Choose an account
choose-lead = These are signed in in this browser.
choose-current = You are signed in
choose-current-lead = Go on with this account, or use another.
choose-continue = Continue
choose-use = Use { $name }
choose-another = Use another account

## Sign out

sign-out-title = Sign out?
sign-out-lead = This signs you out here, in this browser, and in every app that uses this session.
sign-out-stay = Stay signed in
signed-out = You are signed out
signed-out-lead = You can close this page.
signed-out-others =
    { $others ->
        [one] This browser is still signed in to another account.
       *[other] This browser is still signed in to { $others } other accounts.
    }
signed-out-again = Sign in again

## Behind a mailed link

page-changed = This page had changed meanwhile. Look at it again, then press the button.
link-other = This browser is signed in as { $name }. Going on switches to the address above.
link-elsewhere = Did you start somewhere else, in an app or on another device? Then type the code from the same mail there.
link-ignore = You did not ask for this? Then close this page. Nothing has happened.
link-sign-in-lead = Your link is good. Press the button, and you are in.
link-sign-in-here = Sign in here
link-sign-in-here-lead = This link signs you in here, in this browser.
link-sign-up = Confirm your address
link-sign-up-lead = Confirm that this address is yours, and go on.
link-sign-up-here-lead = Confirm that this address is yours, and go on here, in this browser.
link-sign-up-button = Confirm and go on
link-sign-up-here-button = Confirm and go on here
link-recover-lead = You choose it on the next page.
link-step-up = Is it you?
link-step-up-lead = Somebody, hopefully you, is about to change this account.
link-step-up-button = Yes, it is me
link-verify = Confirm this address
link-verify-lead = It becomes the address of your account.
link-app = You go on to { $app }.
link-recover-app = Get back in
link-recover-app-lead = You are signed in, and choose a new password there.
link-verify-current = Agree to a new address
link-verify-current-lead = Somebody who is signed in to your account wants to replace this address by another one.
link-verify-current-button = Agree
link-verify-account-lead = It becomes the address of the account { $account }. If that is not yours, close this page.
link-factor-lead = Confirm that it is you who is signing in.
elsewhere = Go back to where you started
elsewhere-lead = This link works only in the browser where you asked for it. Open it there, or type the code from the same mail there.

invitation = You are invited
invitation-lead = Make your { $brand } account with this address.
invitation-name = Your name
invitation-name-optional = (you may leave it out)
invitation-ignore = You did not expect this? Then close this page. No account is made.

done-sign-in = You are signed in
done-sign-up = Your account is ready
done-recover = Your new password is set
done-confirm = Confirmed
done-lead = You can close this page, or go back to where you started.
done-lead-on = You can close this page, or go on.
done-as = Signed in here as { $name }
done-account = Your account

no-link = Open the link from your mail
no-link-says = This page shows what a mailed link is for. If you have just opened one, let your browser keep cookies of this site and open it again.
second-step = One more step
second-step-says = Your account asks for a second step, which this page does not take yet. Go on where you started.

## The start page

start = Sign-in
start-lead = This server signs people in to { $brand }. To use an app, open the app that you want to use, and sign in there. Here you look after your account.
start-runs-on = Runs on Latchstring

## An account that is to be deleted

code-ended = Everything is signed out, and the password from before no longer works. With the code you set a new one.
keep = Keep your account?
keep-lead = You deleted this account. It will be gone for good on { $until }.
keep-button = Keep my account
keep-ignore = Until you decide, no app lets you in with this account. If you do nothing, it goes.
kept = Your account is kept
kept-lead = Nothing in it was lost. On other devices you have to sign in again.

## “This was not me”

not-me = Was this not you?
not-me-new-device = A new device signed in to your account on { $at }.
not-me-password = The password of your account was changed on { $at }.
not-me-email = The address of your account was changed on { $at }.
not-me-username = The username of your account was changed on { $at }.
not-me-signed-out = Sessions of your account were signed out on { $at }.
not-me-deletion = Your account was deleted on { $at }.
not-me-kept = Your account was kept from being deleted on { $at }.
not-me-else = Something happened to your account on { $at }.
not-me-then = If it was not you, press the button. Then
not-me-ends = everything is signed out, on all devices and in all apps,
not-me-resets = the password that counts now no longer works, and you set a new one by a code that we mail to this address,
not-me-moves = this address is the account’s again, in place of the one that it has now,
not-me-keeps = the account is not deleted, if somebody asked for that.
not-me-button = This was not me
not-me-ignore = It was you? Then close this page. Nothing has happened.
not-me-used = This link can’t be used any more
not-me-used-says = It was used already, or is too old. If you think that somebody else uses your account, set a new password: that signs everything out.
not-me-taken = Everything is signed out
not-me-taken-lead = The password of the account that the mail was about no longer works. Its address could not be put back: another account has it by now.
not-me-taken-says = To get the earlier account back, write to the people who run this service.
not-me-taken-button = Sign in to the account with this address
