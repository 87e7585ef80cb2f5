// Sessions on the client's side: kept, refreshed, handed over, ended; and the tokens that others verify.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import {
  OTHER, PASSWORD, app, claimsOf, covers, fails, isSession, noSession, server, signedIn, signedUp, store, went,
} from "./stage.mjs";
import { until } from "./server.mjs";

const NONSENSE = "nonsense";

covers(["getUser", "getUserIdentities"], "whose session it is", async () => {
  const { auth, email, session } = await signedUp({ data: { full_name: "Ada" } });
  const { user } = went(await auth.getUser());
  assert.equal(user.email, email);
  assert.equal(user.user_metadata.full_name, "Ada");
  assert.equal(went(await app().auth.getUser(session.access_token)).user.id, user.id);
  const { identities } = went(await auth.getUserIdentities());
  assert.equal(identities.length, 1);
  assert.equal(identities[0].provider, "email");
  assert.equal(identities[0].identity_data.email, email);
  assert.equal(identities[0].user_id, user.id);
  noSession(await app().auth.getUser());
  fails(await app().auth.getUser(NONSENSE), 403, "bad_jwt");
  const [header, payload] = session.access_token.split(".");
  fails(await app().auth.getUser(`${header}.${payload}.${"A".repeat(86)}`), 403, "bad_jwt");
  noSession(await app().auth.getUserIdentities());
});

covers(["getSession", "initialize"], "an app that starts again finds its session", async () => {
  const options = { storage: store(), storageKey: "again" };
  const { email, session } = await signedUp(options);
  const { auth } = app(options);
  assert.deepEqual(await auth.initialize(), { error: null });
  const found = went(await auth.getSession()).session;
  isSession(found, email);
  assert.equal(found.access_token, session.access_token);
  assert.equal(went(await app().auth.getSession()).session, null);
});

covers(["refreshSession", "getSession"], "each refresh gives a new token, a lost answer is given again, theft ends all", async () => {
  const { auth, email, session: first } = await signedUp();
  const { session: second, user } = went(await auth.refreshSession());
  isSession(second, email);
  assert.equal(user.email, email);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(claimsOf(second.access_token).session_id, claimsOf(first.access_token).session_id);
  assert.equal(went(await auth.getSession()).session.refresh_token, second.refresh_token);
  const lost = went(await app().auth.refreshSession({ refresh_token: first.refresh_token }));
  assert.equal(lost.session.refresh_token, second.refresh_token);
  went(await auth.refreshSession());
  fails(await app().auth.refreshSession({ refresh_token: first.refresh_token }), 400, "refresh_token_already_used");
  fails(await auth.refreshSession(), 400, "refresh_token_not_found");
  fails(await app().auth.refreshSession({ refresh_token: NONSENSE }), 400, "refresh_token_not_found");
  noSession(await app().auth.refreshSession());
});

covers(["setSession"], "a session is handed to another app", async () => {
  const { email, session } = await signedUp();
  const { auth } = app();
  const set = went(await auth.setSession(session));
  assert.equal(set.user.email, email);
  assert.equal(went(await auth.getUser()).user.email, email);
  // With an access token that is over, the SDK refreshes.
  const [header, payload, signature] = session.access_token.split(".");
  const over = Buffer.from(JSON.stringify({ ...claimsOf(session.access_token), exp: 1_000 })).toString("base64url");
  const access_token = `${header}.${over}.${signature}`;
  const renewed = went(await app().auth.setSession({ access_token, refresh_token: session.refresh_token }));
  isSession(renewed.session, email);
  assert.notEqual(renewed.session.refresh_token, session.refresh_token);
  const forged = `${header}.${payload}.${"A".repeat(86)}`;
  fails(await app().auth.setSession({ access_token: forged, refresh_token: session.refresh_token }), 403, "bad_jwt");
  fails(await app().auth.setSession({ access_token, refresh_token: NONSENSE }), 400, "refresh_token_not_found");
  noSession(await app().auth.setSession({ access_token: "", refresh_token: "" }));
});

covers(["signOut"], "here, elsewhere, everywhere, and at once", async () => {
  const { auth: one, email, session } = await signedUp();
  const two = await signedIn(email);
  const three = await signedIn(email);
  assert.equal((await one.signOut({ scope: "local" })).error, null);
  assert.equal(went(await one.getSession()).session, null);
  noSession(await app().auth.getUser(session.access_token));
  fails(await app().auth.refreshSession({ refresh_token: session.refresh_token }), 400, "refresh_token_not_found");
  went(await two.auth.getUser());

  assert.equal((await two.auth.signOut({ scope: "others" })).error, null);
  went(await two.auth.getUser());
  noSession(await three.auth.getUser());
  assert.equal(went(await three.auth.getSession()).session, null, "the SDK keeps a session that is over");

  const four = await signedIn(email);
  assert.equal((await two.auth.signOut()).error, null);
  noSession(await four.auth.getUser());
  noSession(await app().auth.getUser(two.session.access_token));
  assert.equal((await two.auth.signOut()).error, null, "nobody to sign out");
});

