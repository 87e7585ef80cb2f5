// What a back end does with the secret key.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { follow, inFragment } from "./follow.mjs";
import {
  BACK, OTHER, PASSWORD, UNKNOWN_ID, app, backEnd, covers, fails, isSession, noSession, server, signedIn, signedUp, someone, went,
} from "./stage.mjs";

/** Somebody for whose address the back end vouches. */
async function made(attributes) {
  const email = someone();
  const { user } = went(await backEnd().createUser({ email, password: PASSWORD, email_confirm: true, ...attributes }));
  return { email, id: user.id, user };
}

covers(["admin.createUser"], "a user who signs in at once", async () => {
  const admin = backEnd();
  const id = randomUUID();
  const { email, user } = await made({
    id, user_metadata: { full_name: "Ada", sub: "x" }, app_metadata: { plan: "pro", provider: "x" }, role: "editor",
  });
  assert.equal(user.id, id);
  assert.equal(user.role, "editor");
  assert.ok(user.email_confirmed_at);
  assert.deepEqual(user.user_metadata, { full_name: "Ada" });
  assert.deepEqual(user.app_metadata, { plan: "pro", provider: "email", providers: ["email"] });
  const { auth, session } = await signedIn(email);
  assert.equal(went(await auth.getClaims()).claims.role, "editor");
  assert.equal(session.user.app_metadata.plan, "pro");

  const claimed = await made({ email_confirm: false });
  assert.equal(claimed.user.email_confirmed_at, undefined);
  fails(await app().auth.signInWithPassword({ email: claimed.email, password: PASSWORD }), 400, "email_not_confirmed");

  fails(await admin.createUser({ email, password: PASSWORD }), 422, "email_exists");
  fails(await admin.createUser({ email: someone(), id, email_confirm: true }), 422, "conflict");
  fails(await admin.createUser({ email: someone(), id: "x" }), 400, "validation_failed");
  fails(await admin.createUser({ email: "no address" }), 400, "validation_failed");
  fails(await admin.createUser({ password: PASSWORD }), 400, "validation_failed");
  fails(await admin.createUser({ phone: "+15550001111" }), 400, "phone_provider_disabled");
  fails(await admin.createUser({ email: someone(), password: "abc" }), 422, "weak_password", "AuthWeakPasswordError");
  fails(await admin.createUser({ email: someone(), password: PASSWORD, password_hash: "x" }), 400, "validation_failed");
  fails(await admin.createUser({ email: someone(), password_hash: "x" }), 400, "validation_failed");
  fails(await admin.createUser({ email: someone(), ban_duration: "long" }), 400, "validation_failed");
  fails(await admin.createUser({ email: someone(), role: "service_role" }), 400, "validation_failed");
});

covers(["admin.createUser"], "with a hash from elsewhere", async () => {
  // A published vector of bcrypt.
  const password_hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  const { email, id } = await made({ password: undefined, password_hash });
  fails(await app().auth.signInWithPassword({ email, password: "U*u" }), 400, "invalid_credentials");
  assert.equal((await signedIn(email, "U*U")).user.id, id);
});

covers(["admin.createUser", "admin.listUsers", "admin.getUserById", "admin.updateUserById", "admin.deleteUser",
  "admin.inviteUserByEmail", "admin.generateLink"], "only the secret keys open them", async () => {
  const { auth, email, session } = await signedUp();
  const asks = (admin) => [
    () => admin.createUser({ email: someone() }), () => admin.listUsers(), () => admin.getUserById(UNKNOWN_ID),
    () => admin.updateUserById(UNKNOWN_ID, {}), () => admin.deleteUser(UNKNOWN_ID), () => admin.inviteUserByEmail(someone()),
    () => admin.generateLink({ type: "magiclink", email }),
  ];
  for (const key of [server.keys.publishable, server.keys.anon, session.access_token]) {
    for (const ask of asks(backEnd({ key }))) fails(await ask(), 403, "not_admin");
  }
  for (const ask of asks(auth.admin)) fails(await ask(), 403, "not_admin");
  for (const ask of asks(backEnd({ key: "nonsense" }))) fails(await ask(), 403, "bad_jwt");
  await server.importKey();
  const key = server.sign({ role: "service_role", iss: "x", exp: Math.floor(Date.now() / 1000) + 60 });
  for (const ask of asks(backEnd({ key }))) fails(await ask(), 403, "not_admin");
  const { users } = went(await backEnd({ key: server.keys.service_role }).listUsers({ perPage: 1 }));
  assert.equal(users.length, 1);
});

