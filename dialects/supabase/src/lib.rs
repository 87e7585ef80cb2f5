//! The Supabase dialect: what apps built on `@supabase/supabase-js` find at `/auth/v1`, over the rules of `core`.
//!
//! Architecture invariant: no rule, and no SQL but for the vendor's own tables in `import.rs` and `export.rs`.

pub mod note;
