//! Published hashes of every scheme, the limits, and that nothing panics.

use super::*;
use crate::testing::quick;
use proptest::prelude::*;

fn check(text: &str, password: &[u8], scheme: &str) {
    let hash = PasswordHash::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut scratch = Scratch::new();
    assert_eq!(hash.scheme(), scheme);
    assert!(hash.verify(password, &mut scratch), "{text}");
    let mut wrong = password.to_vec();
    wrong.insert(0, b'x');
    assert!(!hash.verify(&wrong, &mut scratch), "{text}");
    assert!(!format!("{hash:?}").contains("salt"));
}

#[test]
fn argon2_reference_vectors() {
    // From the reference implementation's test.c, and the argon2 crate's phc_strings.rs.
    for (text, scheme) in [
        (
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "argon2id",
        ),
        ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "argon2id"),
        ("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "argon2id"),
        ("$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "argon2i"),
        ("$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ", "argon2i"),
        ("$argon2i$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ", "argon2i"),
        (
            "$argon2d$v=19$m=65536,t=2,p=1$YzI5dFpYTmhiSFFBQUFBQUFBQUFBQQ$Jxy74cswY2mq9y+u+iJcJy8EqOp4t/C7DWDzGwGB3IM",
            "argon2d",
        ),
    ] {
        check(text, b"password", scheme);
    }
}

#[test]
fn bcrypt_openwall_vectors() {
    // From crypt_blowfish's wrapper.c.
    let long =
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
    for (text, password) in [
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &b"U*U"[..]),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", b"U*U*"),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", b"U*U*U"),
        ("$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui", long),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", b""),
        ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", b"\xa3"),
        ("$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", b"\xa3"),
        ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", b"\xff\xff\xa3"),
    ] {
        check(text, password, "bcrypt");
    }
    assert_eq!(
        PasswordHash::parse("$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
        Err(HashError::Unsupported)
    );
}

#[test]
fn scrypt_vectors() {
    // RFC 7914 12, and one that passlib made.
    check(
        "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
        b"password",
        "scrypt",
    );
    check(
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU=$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
        b"pleaseletmein",
        "scrypt",
    );
    check(
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        b"password",
        "scrypt",
    );
}

#[test]
fn firebase_vectors() {
    // From the README of firebase/scrypt, and from Supabase's tests.
    check(
        "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        b"user1password",
        "fbscrypt",
    );
    check(
        "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==",
        b"mytestpassword",
        "fbscrypt",
    );
}

#[test]
fn pbkdf2_vectors() {
    // RFC 6070, then one that passlib made, then hashcat's example, then ones made by Python's hashlib.
    check("$pbkdf2-sha1$4096$c2FsdA$SwB5AbdlSJq.rUnZJvch0GWkKcE", b"password", "pbkdf2-sha1");
    check("$pbkdf2$4096$c2FsdA$SwB5AbdlSJq.rUnZJvch0GWkKcE", b"password", "pbkdf2-sha1");
    check(
        "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M",
        b"password",
        "pbkdf2-sha256",
    );
    check(
        "$pbkdf2-sha512$25000$LyWE0HrP2RsjZCxlDGFMKQ$1vC5Ohk2mCS9b6akqsEfgeb4l74SF8XjH.SljXf3dMLHdlY1GK9ojcCKts6/asR4aPqBmk74nCDddU3tvSCJvw",
        b"hashcat",
        "pbkdf2-sha512",
    );
    check(
        "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$38DzhdBT7fPaUGBlsh42VTuuKSFAIYGZJ7l6feCDLIl+K3hdPFgxxu7xuUi4gIuH6cEIoODn18xH9Ig2ryNgUw",
        b"password",
        "pbkdf2-sha512",
    );
    check(
        "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$38DzhdBT7fPaUGBlsh42VTuuKSFAIYGZJ7l6feCDLIl+K3hdPFgxxu7xuUi4gIuH6cEIoODn18xH9Ig2ryNgUw",
        b"password",
        "pbkdf2-sha512",
    );
    check(
        "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=",
        "lètmein".as_bytes(),
        "pbkdf2-sha256",
    );
    check("pbkdf2_sha1$10000$seasalt$oAfF6vgs95ncksAhGXOWf4Okq7o=", "lètmein".as_bytes(), "pbkdf2-sha1");
}