covers(["onAuthStateChange"], "an app hears what happens to its session", async () => {
  const { email } = await signedUp();
  const { auth } = app();
  const heard = [];
  const { data } = auth.onAuthStateChange((event, session) => void heard.push([event, session?.user.email ?? null]));
  await until(() => heard.length === 1, "the first event");
  went(await auth.signInWithPassword({ email, password: PASSWORD }));
  went(await auth.refreshSession());
  went(await auth.updateUser({ data: { seen: true } }));
  await auth.signOut();
  assert.deepEqual(heard, [
    ["INITIAL_SESSION", null], ["SIGNED_IN", email], ["TOKEN_REFRESHED", email], ["USER_UPDATED", email], ["SIGNED_OUT", null],
  ]);
  data.subscription.unsubscribe();
  went(await auth.signInWithPassword({ email, password: PASSWORD }));
  assert.equal(heard.length, 5);
});

covers(["startAutoRefresh", "stopAutoRefresh", "onAuthStateChange"], "a session that is nearly over is renewed", async () => {
  const options = { storage: store(), storageKey: "nearly-over" };
  const { session } = await signedUp(options);
  const soon = { ...session, expires_at: Math.floor(Date.now() / 1000) + 60 };
  options.storage.setItem(options.storageKey, JSON.stringify(soon));
  const { auth } = app(options);
  const heard = [];
  auth.onAuthStateChange((event, renewed) => void heard.push([event, renewed?.refresh_token]));
  await auth.startAutoRefresh();
  const renewed = await until(() => heard.find(([event]) => event === "TOKEN_REFRESHED"), "a refresh");
  assert.notEqual(renewed[1], session.refresh_token);
  await auth.stopAutoRefresh();
});

covers(["dispose", "isThrowOnErrorEnabled"], "errors can be thrown, and an app can be taken down", async () => {
  const { auth } = app({ throwOnError: true });
  assert.equal(auth.isThrowOnErrorEnabled(), true);
  assert.ok(!app().auth.isThrowOnErrorEnabled());
  await assert.rejects(auth.signInWithPassword({ email: "nobody@example.com", password: OTHER }),
    { name: "AuthApiError", status: 400, code: "invalid_credentials" });
  await auth.dispose();
});

covers(["getClaims"], "tokens are verified by the key set alone, and a new key of the project's own is taken up", async () => {
  const { auth, email, session, user } = await signedUp();
  const { claims, header } = went(await auth.getClaims());
  assert.equal(header.alg, "ES256");
  assert.equal(claims.sub, user.id);
  assert.equal(claims.email, email);
  assert.equal(claims.role, "authenticated");
  assert.equal(claims.aud, "authenticated");
  assert.equal(claims.aal, "aal1");
  assert.equal(claims.amr[0].method, "otp");
  assert.equal(claims.is_anonymous, false);
  const { keys } = await (await fetch(`${server.url}/auth/v1/.well-known/jwks.json`)).json();
  assert.ok(keys.some(({ kid }) => kid === header.kid));
  assert.ok(keys.every((key) => !("d" in key)), "a private key is public");
  // Without the server: the SDK takes the keys that it is given.
  went(await app().auth.getClaims(session.access_token, { jwks: { keys } }));
  const [head, payload] = session.access_token.split(".");
  const forged = await auth.getClaims(`${head}.${payload}.${"A".repeat(86)}`);
  fails(forged, 400, "invalid_jwt", "AuthInvalidJwtError");
  fails(await auth.getClaims(NONSENSE), 400, "invalid_jwt", "AuthInvalidJwtError");
  assert.equal(went(await app().auth.getClaims()), null);

  await server.importKey();
  const next = await until(async () => {
    const { session: later } = went(await auth.refreshSession());
    const kid = JSON.parse(Buffer.from(later.access_token.split(".")[0], "base64url")).kid;
    return kid === server.signing.kid && later;
  }, "a token by the key of the project");
  assert.equal(went(await auth.getClaims(next.access_token)).claims.sub, user.id);
  assert.equal(went(await auth.getClaims(session.access_token)).claims.sub, user.id, "tokens from before stay good");
  went(await app().auth.getUser(session.access_token));
});

covers(["getUser"], "what others sign with the project's own key is a session only where there is one", async () => {
  await server.importKey();
  const { session } = await signedUp();
  const claims = claimsOf(session.access_token);
  const now = Math.floor(Date.now() / 1000);
  went(await app().auth.getUser(server.sign({ ...claims, iat: now })));
  noSession(await app().auth.getUser(server.sign({ ...claims, session_id: randomUUID() })));
  fails(await app().auth.getUser(server.sign({ ...claims, aud: "another" })), 403, "bad_jwt");
  fails(await app().auth.getUser(server.sign({ ...claims, exp: now - 60 })), 403, "bad_jwt");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  fails(await app().auth.getUser(server.sign(claims, privateKey)), 403, "bad_jwt");
});
