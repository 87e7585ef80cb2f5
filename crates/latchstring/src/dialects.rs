//! The dialects that this binary speaks.

use latchstring_web::Dialect;

pub(crate) const DIALECTS: &[Dialect] = &[latchstring_supabase::DIALECT];
