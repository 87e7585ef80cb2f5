//! Mounts of dialects that are allowed more than need be.

use crate::finding::Finding;
use latchstring_core::mount::{Enumeration, Mount};

/// Judges a mount.
pub(super) fn look(mount: &Mount) -> Vec<Finding> {
    const CHECK: &str = "mounts";
    let mut findings = Vec::new();
    let mut weak = |says: String, why: &str, mend: &str| findings.push(Finding::weak(CHECK, says, why, mend));
    let name = mount.name();
    let own = if mount.face == latchstring_supabase::FACE {
        mount.settings::<latchstring_supabase::settings::Settings>().ok()
    } else {
        None
    };
    if mount.enumeration == Enumeration::Vendor {
        weak(
            format!("{name} tells whether an account exists, as the vendor does"),
            "anyone can ask which addresses have an account here",
            "latchstring dialect supabase init --enumeration strict, once the app does without; with --host for a host of \
             its own",
        );
    }
    if own.is_some_and(|settings| settings.admit_signed_admins) {
        weak(
            format!("{name} admits signed admins"),
            "whoever holds the imported signing key, or a token that it signed, manages all users, and no key here has to \
             be stolen for it",
            "give back ends the secret key, then run: latchstring dialect supabase init --admit-signed-admins=false",
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_core::id::MountId;

    #[test]
    fn what_a_mount_is_allowed_is_told() {
        let id: MountId = "00000000-0000-4000-8000-000000000000".parse().expect("an id");
        let mount = |face: &str| Mount::new(id, "*", "/auth/v1", face, "https://a.example/auth/v1");
        assert!(look(&mount("supabase")).is_empty());
        for (face, expect) in
            [("supabase", &["tells whether", "signed admins"][..]), ("other", &["tells whether"])]
        {
            let mut mount = mount(face);
            mount.enumeration = Enumeration::Vendor;
            mount.body = r#"{"admit_signed_admins":true}"#.into();
            let says: Vec<String> = look(&mount).into_iter().map(|finding| finding.says).collect();
            assert_eq!(says.len(), expect.len(), "{face}: {says:?}");
            assert!(says.iter().zip(expect).all(|(says, part)| says.contains(part)), "{face}: {says:?}");
        }
    }
}
