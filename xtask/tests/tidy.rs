//! The workspace itself is tidy. What each check can find is tested beside the check.
use std::process::Command;

#[test]
fn the_workspace_is_tidy() {
    let out = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("tidy").output().expect("xtask starts");
    assert!(out.status.success(), "\n{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn an_unknown_command_is_a_usage_error_with_a_hint() {
    let out = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("tydi").output().expect("xtask starts");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("Did you mean `tidy`?"));
}
