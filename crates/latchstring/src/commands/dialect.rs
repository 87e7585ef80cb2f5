//! `latchstring dialect`: vendors' APIs, and where they stand in this realm.

use super::time;
use crate::{
    cli::{self, SupabaseInit},
    config::Config,
    dialects::DIALECTS,
    failure::{Failure, typed},
    open, say,
};
use latchstring_core::{
    api_key::{self, ApiKey},
    audit::{Actor, Source},
    mount::{ANY_HOST, Enumeration, Mount},
    realm::Realm,
};
use latchstring_supabase::{
    FACE,
    config::{Line, MOST_BYTES, NAMES, Verdict},
    keys,
    set_up::{self, Done, Wish},
    settings::Settings,
};
use serde_json::{Value, json};
use std::{io::Read as _, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::Dialect) -> Result<(), Failure> {
    let realm = open::realm(&config).await?;
    let done = match what {
        cli::Dialect::List(args) => {
            list(&realm, args.json);
            Ok(())
        }
        cli::Dialect::Supabase(cli::Supabase::Init(args)) => init(&realm, args).await,
        cli::Dialect::Supabase(cli::Supabase::Show(args)) => show(&realm, args.json).await,
    };
    realm.db().shutdown().await;
    done
}

fn list(realm: &Realm, json: bool) {
    let mounts = realm.mounts();
    let of = |face: &str| mounts.iter().filter(|m| m.face == face).cloned().collect::<Vec<_>>();
    if json {
        let shown = |face: &str| of(face).iter().map(|mount| about(mount)).collect::<Vec<_>>();
        let all: Vec<Value> =
            DIALECTS.iter().map(|d| json!({ "dialect": d.face, "mounts": shown(d.face) })).collect();
        say::json(&json!({ "dialects": all }));
        return;
    }
    let mut rows = vec![["dialect", "mounts"].map(String::from).to_vec()];
    rows.extend(DIALECTS.iter().map(|dialect| {
        let names: Vec<String> = of(dialect.face).iter().map(|mount| mount.name()).collect();
        let init = || format!("none; `latchstring dialect {} init` makes one", dialect.face);
        vec![dialect.face.to_owned(), if names.is_empty() { init() } else { names.join(", ") }]
    }));
    say::out(say::table(&rows));
}

fn about(mount: &Mount) -> Value {
    json!({
        "mount": mount.name(), "id": mount.id, "issuer": mount.issuer, "enumeration": mount.enumeration.word(),
        "host": (mount.host != ANY_HOST).then_some(&mount.host),
    })
}

/// The options of each thing that may be refused, and what a settings file calls it.
fn options() -> Vec<(&'static str, &'static str)> {
    let flags = [
        ("host", "--host"),
        ("path", "--host"),
        ("site_url", "--site-url"),
        ("redirects", "--redirect"),
        ("enumeration", "--enumeration"),
        ("from", "--from"),
        ("signing_keys", "--signing-keys"),
    ];
    flags.into_iter().chain(NAMES.iter().copied()).collect()
}

/// A refusal with the name of the setting or option that is meant.
fn refused(error: latchstring_core::Error) -> Failure {
    let options = options();
    // Settings of the file are called by what stands there.
    let name = match &error {
        latchstring_core::Error::Refused(refusal) => {
            refusal.detail.param.as_deref().filter(|name| name.starts_with("auth")).map(ToOwned::to_owned)
        }
        latchstring_core::Error::Fault(_) => None,
    };
    let mut failure = typed(error, &options);
    if let Some(name) = name {
        failure.text = format!("{name}: {}", failure.text);
    }
    failure
}

