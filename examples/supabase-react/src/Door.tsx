import type { EmailOtpType } from "@supabase/supabase-js";
import { useState } from "react";
import { Code, Field, type Fields, Form } from "./Form";
import { auth, done } from "./supabase";

type Way = "password" | "code" | "sign-up" | "forgotten";
const WAYS: Record<Way, string> = {
  password: "Sign in",
  code: "Sign in by a code",
  "sign-up": "Make an account",
  forgotten: "Forgotten password",
};

/** For whoever is not signed in. */
export function Door() {
  const [way, setWay] = useState<Way>("password");
  // A mail with a code went to this address.
  const [sent, setSent] = useState<{ email: string; type: EmailOtpType }>();

  if (sent) {
    return (
      <section className="card">
        <h1>Look in your mail</h1>
        <p>We wrote to {sent.email}.</p>
        <Form button="Go on" send={async ({ code }) => void done(await auth.verifyOtp({ ...sent, token: code }))}>
          <Code />
        </Form>
        <p className="links">
          <button type="button" onClick={() => setSent(undefined)}>Back</button>
        </p>
      </section>
    );
  }

  const send: Record<Way, (fields: Fields) => Promise<string | void>> = {
    async password({ email, password }) {
      done(await auth.signInWithPassword({ email, password }));
    },
    async code({ email }) {
      done(await auth.signInWithOtp({ email, options: { emailRedirectTo: location.origin } }));
      setSent({ email, type: "email" });
    },
    async "sign-up"({ email, password, name }) {
      const options = { data: { name }, emailRedirectTo: location.origin };
      const { data } = done(await auth.signUp({ email, password, options }));
      // Where the server confirms no addresses, somebody is signed in already.
      if (!data.session) setSent({ email, type: "signup" });
    },
    async forgotten({ email }) {
      done(await auth.resetPasswordForEmail(email, { redirectTo: location.origin }));
      return `If ${email} has an account, a mail is on its way. Its link leads back here.`;
    },
  };
  const withPassword = way === "password" || way === "sign-up";

  return (
    <section className="card">
      <h1>{WAYS[way]}</h1>
      {/* Its own form for each way, so that what one said does not stay. */}
      <Form key={way} button={way === "password" ? "Sign in" : way === "sign-up" ? "Make it" : "Send a mail"} send={send[way]}>
        {way === "sign-up" && <Field label="Name" name="name" autoComplete="name" />}
        <Field label="Email" name="email" type="email" autoComplete="username" />
        {withPassword && (
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete={way === "sign-up" ? "new-password" : "current-password"}
          />
        )}
      </Form>
      <p className="links">
        {(Object.keys(WAYS) as Way[])
          .filter((other) => other !== way)
          .map((other) => (
            <button key={other} type="button" onClick={() => setWay(other)}>{WAYS[other]}</button>
          ))}
      </p>
      <hr />
      <Form quiet button="Look around as a guest" send={async () => void done(await auth.signInAnonymously())} />
    </section>
  );
}
