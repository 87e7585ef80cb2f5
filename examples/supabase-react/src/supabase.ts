import { createClient } from "@supabase/supabase-js";

export const supabase = createClient(import.meta.env.VITE_SUPABASE_URL, import.meta.env.VITE_SUPABASE_KEY);
export const auth = supabase.auth;

/** What a call gives; its error is thrown, and `Form` shows it. */
export function done<T extends { error: Error | null }>(answer: T): T {
  if (answer.error) throw answer.error;
  return answer;
}