/// The text of a file, up to a length that the readers of it take.
fn text(path: &Path, option: &str) -> Result<Zeroizing<String>, Failure> {
    let unreadable =
        |e: std::io::Error| Failure::usage(format!("{option}: {} can't be read: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

async fn init(realm: &Realm, args: SupabaseInit) -> Result<(), Failure> {
    let file = match &args.from {
        None => None,
        Some(path) => {
            let env = |name: &str| std::env::var(name).ok();
            let read = set_up::read(realm, &text(path, "--from")?, args.open_sign_up, &env).await;
            Some(read.map_err(refused)?)
        }
    };
    let mut signing_keys = Vec::new();
    if let Some(path) = &args.signing_keys {
        signing_keys = set_up::signing_keys(&text(path, "--signing-keys")?)
            .map_err(|refusal| refused(refusal.into()))?;
        if std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
            say::err(format_args!(
                "{} can be read by others on this machine, and whoever reads it can sign in as anybody: chmod 600 {}",
                path.display(),
                path.display()
            ));
        }
    }
    let wish = Wish {
        host: args.host,
        site_url: args.site_url,
        redirects: args.redirects,
        enumeration: args.enumeration.map(|mode| match mode {
            cli::Enumeration::Strict => Enumeration::Strict,
            cli::Enumeration::Vendor => Enumeration::Vendor,
        }),
        admit_signed_admins: args.admit_signed_admins,
        file,
        signing_keys,
        new_keys: args.new_keys,
    };
    let done = set_up::set_up(realm, Actor::Operator, &Source::default(), wish).await.map_err(refused)?;
    if args.json {
        say::json(&report(&done));
    } else {
        tell(&done, args.from.as_deref());
    }
    Ok(())
}

fn report(done: &Done) -> Value {
    let keys = done.keys.as_ref().map(|keys| {
        json!({
            "publishable": keys.publishable.as_str(), "secret": keys.secret.as_str(), "anon": keys.anon.as_str(),
            "service_role": keys.service_role.as_str(),
        })
    });
    let line =
        |line: &Line| json!({ "setting": line.setting, "verdict": line.verdict.word(), "says": line.says });
    json!({
        "mount": done.name, "id": done.mount, "made": done.made, "url": done.url, "issuer": done.issuer,
        "enumeration": done.enumeration.word(), "settings": done.settings, "keys": keys,
        "good_keys": done.good.iter().map(|key| json!({ "id": key.id, "role": key.role })).collect::<Vec<_>>(),
        "changed": done.changed.iter().map(|(name, old, new)| json!({ "setting": name, "from": old, "to": new }))
            .collect::<Vec<_>>(),
        "signing_keys": done.imported.iter()
            .map(|key| json!({ "kid": key.kid, "signs": key.signs, "imported": !key.known })).collect::<Vec<_>>(),
        "file": done.lines.iter().map(line).collect::<Vec<_>>(), "not_ours": done.others,
    })
}

fn tell(done: &Done, file: Option<&Path>) {
    if let Some(file) = file {
        say::out(format_args!("From {}:", file.display()));
        say::out(by_verdict(&done.lines));
        if !done.others.is_empty() {
            say::out(format_args!("  Not about signing in, and left alone:\n    {}", done.others.join(", ")));
        }
        say::out("");
    }
    if !done.changed.is_empty() {
        say::out("Settings of the realm that changed, for every face of it:");
        let row =
            |(name, old, new): &(String, Value, Value)| vec![format!("  {name}"), format!("{old} → {new}")];
        say::out(say::table(&done.changed.iter().map(row).collect::<Vec<_>>()));
        say::out("");
    }
    for key in &done.imported {
        let does = if key.signs { "signs from now on" } else { "verifies, until `latchstring keys revoke`" };
        let known = if key.known { "was there already; nothing changed" } else { does };
        say::out(format_args!("The key {} {known}.", key.kid));
    }
    say::out(format_args!(
        "{} {}, enumeration {}, issuer {}",
        if done.made { "Made the mount" } else { "The mount" },
        done.name,
        done.enumeration.word(),
        done.issuer
    ));
    say::out(format_args!("\n  URL          {}", done.url));
    match &done.keys {
        Some(keys) => {
            let (publishable, secret) = (keys.publishable.as_str(), keys.secret.as_str());
            say::out(format_args!("  publishable  {publishable}\n  secret       {secret}\n"));
            say::out(format_args!(
                "In the app:      createClient('{}', '{publishable}')\n\
                 In back ends:    the secret in place of the publishable key. It manages users: never in an app or a browser.",
                done.url
            ));
            say::out(format_args!(
                "\nIn place of the two, for what asks for keys of the older kind (a JWT each):\n\n  anon          {}\n  \
                 service_role  {}\n",
                keys.anon.as_str(),
                keys.service_role.as_str()
            ));
            say::out(
                "They are shown this once. `latchstring dialect supabase show` lists their ids; \
                 `latchstring api-key revoke` takes one back.",
            );
        }
        None => say::out(format_args!(
            "\nIts {} keys from before are good and stay so; they can't be shown again. --new-keys makes new ones beside \
             them, and `latchstring dialect supabase show` lists their ids.",
            done.good.len()
        )),
    }
    if done.settings.site_url.is_empty() {
        say::out("\nNo --site-url is set: requests that name no place to go to end at the mount itself.");
    }
}

/// What becomes of settings, by verdict; those of a section of which the same is said, together.
fn by_verdict(lines: &[Line]) -> String {
    const HEADINGS: [(Verdict, &str); 6] = [
        (Verdict::Taken, "Taken over"),
        (Verdict::Kept, "Kept as it is here"),
        (Verdict::NotYet, "Not there yet"),
        (Verdict::Never, "Decided elsewhere"),
        (Verdict::Off, "Off in the file, so nothing is lost"),
        (Verdict::Unknown, "Unknown"),
    ];
    let mut text = String::new();
    for (verdict, heading) in HEADINGS {
        let mut rows: Vec<(&str, Vec<&str>, &str)> = Vec::new();
        for line in lines.iter().filter(|line| line.verdict == verdict) {
            let (section, name) = line.setting.rsplit_once('.').unwrap_or(("", &line.setting));
            match rows.iter_mut().find(|(of, _, says)| *of == section && *says == line.says) {
                Some((_, names, _)) => names.push(name),
                None => rows.push((section, vec![name], &line.says)),
            }
        }
        if !rows.is_empty() {
            text.push_str(&format!("  {heading}:\n"));
        }
        for (section, names, says) in rows {
            match names.as_slice() {
                [name] => text.push_str(&format!("    {section}.{name}: {says}\n")),
                names => text.push_str(&format!("    {section} ({}): {says}\n", names.join(", "))),
            }
        }
    }
    text.trim_end().to_owned()
}

async fn show(realm: &Realm, json: bool) -> Result<(), Failure> {
    let mounts = realm.mounts();
    let keys = api_key::list(realm).await?;
    let now = realm.now();
    let of = |mount: &Mount| keys.iter().filter(|key| key.mount == Some(mount.id)).collect::<Vec<_>>();
    let mut shown = Vec::new();
    for mount in mounts.iter().filter(|mount| mount.face == FACE) {
        let settings = mount.settings::<Settings>()?;
        if json {
            let mut value = about(mount);
            value["settings"] = json!(*settings);
            value["keys"] = of(mount).into_iter().map(|key| key_shown(key, now)).collect();
            shown.push(value);
            continue;
        }
        let listed = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(" ") };
        let rows = [
            ("mount", mount.name()),
            ("issuer", mount.issuer.clone()),
            ("enumeration", mount.enumeration.word().into()),
            (
                "site URL",
                listed(&Vec::from_iter((!settings.site_url.is_empty()).then(|| settings.site_url.clone()))),
            ),
            ("redirects", listed(&settings.redirects)),
            ("access tokens", format!("{} seconds", settings.jwt_seconds)),
            ("e-mail", settings.email.to_string()),
            ("double confirm", settings.double_confirm.to_string()),
            ("admits signed admins", settings.admit_signed_admins.to_string()),
        ];
        say::out(say::table(&rows.map(|(name, value)| vec![name.to_owned(), value])));
        let mut rows = vec![["  key", "role", "form", "state", "last used"].map(String::from).to_vec()];
        rows.extend(of(mount).into_iter().map(|key| {
            let role = key.role.clone().unwrap_or_default();
            let used = key.used_at.map_or_else(|| "never".into(), time);
            let form = keys::form(&role, key.expires_at.is_some()).to_owned();
            vec![format!("  {}", key.id), role, form, super::api_key::state(key, now).into(), used]
        }));
        say::out(format_args!("{}\n", say::table(&rows)));
        shown.push(Value::Null);
    }
    if json {
        say::json(&json!({ "mounts": shown }));
    } else if shown.is_empty() {
        say::err("There is none yet. `latchstring dialect supabase init` makes one.");
    }
    Ok(())
}

fn key_shown(key: &ApiKey, now: i64) -> Value {
    json!({
        "id": key.id, "role": key.role,
        "form": keys::form(key.role.as_deref().unwrap_or_default(), key.expires_at.is_some()), "state": super::api_key::state(key, now), "created_at": time(key.created_at),
        "expires_at": key.expires_at.map(time), "used_at": key.used_at.map(time),
    })
}
