import type { Session } from "@supabase/supabase-js";
import { useEffect, useState } from "react";
import { Account } from "./Account";
import { Door } from "./Door";
import { auth } from "./supabase";

export function App() {
  // `undefined`: the client has not said yet whether somebody is signed in.
  const [session, setSession] = useState<Session | null>();
  // Somebody came by the link of a recovery, and is to choose a new password.
  const [recovering, setRecovering] = useState(false);

  useEffect(() => {
    const { data } = auth.onAuthStateChange((event, session) => {
      setSession(session);
      if (event === "PASSWORD_RECOVERY") setRecovering(true);
      if (event === "SIGNED_OUT") setRecovering(false);
    });
    return () => data.subscription.unsubscribe();
  }, []);

  return (
    <>
      <header>
        <span className="mark" aria-hidden="true" />
        Tidepool
      </header>
      <main>
        {session === undefined ? null : session ? (
          <Account user={session.user} recovering={recovering} recovered={() => setRecovering(false)} />
        ) : (
          <Door />
        )}
      </main>
      <footer>An example of the Supabase client with Latchstring</footer>
    </>
  );
}
