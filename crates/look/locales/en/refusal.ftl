### What people read when something can’t be done: what happened, and what to do next. A refusal never says whether an
### account exists, and nobody is to blame.

## Whole pages. The message is the heading, “.says” the sentence.

fault = That did not work
    .says = Something went wrong on our side, and it has been noted. Try again in a moment.
to-start = To the start page
begin-again = Begin again
door-changed = Open the page again
    .says = This request did not come from the page that it belongs to. Nothing has happened.
door-over = This step is over
    .says = It was finished, took too long, or belongs to another browser. Nothing is lost: begin again.
door-not-signed-in = You are not signed in any more
    .says = Sign in again, then go on where you were.
invitation-unusable = This invitation can’t be used
    .says = It was used, taken back, or is too old. If you have made your account, sign in with it. Otherwise ask whoever invited you for a new one.
link-changed = Open the link again
    .says = This request did not come from the page that it belongs to. Open the link from your mail again, and press the button there.
not-found = Nothing is here
    .says = There is no page at this address. Check it, or go back to where you came from.
not-that-way = This address is not opened like that
    .says = Nothing has happened. Go back to the page that you came from, and use the button or link there.
link-unusable = This link can’t be used any more
    .says = It was used already, replaced by a newer one, or is too old. Go back to where you started and ask for a new mail.
link-unusable-here = This link can’t be used here
    .says = What it began is over, or belongs to another browser. Go back to where you started and ask for a new mail.
limited = Too many tries
    .says = Wait { $wait }, then try again.
busy = Not just now
    .says = The server is busy. Try again in a moment.
forbidden = That is not allowed
    .says = This account can’t do that. Ask the people who run this service.
not-signed-in = You are not signed in
    .says = Sign in first.
reauthentication = Confirm that it is you
    .says = Your last sign-in is too long ago for this. Sign in again, then repeat it.
task-outstanding = Something is left to do
    .says = This sign-in is not finished yet. Sign in again, and take each step to its end.
off = Switched off
    .says = This is not offered here.
sign-up-off = No new accounts
    .says = New accounts can’t be made here without an invitation. Ask the people who run this service.
guests-off = No guests
    .says = Guests are not admitted here. Make an account, or sign in.
not-for-guests = Not for guests
    .says = A guest can’t have that. Sign up first: what is yours stays.
banned = This account is closed
    .says = It may not sign in here. Ask the people who run this service.

## With a form or one of its fields.

form-changed = This page had changed meanwhile. Look at it again, then send it once more.
form-cookies = Let your browser keep cookies of this site, then try again.
credentials-wrong = This account and password don’t match. Try again, or have a code mailed to you.
code-wrong = That code is not right, too old, or was tried too often. Check it, or have another one sent.
code-shape = The code has six digits.
throttled-closed = Too many wrong passwords. Have a code mailed to you instead.
throttled = Too many wrong tries. Wait { $wait }, or have a code mailed to you.
limited-often = That was often. Wait { $wait }, then try again.
taken = Somebody else has that already. Choose another.
last-one = Without it you could not sign in any more. Choose another instead.
input = Something here is not as it has to be.
email-invalid = That is not a whole e-mail address, such as ada@example.com.
identifier-invalid = That is neither a whole e-mail address, such as ada@example.com, nor a username.
username-invalid = A username has 1 to 64 letters, digits, dots, hyphens and underscores of one alphabet, and begins and ends with a letter or digit.
name-invalid = A name has at most 200 characters, all of which can be shown.
password-missing = Type a password.

weak = Choose another password, longer or less common.
weak-too-short = This password is too short. Several words that don’t belong together are easy to remember.
weak-too-long = This password is too long.
weak-common = This password is one of those that attackers try first.
weak-context-word = This password is little more than a name that belongs to you or to this service.
weak-breached = This password was among those that were stolen elsewhere. Choose one that you use nowhere else.
weak-guessable = This password is too easy to guess. Make it longer, or less like a word with changes.
weak-characters = This password lacks a kind of character that is asked for here. Use small and capital letters, digits and symbols.