#[test]
fn attack_a120_only_foreign_bcrypt_truncates() {
    let mut scratch = Scratch::new();
    let weak = Params { m_kib: 64, t: 1, p: 1 };
    let (a, b) = ("a".repeat(72) + "right", "a".repeat(72) + "wrong");
    let ours = argon2id(&weak, a.as_bytes(), &[7; 16], &mut scratch).expect("hashes");
    let ours = PasswordHash::parse(&ours).expect("parses");
    assert!(ours.verify(a.as_bytes(), &mut scratch));
    assert!(!ours.verify(b.as_bytes(), &mut scratch));
    assert!(!ours.verify(&a.as_bytes()[..72], &mut scratch));
    // As in the system it came from; and it asks to be replaced.
    let text = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    let theirs = PasswordHash::parse(text).expect("parses");
    let first72 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    assert!(
        theirs.verify(first72, &mut scratch)
            && theirs.verify(&[first72.as_slice(), b"x"].concat(), &mut scratch)
    );
    assert!(!theirs.verify(&first72[..71], &mut scratch));
    assert!(theirs.needs_upgrade(&Params::default()));
}

#[test]
fn what_we_write_we_read() {
    let mut scratch = Scratch::new();
    let params = Params { m_kib: 1024, t: 2, p: 1 };
    let text = argon2id(&params, b"pass\0word", b"0123456789abcdef", &mut scratch).expect("hashes");
    assert!(text.starts_with("$argon2id$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"));
    let hash = PasswordHash::parse(&text).expect("parses");
    assert!(hash.verify(b"pass\0word", &mut scratch));
    assert!(!hash.verify(b"pass", &mut scratch) && !hash.verify(b"", &mut scratch));
    assert!(!hash.needs_upgrade(&params));
    assert!(!hash.needs_upgrade(&Params { m_kib: 512, t: 1, p: 1 }));
    assert!(hash.needs_upgrade(&Params { m_kib: 2048, ..params }));
    assert!(hash.needs_upgrade(&Params { t: 3, ..params }));
    // A used scratch gives the same result as a fresh one.
    assert_eq!(argon2id(&params, b"pass\0word", b"0123456789abcdef", &mut Scratch::new()), Ok(text));
    assert_eq!(scratch.held(), 1024 * 1024);
    scratch.release();
    assert_eq!(scratch.held(), 0);
    for bad in
        [Params { m_kib: 7, t: 1, p: 1 }, Params { m_kib: 64, t: 0, p: 1 }, Params { m_kib: 64, t: 1, p: 0 }]
    {
        assert_eq!(argon2id(&bad, b"x", &[0; 16], &mut scratch), Err(HashError::Malformed));
    }
    let huge = Params { m_kib: u32::MAX, t: 1, p: 1 };
    assert_eq!(argon2id(&huge, b"x", &[0; 16], &mut scratch), Err(HashError::TooCostly));
}

#[test]
fn a_big_foreign_hash_leaves_no_memory_behind() {
    let mut scratch = Scratch::new();
    let params = Params { m_kib: 65 * 1024, t: 1, p: 1 };
    argon2id(&params, b"x", &[0; 16], &mut scratch).expect("hashes");
    assert_eq!(scratch.held(), 0);
}