covers(["admin.listUsers", "admin.getUserById"], "pages of all users, the newest first, and each of them", async () => {
  const admin = backEnd();
  const people = [await made({}), await made({}), await made({})].map(({ id }) => id).reverse();
  const first = went(await admin.listUsers({ page: 1, perPage: 2 }));
  assert.deepEqual(first.users.map(({ id }) => id), people.slice(0, 2));
  assert.equal(first.aud, "authenticated");
  assert.equal(first.nextPage, 2);
  assert.ok(first.total >= 3);
  const second = went(await admin.listUsers({ page: 2, perPage: 2 }));
  assert.equal(second.users[0].id, people[2]);
  const all = went(await admin.listUsers({ perPage: 1_000 }));
  assert.equal(all.users.length, all.total);
  assert.equal(all.lastPage, 1);
  assert.equal(all.nextPage, null);
  assert.deepEqual(went(await admin.listUsers({ page: 1_000 })).users, []);
  assert.equal(went(await admin.listUsers()).users.length, Math.min(50, all.total));

  const { user } = went(await admin.getUserById(people[0]));
  assert.deepEqual(user, first.users[0]);
  fails(await admin.getUserById(UNKNOWN_ID), 404, "user_not_found");
  await assert.rejects(admin.getUserById("x"), /UUID/);
});

covers(["admin.updateUserById"], "each attribute, and all or nothing", async () => {
  const admin = backEnd();
  const { email, id } = await made({ user_metadata: { a: 1, b: 2 }, app_metadata: { c: 3, d: 4 } });
  const { auth } = await signedIn(email);
  const { user } = went(await admin.updateUserById(id, { user_metadata: { a: null, e: 5 }, app_metadata: { c: null, f: 6 } }));
  assert.deepEqual([user.user_metadata.a, user.user_metadata.b, user.user_metadata.e], [undefined, 2, 5]);
  assert.deepEqual(user.app_metadata, { d: 4, f: 6, provider: "email", providers: ["email"] });
  assert.equal(went(await admin.updateUserById(id, { role: "editor" })).user.role, "editor");
  assert.equal(went(await auth.refreshSession()).session.user.role, "editor");

  const next = someone();
  assert.equal(went(await admin.updateUserById(id, { email: next, email_confirm: true })).user.email, next);
  went(await auth.getUser());
  went(await admin.updateUserById(id, { password: OTHER }));
  noSession(await auth.getUser());
  const again = await signedIn(next, OTHER);
  const banned = went(await admin.updateUserById(id, { ban_duration: "24h" })).user;
  assert.ok(Math.abs(Date.parse(banned.banned_until) - Date.now() - 86_400_000) < 60_000);
  fails(await app().auth.signInWithPassword({ email: next, password: OTHER }), 400, "user_banned");
  assert.ok((await again.auth.getUser()).error);
  assert.equal(went(await admin.updateUserById(id, { ban_duration: "none" })).user.banned_until, undefined);
  await signedIn(next, OTHER);

  const other = await made({});
  fails(await admin.updateUserById(id, { email: other.email, user_metadata: { e: 7 } }), 422, "email_exists");
  fails(await admin.updateUserById(id, { password: "abc", user_metadata: { e: 7 } }), 422, "weak_password", "AuthWeakPasswordError");
  fails(await admin.updateUserById(id, { role: "postgres", user_metadata: { e: 7 } }), 400, "validation_failed");
  fails(await admin.updateUserById(id, { ban_duration: "long", user_metadata: { e: 7 } }), 400, "validation_failed");
  fails(await admin.updateUserById(id, { phone: "+15550001111" }), 400, "phone_provider_disabled");
  assert.equal(went(await admin.getUserById(id)).user.user_metadata.e, 5);
  fails(await admin.updateUserById(UNKNOWN_ID, { role: "editor" }), 404, "user_not_found");
  await assert.rejects(admin.updateUserById("x", {}), /UUID/);
});

covers(["admin.deleteUser"], "for good, or but for the id", async () => {
  const admin = backEnd();
  const { email, id } = await made({});
  const { auth } = await signedIn(email);
  assert.equal(went(await admin.deleteUser(id)).user.id, id);
  noSession(await auth.getUser());
  fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
  fails(await admin.getUserById(id), 404, "user_not_found");
  fails(await admin.deleteUser(id), 404, "user_not_found");
  went(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));

  const soft = await made({ user_metadata: { a: 1 } });
  const there = await signedIn(soft.email);
  went(await admin.deleteUser(soft.id, true));
  assert.ok((await there.auth.getUser()).error);
  const { user } = went(await admin.getUserById(soft.id));
  assert.equal(user.email, "");
  assert.equal(user.user_metadata.a, undefined);
  assert.ok(user.deleted_at);
  fails(await app().auth.signInWithPassword({ email: soft.email, password: PASSWORD }), 400, "invalid_credentials");
  went(await admin.deleteUser(soft.id));
  fails(await admin.getUserById(soft.id), 404, "user_not_found");
});

covers(["admin.inviteUserByEmail", "verifyOtp", "updateUser"], "an invitation is mailed, and lets in", async () => {
  const admin = backEnd();
  const email = someone();
  const { user } = went(await admin.inviteUserByEmail(email, { data: { team: "blue" }, redirectTo: BACK }));
  assert.equal(user.email, email);
  assert.ok(user.invited_at);
  assert.equal(user.email_confirmed_at, undefined);
  assert.equal(user.user_metadata.team, "blue");
  const token_hash = new URL((await server.mail(email)).link).searchParams.get("token");
  const { auth } = app();
  const { session } = went(await auth.verifyOtp({ token_hash, type: "invite" }));
  isSession(session, email);
  assert.equal(session.user.id, user.id);
  went(await auth.updateUser({ password: OTHER }));
  await signedIn(email, OTHER);
  fails(await admin.inviteUserByEmail(email), 422, "email_exists");
  fails(await admin.inviteUserByEmail("no address"), 400, "validation_failed");
});

