// People sign in: by a password, by a mailed code, and when they have forgotten what they knew.
import assert from "node:assert/strict";
import { OTHER, PASSWORD, app, covers, fails, isSession, noSession, server, signedUp, someone, went } from "./stage.mjs";
import { until } from "./server.mjs";

const tokenOf = (mail) => new URL(mail.link).searchParams.get("token");

covers(["signInWithPassword"], "the right password, and nothing else", async () => {
  const { email, user } = await signedUp();
  const { auth } = app();
  const { session } = went(await auth.signInWithPassword({ email, password: PASSWORD }));
  isSession(session, email);
  assert.equal(session.user.id, user.id);
  isSession(went(await auth.signInWithPassword({ email: email.toUpperCase(), password: PASSWORD })).session, email);
  const wrong = [{ email, password: OTHER }, { email: someone(), password: PASSWORD }, { email: "nobody", password: PASSWORD },
    { email, password: "x".repeat(2_000) }];
  const said = [];
  for (const credentials of wrong) {
    said.push(fails(await auth.signInWithPassword(credentials), 400, "invalid_credentials").message);
  }
  assert.equal(new Set(said).size, 1, "they are told apart");
  fails(await auth.signInWithPassword({ email, password: "" }), 400, "invalid_credentials");
  fails(await auth.signInWithPassword({ email: "", password: PASSWORD }), 400, "validation_failed");
  fails(await auth.signInWithPassword({ phone: "+15550001111", password: PASSWORD }), 422, "phone_provider_disabled");
  fails(await auth.signInWithPassword({ password: PASSWORD }), 400, undefined, "AuthInvalidCredentialsError");
});

covers(["signInWithPassword", "getUser", "refreshSession", "verifyOtp"], "whoever is banned is out at once", async () => {
  const { auth, email, session, user } = await signedUp();
  await server.api("POST", `/users/${user.id}/ban`, {});
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "user_banned");
  fails(await app().auth.signInWithPassword({ email, password: OTHER }), 400, "invalid_credentials");
  // A ban ends the sessions, so that the SDK forgets them.
  const { refresh_token } = session;
  fails(await app().auth.refreshSession({ refresh_token }), 400, "refresh_token_not_found");
  noSession(await auth.getUser());
  assert.equal(went(await auth.getSession()).session, null);
  went(await auth.signInWithOtp({ email }));
  const { code } = await server.mail(email);
  fails(await auth.verifyOtp({ email, token: code, type: "email" }), 403, "user_banned");
});

covers(["signUp", "signInWithPassword", "signInWithOtp"], "a mount that offers no e-mail says so", async (t) => {
  const { auth } = app();
  const email = someone();
  const off = async () => (await auth.signInWithOtp({ email })).error?.code === "email_provider_disabled";
  t.after(async () => {
    await server.config("[auth.email]\nenable_signup = true\n");
    await until(async () => !(await off()), "the mount to offer e-mail");
  });
  await server.config("[auth.email]\nenable_signup = false\n");
  await until(off, "the mount to offer no e-mail");
  fails(await auth.signUp({ email, password: PASSWORD }), 400, "email_provider_disabled");
  fails(await auth.signInWithPassword({ email, password: PASSWORD }), 422, "email_provider_disabled");
  fails(await auth.signInWithOtp({ email }), 422, "email_provider_disabled");
});

covers(["signInWithPassword"], "many wrong passwords are slowed down", async () => {
  const { email } = await signedUp();
  const { auth } = app();
  let answer;
  for (let tries = 0; tries < 8; tries += 1) {
    answer = await auth.signInWithPassword({ email, password: OTHER });
    if (answer.error.status === 429) break;
    fails(answer, 400, "invalid_credentials");
  }
  fails(answer, 429, "over_request_rate_limit");
});

