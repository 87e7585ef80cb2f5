// All tests of the hosted pages in a real browser, in one process: see CONTRIBUTING.md for how to run one.
import "./pages.mjs";
import "./keyboard.mjs";
import "./plain.mjs";
import "./attacks.mjs";
import "./transfer.mjs";
import "./supabase.mjs";
