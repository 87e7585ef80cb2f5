//! The dialect through the real service.

mod about;
mod app;
mod flows;
mod init;
mod policy;
mod rls;