covers(["signInWithOtp", "verifyOtp"], "a mailed code signs in, and makes an account if that is wanted", async () => {
  const { auth } = app();
  const email = someone();
  fails(await auth.signInWithOtp({ email: someone(), options: { shouldCreateUser: false } }), 422, "otp_disabled");
  const sent = went(await auth.signInWithOtp({ email, options: { data: { plan: "basic" } } }));
  assert.equal(sent.session, null);
  assert.equal(sent.user, null);
  let { code } = await server.mail(email);
  const first = went(await auth.verifyOtp({ email, token: code, type: "email" }));
  isSession(first.session, email);
  assert.equal(first.user.user_metadata.plan, "basic");
  assert.ok(first.user.email_confirmed_at);

  went(await auth.signInWithOtp({ email, options: { shouldCreateUser: false } }));
  ({ code } = await server.mail(email));
  const again = went(await app().auth.verifyOtp({ email, token: code, type: "magiclink" }));
  assert.equal(again.user.id, first.user.id);
  fails(await auth.signInWithOtp({ email: "no address" }), 400, "validation_failed");
  fails(await auth.signInWithOtp({ phone: "+15550001111" }), 400, "phone_provider_disabled");
  fails(await auth.signInWithOtp({}), 400, undefined, "AuthInvalidCredentialsError");
});

covers(["verifyOtp"], "by the token of a link, once", async () => {
  const { email, user } = await signedUp();
  const { auth } = app();
  went(await auth.signInWithOtp({ email }));
  const token_hash = tokenOf(await server.mail(email));
  fails(await auth.verifyOtp({ token_hash, type: "recovery" }), 403, "otp_expired");
  const { session } = went(await auth.verifyOtp({ token_hash, type: "email" }));
  isSession(session, email);
  assert.equal(session.user.id, user.id);
  fails(await auth.verifyOtp({ token_hash, type: "email" }), 403, "otp_expired");
  fails(await auth.verifyOtp({ token_hash: "nonsense", type: "email" }), 403, "otp_expired");
});

covers(["verifyOtp"], "what is incomplete or unknown is refused", async () => {
  const { auth } = app();
  const email = someone();
  fails(await auth.verifyOtp({ email, token: "123456", type: "email" }), 403, "otp_expired");
  fails(await auth.verifyOtp({ email, token: "no code", type: "email" }), 403, "otp_expired");
  fails(await auth.verifyOtp({ email, token: "123456", type: "carrier_pigeon" }), 400, "validation_failed");
  fails(await auth.verifyOtp({ email, token: "123456" }), 400, "validation_failed");
  fails(await auth.verifyOtp({ email, type: "email" }), 400, "validation_failed");
  fails(await auth.verifyOtp({ token: "123456", type: "email" }), 400, "validation_failed");
  fails(await auth.verifyOtp({ email, token_hash: "abc", type: "email" }), 400, "validation_failed");
  fails(await auth.verifyOtp({ email: "no address", token: "123456", type: "email" }), 422, "validation_failed");
  fails(await auth.verifyOtp({ phone: "+15550001111", token: "123456", type: "sms" }), 400, "phone_provider_disabled");
});

covers(["resetPasswordForEmail", "verifyOtp", "updateUser"], "who has forgotten the password sets another", async () => {
  const { auth: before, email } = await signedUp();
  const { auth } = app();
  went(await auth.resetPasswordForEmail(email));
  const { code } = await server.mail(email);
  const { session } = went(await auth.verifyOtp({ email, token: code, type: "recovery" }));
  isSession(session, email);
  went(await auth.updateUser({ password: OTHER }));
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
  went(await app().auth.signInWithPassword({ email, password: OTHER }));
  fails(await before.getUser(), 400, undefined, "AuthSessionMissingError");
  // Unknown addresses get the same answer.
  went(await auth.resetPasswordForEmail(someone()));
  fails(await auth.resetPasswordForEmail("no address"), 400, "validation_failed");
  fails(await auth.resetPasswordForEmail(""), 400, "validation_failed");
});

covers(["signInWithOtp", "resetPasswordForEmail", "resend"], "mails to one address are few", async (t) => {
  const { email } = await signedUp();
  const settings = await server.api("GET", "/settings");
  await server.during(t, { limits: { ...settings.limits, sends_by_target: { burst: 1, per_seconds: 3_600 } } });
  const { auth } = app();
  const asks = [() => auth.signInWithOtp({ email }), () => auth.resetPasswordForEmail(email), () => auth.resend({ type: "signup", email })];
  await asks[0]();
  for (const ask of asks) {
    const error = fails(await ask(), 429, "over_email_send_rate_limit");
    assert.match(error.message, /\d+ seconds/);
  }
});
