// Accounts come into being: by a password, by mail, as a guest.
import assert from "node:assert/strict";
import { OTHER, PASSWORD, app, covers, fails, isSession, server, signedUp, someone, went } from "./stage.mjs";
import { SITE, until } from "./server.mjs";

covers(["signUp", "verifyOtp", "getSession"], "a code in a mail confirms an account", async () => {
  const { auth } = app();
  const email = someone();
  const options = { data: { full_name: "Ada Lovelace" }, emailRedirectTo: `${SITE}/back` };
  const waiting = went(await auth.signUp({ email, password: PASSWORD, options }));
  assert.equal(waiting.session, null);
  assert.equal(waiting.user.email, email);
  assert.equal(waiting.user.email_confirmed_at, undefined);
  assert.equal(waiting.user.identities.length, 1);
  assert.equal(waiting.user.identities[0].provider, "email");
  assert.equal(waiting.user.user_metadata.full_name, "Ada Lovelace");
  assert.equal(went(await auth.getSession()).session, null);

  fails(await auth.signInWithPassword({ email, password: PASSWORD }), 400, "email_not_confirmed");
  const { code } = await server.mail(email);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  fails(await auth.verifyOtp({ email, token: wrong, type: "signup" }), 403, "otp_expired");
  fails(await auth.verifyOtp({ email: someone(), token: code, type: "signup" }), 403, "otp_expired");
  fails(await auth.verifyOtp({ email, token: code, type: "recovery" }), 403, "otp_expired");
  const { session, user } = went(await auth.verifyOtp({ email, token: code, type: "signup" }));
  isSession(session, email);
  assert.equal(user.id, waiting.user.id);
  assert.ok(Date.parse(user.email_confirmed_at) && Date.parse(user.confirmed_at) && Date.parse(user.last_sign_in_at));
  assert.deepEqual(user.app_metadata, { provider: "email", providers: ["email"] });
  assert.equal(user.user_metadata.full_name, "Ada Lovelace");
  assert.equal(user.user_metadata.email_verified, true);
  assert.equal(user.is_anonymous, false);
  assert.equal(user.phone, "");
  assert.equal(went(await auth.getSession()).session.access_token, session.access_token);
  fails(await auth.verifyOtp({ email, token: code, type: "signup" }), 403, "otp_expired");
  went(await app().auth.signInWithPassword({ email, password: PASSWORD }));
});

covers(["signUp"], "what is no address, no password or no e-mail is refused", async (t) => {
  const { auth } = app();
  const email = someone();
  const weak = fails(await auth.signUp({ email, password: "abc" }), 422, "weak_password", "AuthWeakPasswordError");
  assert.ok(weak.reasons.includes("length"), String(weak.reasons));
  fails(await auth.signUp({ email, password: "password123" }), 422, "weak_password", "AuthWeakPasswordError");
  fails(await auth.signUp({ email: "no address", password: PASSWORD }), 400, "validation_failed");
  fails(await auth.signUp({ email, password: "" }), 400, "validation_failed");
  fails(await auth.signUp({ phone: "+15550001111", password: PASSWORD }), 400, "phone_provider_disabled");
  fails(await auth.signUp({ password: PASSWORD }), 400, undefined, "AuthInvalidCredentialsError");
  await server.during(t, { sign_up: "closed" });
  fails(await auth.signUp({ email, password: PASSWORD }), 422, "signup_disabled");
});

covers(["signUp"], "an address with an account is told as the vendor tells it, and not at all when that is strict", async (t) => {
  const { email } = await signedUp();
  const { auth } = app();
  const taken = went(await auth.signUp({ email, password: OTHER }));
  assert.equal(taken.session, null);
  assert.deepEqual(taken.user.identities, []);
  const again = async () => went(await auth.signUp({ email, password: OTHER }));
  // The server looks at its mounts every now and then.
  t.after(async () => {
    await server.init("--enumeration", "vendor");
    await until(async () => (await again()).user.identities.length === 0, "the mount to tell");
  });
  await server.init("--enumeration", "strict");
  const strict = await until(async () => {
    const answer = await again();
    return answer.user.identities.length > 0 && answer;
  }, "the mount to be strict");
  const free = went(await auth.signUp({ email: someone(), password: OTHER }));
  assert.deepEqual(Object.keys(strict.user).sort(), Object.keys(free.user).sort());
  assert.equal(strict.user.identities.length, 1);
  went(await auth.signInWithOtp({ email: someone(), options: { shouldCreateUser: false } }));
  fails(await auth.signInWithPassword({ email, password: OTHER }), 400, "invalid_credentials");
});

covers(["signUp"], "without confirmation it signs in at once, and says that an address is taken", async (t) => {
  await server.during(t, { confirm_sign_up: false });
  const { auth } = app();
  const email = someone();
  const { session } = went(await auth.signUp({ email, password: PASSWORD }));
  isSession(session, email);
  assert.equal(went(await auth.getUser()).user.email, email);
  fails(await app().auth.signUp({ email, password: PASSWORD }), 422, "user_already_exists");
});

covers(["resend"], "a mail is sent again, and the code before it is void", async () => {
  const { auth } = app();
  const email = someone();
  went(await auth.signUp({ email, password: PASSWORD }));
  const first = await server.mail(email);
  assert.deepEqual(went(await auth.resend({ type: "signup", email })), { user: null, session: null });
  const second = await server.mail(email);
  if (first.code !== second.code) fails(await auth.verifyOtp({ email, token: first.code, type: "signup" }), 403, "otp_expired");
  went(await auth.verifyOtp({ email, token: second.code, type: "signup" }));
  went(await app().auth.signInWithPassword({ email, password: PASSWORD }));
  // Nothing is told of who has an account.
  went(await auth.resend({ type: "signup", email: someone() }));
  went(await auth.resend({ type: "email_change", email: someone() }));
  fails(await auth.resend({ type: "signup", email: "no address" }), 400, "validation_failed");
  fails(await auth.resend({ type: "magiclink", email }), 400, "validation_failed");
  fails(await auth.resend({ type: "sms", phone: "+15550001111" }), 400, "phone_provider_disabled");
});

covers(["signInAnonymously", "updateUser", "verifyOtp"], "a guest becomes a person with the same id", async (t) => {
  const { auth } = app();
  const guest = went(await auth.signInAnonymously({ options: { data: { cart: 7 } } }));
  assert.equal(guest.user.is_anonymous, true);
  assert.equal(guest.user.user_metadata.cart, 7);
  assert.deepEqual(guest.user.identities, []);
  assert.equal(went(await auth.getClaims()).claims.is_anonymous, true);
  fails(await auth.updateUser({ password: PASSWORD }), 422, "validation_failed");
  const email = someone();
  went(await auth.updateUser({ email }));
  const { code } = await server.mail(email);
  const { session, user } = went(await auth.verifyOtp({ email, token: code, type: "email_change" }));
  isSession(session, email);
  assert.equal(user.id, guest.user.id);
  assert.equal(user.is_anonymous, false);
  assert.equal(user.user_metadata.cart, 7);
  went(await auth.updateUser({ password: PASSWORD }));
  assert.equal(went(await app().auth.signInWithPassword({ email, password: PASSWORD })).user.id, guest.user.id);
  await server.during(t, { guests: false });
  fails(await app().auth.signInAnonymously(), 422, "anonymous_provider_disabled");
});
