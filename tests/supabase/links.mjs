// A link in a mail: our page in between, and how an app finds its session at the end, in both of the SDK's flows.
import assert from "node:assert/strict";
import { Browser } from "./browser.mjs";
import { arrives, follow, inFragment } from "./follow.mjs";
import { SITE } from "./server.mjs";
import {
  BACK, OTHER, PASSWORD, UNKNOWN_ID, app, covers, fails, isSession, server, signedIn, signedUp, someone, store, went,
} from "./stage.mjs";

const linkTo = async (email) => (await server.mail(email)).link;

const MAILS = {
  signup: {
    // Whoever signed up may not be whoever reads the mail: the page asks for the password.
    typed: { password: OTHER },
    async ask(auth) {
      const email = someone();
      went(await auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo: BACK } }));
      return email;
    },
    async then(email) {
      fails(await app().auth.signInWithPassword({ email, password: PASSWORD }), 400, "invalid_credentials");
      await signedIn(email, OTHER);
    },
  },
  magiclink: {
    async ask(auth) {
      const { email } = await signedUp();
      went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
      return email;
    },
    then: (email) => signedIn(email),
  },
  recovery: {
    async ask(auth) {
      const { email } = await signedUp();
      went(await auth.resetPasswordForEmail(email, { redirectTo: BACK }));
      return email;
    },
    async then(email, auth) {
      went(await auth.updateUser({ password: OTHER }));
      await signedIn(email, OTHER);
    },
  },
};
const METHODS = { signup: "signUp", magiclink: "signInWithOtp", recovery: "resetPasswordForEmail" };

for (const [type, { ask, typed, then }] of Object.entries(MAILS)) {
  covers([METHODS[type], "onAuthStateChange", "initialize", "setSession"], `a link of type ${type} carries the session in the fragment`, async () => {
    const { auth: asking } = app({ flowType: "implicit" });
    const email = await ask(asking);
    const away = await follow(await linkTo(email), typed);
    const found = inFragment(away, type);
    // An app without a browser takes them by hand.
    const { auth: byHand } = app();
    isSession(went(await byHand.setSession(found)).session, email);
    const { auth, error, heard, session, location } = await arrives(away);
    assert.equal(error, null);
    isSession(session, email);
    assert.ok(heard.includes(type === "recovery" ? "PASSWORD_RECOVERY" : "SIGNED_IN"), String(heard));
    assert.equal(location.hash, "");
    await then(email, auth);
  });

  covers([METHODS[type], "exchangeCodeForSession"], `a link of type ${type} carries a code to the app that asked`, async () => {
    const options = { flowType: "pkce", storage: store(), storageKey: `pkce-${type}` };
    const { auth } = app(options);
    const email = await ask(auth);
    const away = await follow(await linkTo(email), typed);
    assert.equal(away.hash, "");
    const code = away.searchParams.get("code");
    assert.ok(code);
    away.searchParams.delete("code");
    away.searchParams.delete("sb_flow_id");
    assert.equal(away.href, BACK);
    const heard = [];
    auth.onAuthStateChange((event) => void heard.push(event));
    const exchanged = went(await auth.exchangeCodeForSession(code));
    isSession(exchanged.session, email);
    if (type === "recovery") assert.ok(heard.includes("PASSWORD_RECOVERY"), String(heard));
    else assert.ok(heard.includes("SIGNED_IN"), String(heard));
    went(await auth.getUser());
    await then(email, auth);
  });
}

covers(["signInWithOtp", "exchangeCodeForSession", "initialize"], "a code is for one app, once", async () => {
  const options = { flowType: "pkce", storage: store(), storageKey: "pkce-once" };
  const { email } = await signedUp();
  const { auth } = app(options);
  went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
  let away = await follow(await linkTo(email));
  const landed = await arrives(away, options);
  assert.equal(landed.error, null);
  isSession(landed.session, email);
  assert.equal(landed.location.searchParams.get("code"), null);

  // Another app has another verifier, and spoils the code.
  went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
  away = await follow(await linkTo(email));
  const { auth: thief } = app({ flowType: "pkce" });
  went(await thief.signInWithOtp({ email: someone() }));
  fails(await thief.exchangeCodeForSession(away.searchParams.get("code")), 400, "bad_code_verifier");
  went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
  away = await follow(await linkTo(email));
  const code = away.searchParams.get("code");
  const verifiers = new Map(options.storage.values);
  went(await auth.exchangeCodeForSession(code));
  for (const [key, value] of verifiers) if (key.includes("verifier")) options.storage.setItem(key, value);
  fails(await auth.exchangeCodeForSession(code), 404, "flow_state_not_found");
  went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
  fails(await auth.exchangeCodeForSession(UNKNOWN_ID), 404, "flow_state_not_found");
});

