//! `latchstring user`: what an operator does about users on the server's machine.

use super::time;
use crate::{
    cli,
    config::Config,
    failure::{Failure, typed},
    open, say,
};
use latchstring_core::{
    Error, Kind, account,
    admin::users::{self, NewSecret, NewUser},
    audit::{Actor, Source},
    id::UserId,
    identifier::{self, Identifier},
    realm::Realm,
    secret::Password,
    user::{Full, ProfileChange, UserKind},
};
use std::io::Read;
use zeroize::Zeroizing;

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::User) -> Result<(), Failure> {
    let realm = open::realm(&config).await?;
    let done = match what {
        cli::User::Create(args) => create(&realm, args).await,
        cli::User::List(args) => list(&realm, &args).await,
        cli::User::Show(args) => show(&realm, &args).await,
        cli::User::Ban(args) => ban(&realm, args).await,
        cli::User::Unban(args) => unban(&realm, &args).await,
        cli::User::Delete(args) => delete(&realm, &args).await,
        cli::User::SetPassword(args) => set_password(&realm, &args).await,
    };
    realm.db().shutdown().await;
    done
}

/// Longest password that is read at all; the realm's own bound is lower.
const LONGEST: u64 = 64 * 1024;

/// Reads a password from standard input, without the line end that `echo` adds.
fn password() -> Result<Password, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|e| Failure::failed(format!("the password can't be read from standard input: {e}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::usage(
            "there is no password on standard input. Pipe it in: printf %s \"$PASSWORD\" | …",
        ));
    }
    Ok(Password::new(text.to_owned()))
}

/// What a password is to whoever pipes it in.
const STDIN: (&str, &str) = ("password", "the password on standard input");

async fn create(realm: &Realm, args: cli::UserCreate) -> Result<(), Failure> {
    let wrong = |error| typed(error, &[("name", "--name"), STDIN]);
    let email = args.email.as_deref().map(Identifier::email).transpose();
    let username = args.username.as_deref().map(Identifier::username).transpose();
    let (email, username) = (
        email.map_err(|e| typed(e, &[("identifier", "--email")]))?,
        username.map_err(|e| typed(e, &[("username", "--username")]))?,
    );
    let secret = if args.password_stdin { Some(NewSecret::Password(password()?)) } else { None };
    let new = NewUser {
        id: None,
        email,
        email_asserted: true,
        username,
        secret,
        profile: ProfileChange { name: args.name.map(Some), ..ProfileChange::default() },
        ..NewUser::default()
    };
    let given = [("email", args.email.as_deref()), ("username", args.username.as_deref())];
    let full =
        users::create(realm, Actor::Operator, &Source::default(), new).await.map_err(|e| match &e {
            Error::Refused(refusal) if refusal.kind == Kind::IdentifierTaken => {
                let taken = given.iter().find(|(member, _)| refusal.detail.param.as_deref() == Some(*member));
                match taken {
                    Some((member, Some(text))) => Failure::failed(format!(
                        "--{member}: a user has “{text}” already. `latchstring user show {text}` shows them"
                    )),
                    _ => wrong(e),
                }
            }
            _ => wrong(e),
        })?;
    print(realm, &full, args.json);
    if args.json || full.has_password {
        return Ok(());
    }
    match full.username() {
        Some(username) if full.email().is_none() => say::err(format_args!(
            "They can't sign in yet: they have no password, and no address for a code. Set a password:\n  \
             printf %s \"$PASSWORD\" | latchstring user set-password {} --password-stdin",
            username.typed
        )),
        _ => say::err("They have no password: they sign in by a code that is mailed to them."),
    }
    Ok(())
}

async fn list(realm: &Realm, args: &cli::UserList) -> Result<(), Failure> {
    let mut found: Vec<Full> = Vec::new();
    let mut cursor = None;
    let most = args.limit as usize;
    let more = loop {
        let left = most - found.len();
        let page =
            i64::try_from(left).unwrap_or(latchstring_core::page::MOST).min(latchstring_core::page::MOST);
        let page = users::list(realm, args.begins_with.as_deref(), cursor.as_deref(), page)
            .await
            .map_err(|e| typed(e, &[("q", "--begins-with")]))?;
        found.extend(page.users);
        cursor = page.next;
        if cursor.is_none() || found.len() >= most {
            break cursor.is_some();
        }
    };
    let now = realm.now();
    if args.json {
        let users: Vec<_> = found.iter().map(|full| shown(full, now)).collect();
        say::json(&serde_json::json!({ "users": users, "more": more }));
        return Ok(());
    }
    if found.is_empty() {
        say::err("There is none. `latchstring user create --email …` makes one.");
        return Ok(());
    }
    let mut rows = vec![["id", "email", "username", "status", "created"].map(String::from).to_vec()];
    rows.extend(found.iter().map(|full| {
        let text =
            |stored: Option<&identifier::Stored>| stored.map_or_else(|| "-".into(), |s| s.typed.clone());
        let status = status(full, now).to_owned();
        vec![
            full.user.id.to_string(),
            text(full.email()),
            text(full.username()),
            status,
            time(full.user.created_at),
        ]
    }));
    say::out(say::table(&rows));
    if more {
        say::err(format_args!("There are more than {most}: raise --limit, or narrow by --begins-with."));
    }
    Ok(())
}

