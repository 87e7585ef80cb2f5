//! The OpenAPI document is generated from code and compared with the file that is checked in.

#[test]
fn the_checked_in_document_is_the_generated_one() {
    let generated = latchstring_server::openapi();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &generated).expect("docs/openapi.json can be written");
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == generated,
        "docs/openapi.json is not what the code says. Look at the difference, then run: UPDATE_OPENAPI=1 cargo test -p latchstring-server --test api openapi"
    );
    assert!(generated.contains("\"openapi\": \"3.1.0\""));
}
