// What people change of themselves: metadata, password, address.
import assert from "node:assert/strict";
import {
  OTHER, PASSWORD, app, claimsOf, covers, fails, isSession, noSession, server, signedIn, signedUp, someone, went,
} from "./stage.mjs";
import { until } from "./server.mjs";

covers(["updateUser"], "metadata is merged, and what the server says stays its own", async () => {
  const { auth, email, user: before } = await signedUp({ data: { a: 1, b: { c: 2 } } });
  const { user } = went(await auth.updateUser({ data: { a: null, d: [3], sub: "x", email_verified: false } }));
  assert.equal(user.user_metadata.a, undefined);
  assert.deepEqual(user.user_metadata.b, { c: 2 });
  assert.deepEqual(user.user_metadata.d, [3]);
  assert.equal(user.user_metadata.sub, before.id);
  assert.equal(user.user_metadata.email_verified, true);
  assert.equal(user.email, email);
  const { session } = went(await auth.refreshSession());
  assert.deepEqual(claimsOf(session.access_token).user_metadata.d, [3]);
  fails(await auth.updateUser({ data: { long: "x".repeat(20_000) } }), 400, "validation_failed");
  fails(await auth.updateUser({ data: "text" }), 400, "validation_failed");
  fails(await auth.updateUser({ app_metadata: { admin: true } }), 403, "not_admin");
  fails(await auth.updateUser({ phone: "+15550001111" }), 400, "phone_provider_disabled");
  noSession(await app().auth.updateUser({ data: {} }));
});

covers(["updateUser"], "another password, which ends the other sessions", async () => {
  const { auth, email } = await signedUp();
  const elsewhere = await signedIn(email);
  fails(await auth.updateUser({ password: PASSWORD }), 422, "same_password");
  const weak = fails(await auth.updateUser({ password: "abc" }), 422, "weak_password", "AuthWeakPasswordError");
  assert.ok(weak.reasons.includes("length"));
  went(await auth.updateUser({ password: OTHER }));
  went(await auth.getUser());
  noSession(await elsewhere.auth.getUser());
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
  await signedIn(email, OTHER);
});

/** An app whose session says that its owner signed in a while ago. */
async function aged() {
  await server.importKey();
  const { email, session } = await signedUp();
  const claims = claimsOf(session.access_token);
  const amr = [{ method: "password", timestamp: Math.floor(Date.now() / 1000) - 3_600 }];
  const { auth } = app();
  went(await auth.setSession({ ...session, access_token: server.sign({ ...claims, amr }) }));
  return { auth, email };
}

covers(["reauthenticate", "updateUser"], "an old session needs a nonce for another password", async () => {
  const { auth, email } = await aged();
  fails(await auth.updateUser({ password: OTHER }), 400, "reauthentication_needed");
  assert.deepEqual(went(await auth.reauthenticate()), { user: null, session: null });
  const { code } = await server.mail(email);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, "0");
  fails(await auth.updateUser({ password: OTHER, nonce: wrong }), 422, "reauthentication_not_valid");
  fails(await auth.updateUser({ password: OTHER, nonce: "no code" }), 422, "reauthentication_not_valid");
  went(await auth.updateUser({ password: OTHER, nonce: code }));
  await signedIn(email, OTHER);
  noSession(await app().auth.reauthenticate());
  const guest = app().auth;
  went(await guest.signInAnonymously());
  fails(await guest.reauthenticate(), 400, "validation_failed");
});

covers(["updateUser"], "an old session may show the current password instead", async () => {
  const { auth, email } = await aged();
  fails(await auth.updateUser({ password: OTHER, current_password: OTHER }), 400, "current_password_invalid");
  went(await auth.updateUser({ password: OTHER, current_password: PASSWORD }));
  await signedIn(email, OTHER);
});

covers(["updateUser", "verifyOtp", "resend"], "another address, confirmed in both mailboxes", async () => {
  const { auth, email, user } = await signedUp();
  const other = await signedUp();
  const next = someone();
  fails(await auth.updateUser({ email: other.email }), 422, "email_exists");
  fails(await auth.updateUser({ email: "no address" }), 400, "validation_failed");
  went(await auth.updateUser({ email: next }));
  assert.equal(went(await auth.getUser()).user.email, email);
  await server.mail(next);
  await server.mail(email);
  // Both mails once more, which replace those before.
  went(await auth.resend({ type: "email_change", email }));
  const toNext = await server.mail(next);
  const first = await auth.verifyOtp({ email: next, token: toNext.code, type: "email_change" });
  assert.equal(went(first).session, null);
  assert.equal(went(await auth.getUser()).user.email, email, "one of two is not enough");
  const toOld = await server.mail(email);
  const { session } = went(await auth.verifyOtp({ email, token: toOld.code, type: "email_change" }));
  isSession(session, next);
  assert.equal(session.user.id, user.id);
  assert.equal(session.user.user_metadata.email, next);
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
  await signedIn(next);
});

covers(["updateUser", "verifyOtp"], "another address, confirmed in the new mailbox alone where that is enough", async (t) => {
  const change = async () => {
    const { auth, email, user } = await signedUp();
    const next = someone();
    went(await auth.updateUser({ email: next }));
    const { code } = await server.mail(next);
    const { session } = went(await auth.verifyOtp({ email: next, token: code, type: "email_change" }));
    return { email, next, session, user };
  };
  // The server looks at its mounts every now and then.
  t.after(async () => {
    await server.config("[auth.email]\ndouble_confirm_changes = true\n");
    await until(async () => !(await change()).session, "both mailboxes to be asked");
  });
  await server.config("[auth.email]\ndouble_confirm_changes = false\n");
  const { email, next, session, user } = await until(async () => {
    const changed = await change();
    return changed.session && changed;
  }, "one mailbox to be enough");
  isSession(session, next);
  assert.equal(session.user.id, user.id);
  await signedIn(next);
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
});
