//! What operators do: by API key, or by a command on the server's machine.

pub mod export;
pub mod import;
pub mod invitations;
pub mod keys;
pub mod links;
pub mod mounts;
pub mod restored;
pub mod settings;
pub mod setup;
pub mod users;
