import { isAuthApiError, type User } from "@supabase/supabase-js";
import { useState } from "react";
import { Code, Field, Form } from "./Form";
import { auth, done } from "./supabase";

interface Props {
  user: User;
  recovering: boolean;
  recovered: () => void;
}

/** For whoever is signed in. */
export function Account({ user, recovering, recovered }: Props) {
  const name: string = user.user_metadata.name ?? "";
  return (
    <>
      <section className="card">
        <h1>{user.is_anonymous ? "Hello, guest" : `Hello, ${name || user.email}`}</h1>
        <p>{user.is_anonymous ? "What you do here is yours for as long as this browser remembers you." : user.email}</p>
        <Form quiet button="Sign out" send={async () => void done(await auth.signOut())} />
      </section>
      {user.is_anonymous ? (
        <Upgrade />
      ) : (
        <>
          {recovering || <Profile name={name} />}
          <Password recovering={recovering} changed={recovered} />
        </>
      )}
    </>
  );
}

function Profile({ name }: { name: string }) {
  return (
    <section className="card">
      <h2>Profile</h2>
      <Form
        button="Save"
        send={async ({ name }) => {
          done(await auth.updateUser({ data: { name } }));
          return "Saved.";
        }}
      >
        <Field label="Name" name="name" defaultValue={name} autoComplete="name" />
      </Form>
    </section>
  );
}

function Password({ recovering, changed }: { recovering: boolean; changed: () => void }) {
  // The server wants to know again that it is you, since you signed in some time ago: it has mailed a code.
  const [again, setAgain] = useState(false);
  return (
    <section className="card">
      <h2>{recovering ? "Choose a new password" : "Password"}</h2>
      <Form
        button="Change the password"
        send={async ({ password, code }) => {
          const { error } = await auth.updateUser({ password, nonce: code });
          if (isAuthApiError(error) && error.code === "reauthentication_needed") {
            done(await auth.reauthenticate());
            setAgain(true);
            return "You signed in some time ago. We have mailed you a code, to be sure that it is you.";
          }
          done({ error });
          setAgain(false);
          changed();
          return "Changed.";
        }}
      >
        <Field label="New password" name="password" type="password" autoComplete="new-password" />
        {again && <Code />}
      </Form>
    </section>
  );
}

/** A guest gives an address, and becomes a person with the same id. */
function Upgrade() {
  const [email, setEmail] = useState("");
  return (
    <section className="card">
      <h2>Keep what you have</h2>
      {email ? (
        <>
          <p>We wrote to {email}.</p>
          <Form
            button="Go on"
            send={async ({ code }) => void done(await auth.verifyOtp({ email, token: code, type: "email_change" }))}
          >
            <Code />
          </Form>
        </>
      ) : (
        <Form
          button="Send a mail"
          send={async ({ email }) => {
            done(await auth.updateUser({ email }));
            setEmail(email);
          }}
        >
          <Field label="Email" name="email" type="email" autoComplete="email" />
        </Form>
      )}
    </section>
  );
}
