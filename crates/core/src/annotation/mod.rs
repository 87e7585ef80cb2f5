//! Annotations: a small JSON document that one kind of mount keeps about an object. What `core` itself has to know of an
//! object is never here.

pub mod store;

use crate::refusal::{Kind, Result};
use latchstring_db::Tx;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// Most bytes of one annotation.
pub const MOST: usize = 4 * 1024;

/// What a kind of mount has noted about an object.
pub async fn find<T: DeserializeOwned>(tx: &mut Tx, object: Uuid, kind: &str) -> Result<Option<T>> {
    match store::find(tx, object, kind).await? {
        Some(body) => Ok(Some(serde_json::from_str(&body)?)),
        None => Ok(None),
    }
}

/// Notes something about an object, in place of what was noted before.
pub async fn put(tx: &mut Tx, object: Uuid, kind: &str, note: &impl Serialize) -> Result<()> {
    let body = serde_json::to_string(note)?;
    if body.len() > MOST {
        return Err(Kind::InputInvalid.says("Too much to note about one object.").into());
    }
    store::set(tx, &[store::New { object, kind, body: &body }]).await
}
