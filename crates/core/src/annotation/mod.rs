//! Annotations: a small JSON document that one kind of mount keeps about an object. What `core` itself has to know of an
//! object is never here.

pub mod store;

use crate::refusal::{Kind, Result};
use latchstring_db::Tx;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Most bytes of one annotation.
pub const MOST: usize = 4 * 1024;

/// Members that a kind of mount notes about an object, each in place of the one before. `null` takes one away.
#[derive(Debug, Clone)]
pub struct Note {
    /// The kind of mount.
    pub kind: String,
    /// The members.
    pub members: Map<String, Value>,
}

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

/// Notes some members about an object; others stay. The caller has taken the object's row, or just made it.
pub async fn merge(tx: &mut Tx, object: Uuid, note: &Note) -> Result<()> {
    let mut body: Map<String, Value> = find(tx, object, &note.kind).await?.unwrap_or_default();
    members(&mut body, &note.members);
    put(tx, object, &note.kind, &body).await
}

/// Puts members into an object, each in place of the one before; `null` takes one away.
pub fn members(object: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change {
        match value {
            Value::Null => {
                object.remove(name);
            }
            value => {
                object.insert(name.clone(), value.clone());
            }
        }
    }
}
