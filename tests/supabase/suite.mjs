// All tests with the vendor's SDK, in one process and on one server: see CONTRIBUTING.md for how to run one.
import "./sign_up.mjs";
import "./sign_in.mjs";
import "./session.mjs";
import "./user.mjs";
import "./links.mjs";
import "./admin.mjs";
import "./covered.mjs";
