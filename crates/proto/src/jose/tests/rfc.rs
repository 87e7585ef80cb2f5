//! The examples that the RFCs print.

use super::*;

const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn check_joe(key: &VerifyingKey, header: &str, signature: &str) {
    let token = format!("{header}.{PAYLOAD}.{signature}");
    let claims: Value = verify(&token, key).expect("verifies").claims().expect("claims");
    assert_eq!(claims, json!({"iss": "joe", "exp": 1300819380, "http://example.com/is_root": true}));
    let changed = token.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Uj");
    assert_eq!(verify(&changed, key).map(|_| ()), Err(JoseError::Signature));
}

#[test]
fn rfc7515_a1_hs256() {
    let secret = B64
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .expect("base64");
    let key = VerifyingKey::hs256(&secret).expect("key");
    check_joe(
        &key,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
}

#[test]
fn rfc7515_a2_rs256() {
    let jwk = Jwk::from_json(&format!(r#"{{"kty":"RSA","e":"AQAB","n":"{RSA_N}"}}"#)).expect("jwk");
    let key = VerifyingKey::from_jwk(&jwk).expect("key");
    assert_eq!(key.alg(), Alg::Rs256);
    check_joe(
        &key,
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
}

#[test]
fn rfc7515_a3_es256() {
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let key = VerifyingKey::from_jwk(&Jwk::from_json(jwk).expect("jwk")).expect("key");
    check_joe(
        &key,
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
}

#[test]
fn rfc7515_a4_es512() {
    let jwk = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
    let key = VerifyingKey::from_jwk(&Jwk::from_json(jwk).expect("jwk")).expect("key");
    let token = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    assert_eq!(verify(token, &key).expect("verifies").payload(), b"Payload");
}

#[test]
fn rfc7515_a5_unsecured_is_refused() {
    assert_eq!(parse_error(&format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.")), JoseError::UnsupportedAlg);
}

#[test]
fn rfc7638_3_1_thumbprint() {
    let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let jwk = Jwk::from_json(jwk).expect("jwk");
    assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

const ED_D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

#[test]
fn rfc8037_a3_thumbprint_and_a4_signing() {
    // RFC 8410 7: the PKCS#8 of a bare seed.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend(B64.decode(ED_D).expect("base64"));
    let key = SigningKey::from_pkcs8(Alg::EdDSA, &der).expect("key");
    assert_eq!(key.thumbprint().as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    assert_eq!(key.kid(), key.thumbprint().as_deref());
    assert_eq!(forge(&key, r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing"), ED_TOKEN);
    let verified = verify(ED_TOKEN, &key.verifying_key().expect("public")).expect("verifies");
    assert_eq!(verified.payload(), b"Example of Ed25519 signing");
    assert_eq!(&key.to_pkcs8().expect("der")[..], &der[..]);
}

#[test]
fn published_jwks_have_no_private_member() {
    for &alg in Alg::ALL {
        let key = any_key(alg);
        let Some(jwk) = key.public_jwk() else {
            assert_eq!(alg, Alg::Hs256);
            assert_eq!((key.kid(), key.thumbprint()), (None, None));
            continue;
        };
        let text = serde_json::to_string(&JwkSet { keys: vec![jwk.clone()] }).expect("json");
        for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
            assert!(!text.contains(private), "{text}");
        }
        assert_eq!(JwkSet::from_json(&text).expect("set").keys, std::slice::from_ref(&jwk));
        assert_eq!(jwk.kid.as_deref(), Some(jwk.thumbprint().as_str()));
        assert!(!format!("{key:?}").contains("inner"));
    }
}

#[test]
fn keys_survive_storage() {
    for &alg in Alg::ALL {
        let key = any_key(alg).with_kid("k1");
        let der = key.to_pkcs8().expect("der");
        let again = match alg {
            Alg::Hs256 => SigningKey::hs256(&der),
            _ => SigningKey::from_pkcs8(alg, &der),
        }
        .expect("reads back");
        assert_eq!(again.thumbprint(), key.thumbprint());
        let token = again.sign(Some("at+jwt"), &json!({"sub": "ada"})).expect("signs");
        let verified = verify(&token, &key.verifying_key().expect("public")).expect("verifies");
        assert!(verified.typ_is("AT+JWT") && !verified.typ_is("JWT"));
        // A key of another algorithm is not read as this one.
        for &other in Alg::ALL {
            let same_type = matches!((alg, other), (Alg::Rs256 | Alg::Ps256, Alg::Rs256 | Alg::Ps256));
            if other != alg && !same_type {
                assert!(SigningKey::from_pkcs8(other, &der).is_err(), "{alg} as {other}");
            }
        }
    }
}

#[test]
fn typ_is_a_media_type() {
    let key = hs256();
    let public = key.verifying_key().expect("key");
    let verified =
        verify(&key.sign(Some("application/AT+jwt"), &json!({})).expect("signs"), &public).expect("verifies");
    assert!(verified.typ_is("at+jwt"));
    let verified = verify(&key.sign(None, &json!({})).expect("signs"), &public).expect("verifies");
    assert!(!verified.typ_is("at+jwt") && verified.typ().is_none());
}
