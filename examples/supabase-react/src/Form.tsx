import { type ComponentProps, type FormEvent, type ReactNode, useId, useState } from "react";

/** The fields of a form, by name. */
export type Fields = Record<string, string>;

interface Props {
  /** What its button says. */
  button: string;
  /** Whether that is not what the page is for. */
  quiet?: boolean;
  /** Sends it. What it gives is shown, and so is what it throws. */
  send: (fields: Fields) => Promise<string | void>;
  children?: ReactNode;
}

/** A form that waits for its answer and shows it. */
export function Form({ button, quiet, send, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [notice, setNotice] = useState("");

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setError("");
    setNotice("");
    try {
      const said = await send(Object.fromEntries(new FormData(form)) as Fields);
      setNotice(said ?? "");
      form.querySelectorAll<HTMLInputElement>("input[type=password]").forEach((field) => (field.value = ""));
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit}>
      {children}
      {error && <p className="error" role="alert">{error}</p>}
      {notice && <p className="notice" role="status">{notice}</p>}
      <button className={quiet ? "quiet" : "primary"} disabled={busy}>{button}</button>
    </form>
  );
}

/** A field with its label. */
export function Field({ label, ...input }: { label: string } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} required {...input} />
    </div>
  );
}

/** The field for a code that came by mail. */
export function Code({ label = "Code from the mail", ...input }: { label?: string; name?: string }) {
  return <Field label={label} name="code" inputMode="numeric" autoComplete="one-time-code" pattern="[0-9]{6}" maxLength={6} {...input} />;
}
