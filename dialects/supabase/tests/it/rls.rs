//! Row Level Security: a token of ours satisfies policies that read `request.jwt.claims`, as a REST server in front of
//! PostgreSQL sets it. Runs where the realm's database is PostgreSQL.

use crate::{
    app::Vendor,
    flows::{ADA, PASSWORD, ada, claims, sign_in},
};
use latchstring_core::{Error, Kind};
use serde_json::{Value, json};

/// What the rows of the policy's table say to whoever has these claims.
async fn seen(vendor: &Vendor, claims: &Value) -> Vec<String> {
    let (role, claims) = (claims["role"].as_str().expect("a role").to_owned(), claims.to_string());
    let found = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let out = found.clone();
    let rolled_back = vendor
        .test
        .realm
        .realm
        .db()
        .write(async move |tx| -> Result<(), Error> {
            for statement in [
                "CREATE ROLE rls_authenticated NOLOGIN",
                "CREATE TABLE rls_notes (owner UUID, level TEXT, session UUID, audience TEXT, note TEXT)",
                "INSERT INTO rls_notes VALUES (NULL, NULL, NULL, NULL, 'nobody''s')",
                "ALTER TABLE rls_notes ENABLE ROW LEVEL SECURITY",
                "GRANT SELECT ON rls_notes TO rls_authenticated",
                "CREATE POLICY own ON rls_notes FOR SELECT TO rls_authenticated USING (
                     owner = (current_setting('request.jwt.claims', true)::json ->> 'sub')::uuid
                     AND audience = current_setting('request.jwt.claims', true)::json ->> 'aud'
                     AND (level IS NULL OR level = current_setting('request.jwt.claims', true)::json ->> 'aal')
                     AND (session IS NULL
                          OR session = (current_setting('request.jwt.claims', true)::json ->> 'session_id')::uuid)
                     AND current_setting('request.jwt.claims', true)::json ->> 'role' = 'authenticated')",
            ] {
                tx.exec(statement, &[]).await?;
            }
            // The rows are made of the claims of one token, and of others than these.
            tx.exec(
                "INSERT INTO rls_notes
                 SELECT (CAST($1 AS TEXT)::json ->> 'sub')::uuid, v.level, NULL, 'authenticated', v.note
                   FROM (VALUES (NULL, 'mine'), ('aal1', 'mine at the first level'), ('aal2', 'at the second level'))
                        AS v (level, note)",
                &[&claims],
            )
            .await?;
            tx.exec(
                "INSERT INTO rls_notes
                 VALUES ((CAST($1 AS TEXT)::json ->> 'sub')::uuid, NULL,
                         (CAST($1 AS TEXT)::json ->> 'session_id')::uuid, 'authenticated', 'in this session'),
                        ('00000000-0000-7000-8000-000000000001', NULL, NULL, 'authenticated', 'another''s')",
                &[&claims],
            )
            .await?;
            tx.exec("SELECT set_config('request.jwt.claims', $1, true)", &[&claims]).await?;
            assert_eq!(role, "authenticated", "the role that policies are written for");
            tx.exec("SET LOCAL ROLE rls_authenticated", &[]).await?;
            for row in tx.all("SELECT note FROM rls_notes ORDER BY note", &[]).await? {
                out.lock().push(row.get::<String>(0)?);
            }
            // Nothing of this stays.
            Err(Kind::NotFound.into())
        })
        .await;
    assert_eq!(rolled_back.err().and_then(|e| e.kind()), Some(Kind::NotFound), "a statement failed");
    std::mem::take(&mut *found.lock())
}

#[tokio::test]
async fn a_token_satisfies_policies_that_read_its_claims() {
    if std::env::var("LATCHSTRING_TEST_DATABASE").as_deref() != Ok("postgres") {
        return;
    }
    let vendor = Vendor::new().await;
    ada(&vendor).await;
    let session = sign_in(&vendor.app(), ADA, PASSWORD).await.must_be(200).json();
    let claims = claims(&session);
    assert_eq!(seen(&vendor, &claims).await, ["in this session", "mine", "mine at the first level"]);
    let mut other = claims.clone();
    other["role"] = json!("authenticated");
    other["aal"] = json!("aal2");
    assert!(seen(&vendor, &other).await.contains(&"at the second level".to_owned()));
}
