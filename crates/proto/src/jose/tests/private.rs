//! Private keys from elsewhere.

use super::*;

/// RFC 7515 A.3.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// RFC 7520 3.4.
const RSA: &str = r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB","d":"bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ","p":"3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k","q":"uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc","dp":"B8PVvXkvJrj2L-GYQ7v3y9r6Kw5g9SahXBwsWUzp19TVlgI-YV85q1NIb1rxQtD-IsXXR3-TanevuRPRt5OBOdiMGQp8pbt26gljYfKU_E9xn-RULHz0-ed9E9gXLKD4VGngpz-PfQ_q29pk5xWHoJp009Qf1HvChixRX59ehik","dq":"CLDmDGduhylc9o7r84rEUVn7pzQ6PF83Y-iBZx5NT-TpnOZKF1pErAMVeKzFEl41DlHHqqBLSM0W1sOFbwTxYWZDm6sI6og5iTbwQGIC3gnJKbi_7k_vJgGHwHxgPaX2PnvP-zyEkDERuf-ry4c_Z11Cq9AqC2yeL6kdKT1cYF8","qi":"3PiqvXQN0zwMeE-sBvZgi289XP9XCQF3VWqPzMKnIgQp7_Tugo6-NZBKCQsMf3HaEGBjTVJs_jcK8-TRXvaKe-7ZMaQj8VfBdYkssbu0NKDDhjJ-GtiseaDVWt7dcH0cfwxgFUHpQh7FoCrjFJ6h6ZEpMF6xmujs4qMpPz8aaI4"}"#;

/// RFC 7520 4.1: what that key signed, byte for byte. RSASSA-PKCS1-v1_5 draws nothing.
const SIGNED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";

fn with(jwk: &str, changes: Value) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).expect("JSON");
    for (name, value) in changes.as_object().expect("members") {
        if value.is_null() {
            jwk.as_object_mut().expect("an object").remove(name);
        } else {
            jwk[name] = value.clone();
        }
    }
    jwk.to_string()
}

#[test]
fn rfc7520_rsa_signs_what_the_rfc_prints() {
    let key = SigningKey::from_jwk(RSA).expect("a key");
    assert_eq!((key.alg(), key.kid()), (Alg::Rs256, Some("bilbo.baggins@hobbiton.example")));
    let (signed, signature) = SIGNED.rsplit_once('.').expect("a token");
    let again = super::super::key::raw_sign(&key.inner, signed.as_bytes()).expect("signs");
    assert_eq!(B64.encode(again), signature);
    // As a row keeps it.
    let kept = SigningKey::from_pkcs8(Alg::Rs256, &key.to_pkcs8().expect("DER")).expect("the same");
    assert_eq!(kept.thumbprint(), key.thumbprint());
}

#[test]
fn rfc7515_ec_verifies_under_its_public_part() {
    let key = SigningKey::from_jwk(EC).expect("a key");
    assert_eq!(key.kid(), key.thumbprint().as_deref(), "without a name it is its thumbprint");
    let token = key.sign(Some("JWT"), &json!({"sub": "ada"})).expect("signs");
    let public = with(EC, json!({"d": null}));
    let verifying = VerifyingKey::from_jwk(&Jwk::from_json(&public).expect("public")).expect("a key");
    verify(&token, &verifying).expect("verifies");
    let kept = SigningKey::from_pkcs8(Alg::Es256, &key.to_pkcs8().expect("DER")).expect("the same");
    assert_eq!(kept.thumbprint(), key.thumbprint());
    let said =
        json!({"kid": "k-1", "alg": "ES256", "use": "sig", "key_ops": ["sign", "verify"], "ext": true});
    assert_eq!(
        SigningKey::from_jwk(&with(EC, said)).expect("as a vendor's tool writes it").kid(),
        Some("k-1")
    );
}

#[test]
fn what_is_no_key_for_signing_is_refused() {
    let refused = |jwk: String| {
        let error = SigningKey::from_jwk(&jwk).map(|_| ()).expect_err(&jwk);
        assert!(matches!(error, JoseError::Key | JoseError::TooLong), "{jwk}: {error}");
    };
    for changes in [
        json!({"d": null}),
        json!({"d": 5}),
        json!({"d": "!"}),
        json!({"d": B64.encode([1; 32])}),
        json!({"d": B64.encode([0; 32])}),
        json!({"d": B64.encode([0xff; 32])}),
        json!({"d": B64.encode([1; 31])}),
        json!({"d": B64.encode([0; 33])}),
        json!({"crv": "P-384"}),
        json!({"crv": "P-521"}),
        json!({"crv": null}),
        json!({"x": B64.encode([0; 32])}),
        json!({"x": null}),
        json!({"alg": "RS256"}),
        json!({"alg": "none"}),
        json!({"use": "enc"}),
        json!({"key_ops": ["verify"]}),
        json!({"kid": ""}),
        json!({"kid": "a\nb"}),
        json!({"kid": "k".repeat(5_000)}),
        json!({"kty": "RSA"}),
        json!({"kty": "OKP", "crv": "Ed25519"}),
        json!({"padding": "p".repeat(MAX_PRIVATE_JWK)}),
    ] {
        refused(with(EC, changes));
    }
    let two = B64.encode([2]);
    for changes in [
        json!({"d": null}),
        json!({"p": null}),
        json!({"q": null}),
        json!({"dp": null}),
        json!({"dq": null}),
        json!({"qi": null}),
        json!({"d": two}),
        json!({"p": two}),
        json!({"dp": two}),
        json!({"qi": two}),
        json!({"d": ""}),
        json!({"p": B64.encode([0xff; 4_000])}),
        json!({"e": two}),
        json!({"e": B64.encode([1])}),
        json!({"n": B64.encode([0xff; 128])}),
        json!({"n": B64.encode([0xff; 256])}),
        json!({"alg": "PS256"}),
        json!({"alg": "ES256"}),
        json!({"use": "enc"}),
        json!({"oth": []}),
        json!({"kty": "oct"}),
    ] {
        refused(with(RSA, changes));
    }
    refused(r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#.into());
    refused(EC.replace(r#""kty":"EC""#, r#""kty":"EC","kty":"EC""#));
    refused("[".repeat(10_000));
    for nothing in ["", "{}", "[]", "null", "\"EC\""] {
        refused(nothing.into());
    }
}
