//! What this face does not do yet: it is switched off, and said so in the vendor's way, so that an app's own words for that
//! are shown. Whoever is not signed in hears that first, as everywhere.

use crate::{ask::Ask, error::Fail};

/// `GET /authorize`: a browser is led here.
pub(crate) async fn authorize(_: Ask) -> Fail {
    Fail::invalid("Unsupported provider: provider is not enabled")
}

/// `POST /sso`
pub(crate) async fn sso(_: Ask) -> Fail {
    Fail::new(404, "saml_provider_disabled", "SAML 2.0 is disabled")
}

/// `GET /user/identities/authorize` and `DELETE /user/identities/{id}`
pub(crate) async fn linking(ask: Ask) -> Result<(), Fail> {
    ask.user().await?;
    Err(Fail::new(404, "manual_linking_disabled", "Manual linking is disabled"))
}

/// `POST /factors`
pub(crate) async fn enroll(ask: Ask) -> Result<(), Fail> {
    ask.user().await?;
    Err(Fail::new(422, "mfa_totp_enroll_not_enabled", "MFA enroll is disabled"))
}

/// What is done with a factor: nobody has one.
pub(crate) async fn factor(ask: Ask) -> Result<(), Fail> {
    ask.user().await?;
    Err(Fail::new(404, "mfa_factor_not_found", "Factor not found"))
}