/// The user that somebody means by an id, an address or a username.
async fn find(realm: &Realm, text: &str) -> Result<Full, Failure> {
    let missing =
        || Failure::failed(format!("there is no user “{text}”. `latchstring user list` shows them"));
    let id = match text.parse::<UserId>() {
        Ok(id) => id,
        Err(_) => {
            let identifier = Identifier::any(text).map_err(|e| {
                let why = typed(e, &[]).text;
                Failure::usage(format!("“{text}” is no id, address or username of a user: {why}"))
            })?;
            let stored = realm
                .db()
                .read(async |tx| identifier::store::find(tx, identifier.kind, &identifier.normal).await)
                .await?;
            stored.ok_or_else(missing)?.user
        }
    };
    users::read(realm, id)
        .await
        .map_err(|e| if e.kind() == Some(Kind::NotFound) { missing() } else { e.into() })
}

async fn show(realm: &Realm, args: &cli::UserOne) -> Result<(), Failure> {
    let full = find(realm, &args.user).await?;
    print(realm, &full, args.json);
    Ok(())
}

async fn ban(realm: &Realm, args: cli::UserBan) -> Result<(), Failure> {
    let id = find(realm, &args.one.user).await?.user.id;
    let until = args.until.map(|at| at.as_microsecond());
    let full = users::ban(realm, Actor::Operator, &Source::default(), id, until, args.reason)
        .await
        .map_err(|e| typed(e, &[("until", "--until"), ("reason", "--reason")]))?;
    print(realm, &full, args.one.json);
    Ok(())
}

async fn unban(realm: &Realm, args: &cli::UserOne) -> Result<(), Failure> {
    let id = find(realm, &args.user).await?.user.id;
    let full = users::unban(realm, Actor::Operator, &Source::default(), id).await?;
    print(realm, &full, args.json);
    Ok(())
}

async fn delete(realm: &Realm, args: &cli::UserDelete) -> Result<(), Failure> {
    let full = find(realm, &args.one.user).await?;
    let id = full.user.id;
    if !args.yes {
        print(realm, &full, false);
        return Err(Failure::usage(
            "this deletes them for good, with everything that is theirs. If you mean it, add --yes",
        ));
    }
    account::delete(realm, id, Actor::Operator, &Source::default()).await?;
    if args.one.json {
        say::json(&serde_json::json!({ "id": id, "deleted": true }));
    } else {
        say::out(format_args!("{id} is deleted."));
    }
    Ok(())
}

async fn set_password(realm: &Realm, args: &cli::UserSetPassword) -> Result<(), Failure> {
    let id = find(realm, &args.one.user).await?.user.id;
    let secret = NewSecret::Password(password()?);
    users::set_password(realm, Actor::Operator, &Source::default(), id, secret)
        .await
        .map_err(|e| typed(e, &[STDIN]))?;
    if args.one.json {
        say::json(&serde_json::json!({ "id": id, "password_set": true }));
    } else {
        say::out(format_args!("{id} has the new password, and their sessions have ended."));
    }
    Ok(())
}

fn status(full: &Full, now: i64) -> &'static str {
    match (full.user.is_banned(now), full.user.kind) {
        (true, _) => "banned",
        (false, UserKind::Guest) => "guest",
        (false, UserKind::Person) => "active",
    }
}

fn shown(full: &Full, now: i64) -> serde_json::Value {
    let user = &full.user;
    let text = |stored: Option<&identifier::Stored>| stored.map(|s| s.typed.clone());
    serde_json::json!({
        "id": user.id, "email": text(full.email()),
        "email_proven": full.email().map(|e| e.proven_at.is_some()),
        "email_asserted": full.email().map(|e| e.asserted_at.is_some()),
        "username": text(full.username()), "name": user.name, "status": status(full, now),
        "banned_until": user.status_until.filter(|_| user.is_banned(now)).map(time),
        "ban_reason": user.status_reason.as_ref().filter(|_| user.is_banned(now)),
        "has_password": full.has_password, "created_at": time(user.created_at),
        "signed_in_at": user.signed_in_at.map(time),
    })
}

fn print(realm: &Realm, full: &Full, json: bool) {
    let value = shown(full, realm.now());
    if json {
        return say::json(&value);
    }
    // What tells people apart stands first.
    const ORDER: [&str; 12] = [
        "id",
        "email",
        "email_proven",
        "email_asserted",
        "username",
        "name",
        "status",
        "banned_until",
        "ban_reason",
        "has_password",
        "created_at",
        "signed_in_at",
    ];
    let mut rows = Vec::new();
    for name in ORDER {
        let text = match &value[name] {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Bool(true) => "yes".into(),
            serde_json::Value::Bool(false) => "no".into(),
            other => other.to_string(),
        };
        rows.push(vec![name.replace('_', " "), text]);
    }
    say::out(say::table(&rows));
}
