// What a back end does with the secret key.
import { randomUUID } from "node:crypto";
import { app, backEnd, covers, fails, noSession, signedIn, signedUp, went } from "./stage.mjs";
import assert from "node:assert/strict";

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
  noSession(await auth.getUser());
  noSession(await app().auth.getUser(session.access_token));
  noSession(await admin.signOut(session.access_token));
  fails(await admin.signOut(randomUUID()), 403, "bad_jwt");
});
