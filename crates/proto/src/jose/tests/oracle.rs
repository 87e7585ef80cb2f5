//! jsonwebtoken reads what we write, and we read what it writes.

use super::*;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken as oracle;

fn algorithm(alg: Alg) -> Option<oracle::Algorithm> {
    Some(match alg {
        Alg::EdDSA => oracle::Algorithm::EdDSA,
        Alg::Es256 => oracle::Algorithm::ES256,
        Alg::Es384 => oracle::Algorithm::ES384,
        Alg::Rs256 => oracle::Algorithm::RS256,
        Alg::Ps256 => oracle::Algorithm::PS256,
        Alg::Hs256 => oracle::Algorithm::HS256,
        // It has no ES512; RFC 7515 A.4 and RFC 7520 4.3 stand in.
        Alg::Es512 => return None,
    })
}

#[test]
fn jsonwebtoken_agrees_in_both_directions() {
    let claims = json!({"sub": "ada", "exp": 4_000_000_000u64});
    for &alg in Alg::ALL {
        let Some(algorithm) = algorithm(alg) else { continue };
        let key = any_key(alg);
        let der = key.to_pkcs8().expect("der");
        let (decoding, encoding) = match key.public_jwk() {
            None => (oracle::DecodingKey::from_secret(&der), oracle::EncodingKey::from_secret(&der)),
            Some(jwk) => {
                let text = serde_json::to_string(&jwk).expect("json");
                let theirs: oracle::jwk::Jwk = serde_json::from_str(&text).expect("their jwk");
                let pem = format!(
                    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                    BASE64_STANDARD.encode(&*der)
                );
                let encoding = match alg {
                    Alg::EdDSA => oracle::EncodingKey::from_ed_pem(pem.as_bytes()),
                    Alg::Rs256 | Alg::Ps256 => oracle::EncodingKey::from_rsa_pem(pem.as_bytes()),
                    _ => oracle::EncodingKey::from_ec_pem(pem.as_bytes()),
                };
                (oracle::DecodingKey::from_jwk(&theirs).expect("their key"), encoding.expect("their key"))
            }
        };

        let ours = key.sign(Some("at+jwt"), &claims).expect("signs");
        let read = oracle::decode::<Value>(&ours, &decoding, &oracle::Validation::new(algorithm))
            .expect("they verify");
        assert_eq!(read.claims, claims);
        assert_eq!(read.header.kid.as_deref(), key.kid());
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));

        let theirs = oracle::encode(&oracle::Header::new(algorithm), &claims, &encoding).expect("they sign");
        let verified = verify(&theirs, &key.verifying_key().expect("public")).expect("we verify");
        assert_eq!(verified.claims::<Value>().expect("claims"), claims);
        assert!(verified.typ_is("JWT"));
    }
}