#[test]
fn attack_a124_costs_and_shapes() {
    use HashError::{Malformed, TooCostly, Unsupported};
    let argon = |costs: &str| {
        format!("$argon2id$v=19${costs}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
    };
    let bcrypt = |cost: &str| format!("$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    let scrypt = |costs: &str| {
        format!("$scrypt${costs}$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E")
    };
    let firebase = |costs: &str| {
        format!(
            "$fbscrypt${costs}$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
        )
    };
    let key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    let pbkdf2 = |rounds: &str| {
        format!("$pbkdf2-sha256${rounds}$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M")
    };
    for (text, error) in [
        (argon("m=2147483648,t=1,p=1"), TooCostly),
        (argon("m=99999999999999999999,t=1,p=1"), TooCostly),
        (argon("m=65536,t=1000000,p=1"), TooCostly),
        (argon("m=262144,t=5,p=1"), TooCostly),
        (argon("m=65536,t=1,p=5"), TooCostly),
        (argon("m=8,t=1,p=2"), Malformed),
        (argon("m=65536,t=0,p=1"), Malformed),
        (argon("m=65536,t=-1,p=1"), Malformed),
        (argon("m=+65536,t=1,p=1"), Malformed),
        (argon("m=065536,t=1,p=1"), Malformed),
        (argon("m=65536,p=1,t=1"), Malformed),
        (argon("m=65536,m=1,t=1,p=1"), Malformed),
        (argon("m=65536,t=1"), Malformed),
        (argon("m=65536,t=1,p=1,keyid=8PDw8A"), Unsupported),
        (argon("m=65536,t=1,p=1,data=Dw8P"), Unsupported),
        (
            "$argon2id$v=20$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".into(),
            Unsupported,
        ),
        ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65".into(), Malformed),
        ("$argon2id$v=19$m=256,t=2,p=1$c2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".into(), Malformed),
        ("$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".into(), Malformed),
        ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ".into(), Malformed),
        (
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$".into(),
            Malformed,
        ),
        (
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5".into(),
            Malformed,
        ),
        (format!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ${}", "A".repeat(400)), Malformed),
        (bcrypt("31"), TooCostly),
        (bcrypt("15"), TooCostly),
        (bcrypt("99"), TooCostly),
        (bcrypt("03"), Malformed),
        (bcrypt("5"), Malformed),
        (bcrypt("+5"), Malformed),
        (bcrypt("005"), Malformed),
        ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe".into(), Malformed),
        ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe=".into(), Malformed),
        (scrypt("ln=63,r=8,p=1"), TooCostly),
        (scrypt("ln=300,r=8,p=1"), TooCostly),
        (scrypt("ln=18,r=8,p=1"), TooCostly),
        (scrypt("ln=17,r=8,p=5"), TooCostly),
        (scrypt("ln=4,r=4294967295,p=1"), TooCostly),
        (scrypt("ln=4,r=8,p=1073741824"), TooCostly),
        (scrypt("ln=0,r=8,p=1"), Malformed),
        (scrypt("ln=14,r=0,p=1"), Malformed),
        (scrypt("n=16384,r=8,p=1"), Malformed),
        (firebase(&format!("v=1,n=30,r=8,p=1,ss=Bw==,sk={key}")), TooCostly),
        (firebase(&format!("v=2,n=14,r=8,p=1,ss=Bw==,sk={key}")), Unsupported),
        (firebase("v=1,n=14,r=8,p=1,ss=Bw=="), Malformed),
        (firebase("v=1,n=14,r=8,p=1,ss=Bw==,sk="), Malformed),
        (firebase("v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAAAAAAAAAAAAAAAAAAAA=="), Malformed),
        (pbkdf2("1000000000"), TooCostly),
        (pbkdf2("2000001"), TooCostly),
        (pbkdf2("i=4294967296"), TooCostly),
        (pbkdf2("0"), Malformed),
        (pbkdf2("i=1000,l=64"), Malformed),
        (pbkdf2("-5"), Malformed),
        (pbkdf2("1e3"), Malformed),
        (pbkdf2(""), Malformed),
        // 64 bytes of SHA-1 are four digests.
        (format!("$pbkdf2-sha1$600000$c2FsdA${}", "A".repeat(86)), TooCostly),
        ("pbkdf2_sha256$1000000000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=".into(), TooCostly),
        ("pbkdf2_md5$10$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=".into(), Unsupported),
        ("$1$salt$qJH7.N4xYta3aEG/dfqo/0".into(), Unsupported),
        ("$6$salt$abc".into(), Unsupported),
        ("5f4dcc3b5aa765d61d8327deb882cf99".into(), Unsupported),
        ("{SSHA}abc".into(), Unsupported),
        (String::new(), Unsupported),
        ("$".into(), Malformed),
        ("$argon2id".into(), Malformed),
        ("x".repeat(1 << 20), Malformed),
        ("$argon2id$v=19$m=256,t=2,p=1$ünïcödé$é".into(), Malformed),
    ] {
        assert_eq!(quick(|| PasswordHash::parse(&text).map(|_| ())), Err(error), "{text}");
    }
}

#[test]
fn bcrypt_salts_with_stray_bits_are_read() {
    // PHP before 7.0 took salts from its callers: the last character then has bits that no salt holds.
    let text = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".replacen("C.E5", "C/E5", 1);
    check(&text, b"U*U", "bcrypt");
}

proptest! {
    #[test]
    fn parse_never_panics(text in "\\PC{0,80}") {
        let _ = PasswordHash::parse(&text);
    }

    #[test]
    fn near_misses_never_panic(
        name in "argon2id|argon2i|2b|scrypt|fbscrypt|pbkdf2-sha256|pbkdf2",
        fields in proptest::collection::vec("[a-z]{0,2}=?[0-9]{0,11}(,[a-z]{1,2}=[0-9A-Za-z+/=]{0,9}){0,4}", 0..5),
    ) {
        let _ = PasswordHash::parse(&format!("${name}${}", fields.join("$")));
    }

    #[test]
    fn ours_round_trip(password in proptest::collection::vec(any::<u8>(), 0..100), salt in any::<[u8; 16]>(), m_kib in 8u32..64, t in 1u32..3) {
        let mut scratch = Scratch::new();
        let params = Params { m_kib, t, p: 1 };
        let text = argon2id(&params, &password, &salt, &mut scratch).expect("hashes");
        let hash = PasswordHash::parse(&text).expect("parses");
        prop_assert!(hash.verify(&password, &mut scratch));
        let other = [password.as_slice(), b"x"].concat();
        prop_assert!(!hash.verify(&other, &mut scratch));
        prop_assert!(!hash.needs_upgrade(&params));
    }
}