covers(["signInAnonymously", "updateUser", "setSession", "exchangeCodeForSession"], "the link of a guest carries the session of a person", async () => {
  for (const flowType of ["implicit", "pkce"]) {
    const storage = store();
    // Older versions of the SDK forget the verifier when they save the user that `updateUser` gives: this app does not.
    const removeItem = (key) => void (key.includes("verifier") || storage.removeItem(key));
    const { auth } = app({ flowType, storage: { ...storage, removeItem } });
    const { user: guest } = went(await auth.signInAnonymously());
    const email = someone();
    went(await auth.updateUser({ email }, { emailRedirectTo: BACK }));
    const away = await follow(await linkTo(email));
    const { session } = went(flowType === "pkce" ? await auth.exchangeCodeForSession(away.searchParams.get("code"))
      : await auth.setSession(inFragment(away, "email_change")));
    isSession(session, email);
    assert.equal(session.user.id, guest.id);
    assert.equal(session.user.is_anonymous, false);
  }
});

covers(["updateUser", "refreshSession"], "two links confirm another address", async () => {
  for (const flowType of ["implicit", "pkce"]) {
    const { auth, email, user } = await signedUp({ flowType });
    const next = someone();
    went(await auth.updateUser({ email: next }, { emailRedirectTo: BACK }));
    const half = await follow(await linkTo(next));
    assert.equal(half.origin + half.pathname, `${SITE}/back`);
    assert.match(new URLSearchParams(half.hash.slice(1)).get("message"), /other email/);
    assert.equal(went(await auth.getUser()).user.email, email);
    const done = await follow(await linkTo(email));
    assert.equal(done.origin + done.pathname, `${SITE}/back`);
    // Whoever asked is signed in already, and nobody else becomes so.
    assert.match(new URLSearchParams(done.hash.slice(1)).get("message"), /changed/);
    assert.equal(done.href.includes("token"), false);
    const { session } = await signedIn(next);
    assert.equal(session.user.id, user.id);
    // Whoever changed it stays signed in, and hears of it with the next token.
    assert.equal(went(await auth.refreshSession()).session.user.email, next);
  }
});

covers(["signInWithOtp"], "opening a link spends nothing; a second use is told to the app", async () => {
  const { email } = await signedUp();
  const { auth } = app({ flowType: "implicit" });
  went(await auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }));
  const { link } = await server.mail(email);
  for (let scans = 0; scans < 3; scans += 1) assert.equal((await new Browser(server).open(link)).status, 200);
  const browser = new Browser(server);
  await browser.open(link);
  const { away } = await browser.submit();
  inFragment(away, "magiclink");
  assert.equal((await new Browser(server).open(link)).status, 410);
  // The last step is single use as well, and says so where the app is.
  const { away: late } = await browser.open("/auth/v1/verify/done?code=nonsense");
  const { error, session } = await arrives(late);
  assert.equal(session, null);
  assert.equal(error.name, "AuthImplicitGrantRedirectError");
  assert.equal(error.details.code, "otp_expired");
  assert.equal(error.details.error, "access_denied");
});

covers(["signInWithOtp"], "a place that is not listed is the site", async () => {
  for (const flowType of ["implicit", "pkce"]) {
    for (const emailRedirectTo of ["https://evil.example/", `${SITE}@evil.example/`, "javascript:alert(1)", undefined]) {
      const email = someone();
      const { auth } = app({ flowType });
      went(await auth.signInWithOtp({ email, options: { emailRedirectTo } }));
      const away = await follow(await linkTo(email));
      assert.equal(away.origin, SITE, emailRedirectTo);
    }
  }
});