covers(["admin.inviteUserByEmail"], "its link leads to the app", async () => {
  const email = someone();
  went(await backEnd().inviteUserByEmail(email, { redirectTo: BACK }));
  const { link } = await server.mail(email);
  const { session } = await landed(link, "invite");
  assert.equal(session.user.email, email);
});

/** The session behind a link, whose page may ask for a password. */
async function landed(link, type) {
  const away = await follow(link, { password: OTHER }, { optional: true });
  const { auth } = app();
  return went(await auth.setSession(inFragment(away, type)));
}

covers(["admin.generateLink", "verifyOtp"], "links that a back end carries by itself", async () => {
  const admin = backEnd();
  const known = await made({});
  const asked = [
    { type: "signup", email: someone(), password: PASSWORD, is: "signup" }, { type: "invite", email: someone(), is: "invite" },
    { type: "magiclink", email: someone(), is: "signup" }, { type: "magiclink", email: known.email, is: "magiclink" },
    { type: "recovery", email: known.email, is: "recovery" },
  ];
  for (const { is, ...params } of asked) {
    const draw = async () => went(await admin.generateLink({ ...params, options: { redirectTo: BACK, data: { n: 1 } } }));
    const { email } = params;
    for (const way of ["code", "hash", "link"]) {
      // Once a new address is confirmed, it is a known one.
      if (way !== "code" && ["signup", "invite"].includes(is)) break;
      const { properties, user } = await draw();
      assert.equal(user.email, email);
      assert.equal(properties.verification_type, is);
      assert.equal(properties.redirect_to, BACK);
      assert.match(properties.email_otp, /^\d{6}$/);
      assert.ok(properties.hashed_token);
      const link = new URL(properties.action_link);
      assert.equal(link.origin + link.pathname, `${server.url}/auth/v1/verify`);
      assert.deepEqual(Object.fromEntries(link.searchParams), { token: properties.hashed_token, type: is, redirect_to: BACK });
      const { session } = way === "link" ? await landed(link, is) : went(await app().auth.verifyOtp(way === "code"
        ? { email, token: properties.email_otp, type: is } : { token_hash: properties.hashed_token, type: is }));
      isSession(session, email);
      assert.equal(session.user.id, user.id);
    }
  }
  for (const { type, email } of [{ type: "signup" }, { type: "invite" }].map((kind) => ({ ...kind, email: someone() }))) {
    const password = type === "signup" ? PASSWORD : undefined;
    const { properties } = went(await admin.generateLink({ type, email, password, options: { redirectTo: BACK } }));
    assert.equal((await landed(properties.action_link, type)).session.user.email, email);
  }
  fails(await admin.generateLink({ type: "signup", email: known.email, password: PASSWORD }), 422, "email_exists");
  fails(await admin.generateLink({ type: "invite", email: known.email }), 422, "email_exists");
  fails(await admin.generateLink({ type: "recovery", email: someone() }), 404, "user_not_found");
  fails(await admin.generateLink({ type: "signup", email: someone() }), 400, "validation_failed");
  fails(await admin.generateLink({ type: "email_change_new", email: known.email, newEmail: known.email }), 422, "email_exists");

  const next = someone();
  const change = async (side) =>
    went(await admin.generateLink({ type: `email_change_${side}`, email: known.email, newEmail: next })).properties;
  const [current, fresh] = [await change("current"), await change("new")];
  assert.equal(current.verification_type, "email_change_current");
  const half = await app().auth.verifyOtp({ type: "email_change", token_hash: fresh.hashed_token });
  assert.equal(half.error, null);
  assert.equal(half.data.session, null);
  const { user } = went(await app().auth.verifyOtp({ type: "email_change", token_hash: current.hashed_token }));
  assert.equal(user.email, next);
  fails(await admin.generateLink({ type: "carrier_pigeon", email: known.email }), 400, "validation_failed");
  fails(await admin.generateLink({ type: "magiclink", email: "no address" }), 400, "validation_failed");
  assert.equal((await server.mails(known.email)).filter(({ code }) => code).length, 0, "it was mailed");
});

covers(["admin.signOut"], "a back end ends sessions by the token of one of them", async () => {
  const { auth, email, session } = await signedUp();
  const admin = backEnd();
  const two = await signedIn(email);
  assert.equal((await admin.signOut(session.access_token, "others")).error, null);
  noSession(await two.auth.getUser());
  went(await auth.getUser());
  const three = await signedIn(email);
  assert.equal((await admin.signOut(three.session.access_token, "local")).error, null);
  noSession(await three.auth.getUser());
  assert.equal((await admin.signOut(session.access_token)).error, null);
  noSession(await app().auth.getUser(session.access_token));
  noSession(await admin.signOut(session.access_token));
  fails(await admin.signOut(randomUUID()), 403, "bad_jwt");
});
