//! A population to measure with: written through core's own statements, before the server starts.

use crate::say;
use latchstring_core::{
    Result, browser,
    clock::{Micros, SECOND, Stopwatch, SystemClock},
    credential::SetBy,
    family::{self, Token},
    ground::Ground,
    hash::HashPool,
    id::{BrowserId, CredentialId, FamilyId, IdentifierId, SessionId, UserId},
    identifier::Identifier,
    random::SystemRandom,
    realm::{Opening, Realm},
    seal::Keys,
    secret::{Keyed, Password},
    session::{self, SessionKind},
    settings::Settings,
    token::mint::{self, Subject},
    user,
};
use std::sync::Arc;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "copper kettle seven lanterns";
/// Sessions and families to pick from.
const SESSIONS: usize = 10_000;

/// What the load generator has to know.
pub(crate) struct World {
    pub(crate) secret: String,
    pub(crate) cookie_name: String,
    pub(crate) cookies: Vec<String>,
    pub(crate) access: Vec<String>,
    pub(crate) refresh: Vec<String>,
    pub(crate) emails: Vec<String>,
}

impl World {
    pub(crate) async fn prepare(url: &str, port: u16, users: u64) -> std::result::Result<Self, String> {
        let watch = Stopwatch::start();
        let random = Arc::new(SystemRandom::default());
        let secret = Keys::generate(&*random).to_string();
        let keys = Arc::new(Keys::parse(&secret).map_err(|e| e.to_string())?);
        let ground = Ground::new(Arc::new(SystemClock), random.clone(), keys);
        let db = latchstring_db::Db::open(url, latchstring_db::Options::default())
            .await
            .map_err(|e| e.to_string())?;
        let hash = Arc::new(HashPool::new(2, 64, random).map_err(|e| e.to_string())?);
        let issuer = format!("http://localhost:{port}");
        let opening = Opening {
            db: db.clone(),
            ground,
            hash,
            issuer,
            dev: true,
            accept_new_url: true,
            breached: None,
            places: None,
        };
        let realm = Realm::open(opening).await.map_err(|e| e.to_string())?;
        loosen(&realm).await.map_err(|e| e.to_string())?;
        let init = latchstring_supabase::init::Init {
            host: None,
            enumeration: latchstring_core::mount::Enumeration::Strict,
            settings: latchstring_supabase::settings::Settings::default(),
        };
        let (actor, source) =
            (latchstring_core::audit::Actor::Operator, latchstring_core::audit::Source::default());
        latchstring_supabase::init::prepare(&realm, actor, &source, init).await.map_err(|e| e.to_string())?;
        let phc = realm.hash().hash(Password::new(PASSWORD.into()), realm.hash_params()).await;
        let phc = phc.map_err(|e| e.to_string())?;
        let world = fill(&realm, users, phc, port, secret).await.map_err(|e| e.to_string())?;
        db.shutdown().await;
        say(&format!("prepared             {users} users in {:.1} s", watch.elapsed().as_secs_f64()));
        Ok(world)
    }
}

/// Limits stay on, but one address may do what a thousand do.
async fn loosen(realm: &Realm) -> Result<()> {
    let now = realm.now();
    let (rev, settings) = realm
        .db()
        .write(async move |tx| -> Result<(i64, Settings)> {
            let (rev, body) = latchstring_core::settings::store::lock(tx, now).await?;
            let mut settings = Settings::from_json(&body)?;
            let many = latchstring_core::limit::Rate { burst: 1_000_000, per_seconds: 1 };
            settings.limits.attempts_by_address = many;
            settings.limits.passwords_by_address = many;
            settings.limits.tokens_by_address = many;
            // The run must not outlive its tokens.
            settings.token.access_seconds = 3_600;
            latchstring_core::settings::store::save(tx, &serde_json::to_string(&settings)?).await?;
            Ok((rev, settings))
        })
        .await?;
    realm.use_settings(rev, settings);
    Ok(())
}

#[derive(Clone)]
struct Person {
    user: UserId,
    email: Identifier,
    identifier: IdentifierId,
    credential: CredentialId,
    held: Option<Held>,
}

#[derive(Clone)]
struct Held {
    browser: Keyed,
    session: session::New,
    family: family::New,
}

async fn fill(realm: &Realm, users: u64, phc: String, port: u16, secret: String) -> Result<World> {
    let ground = realm.ground().clone();
    let mut world = World {
        secret,
        cookie_name: format!("latchstring-{port}"),
        cookies: Vec::new(),
        access: Vec::new(),
        refresh: Vec::new(),
        emails: Vec::new(),
    };
    // Few users share many sessions; a thousand users have ten each.
    let each = SESSIONS.div_ceil(usize::try_from(users).unwrap_or(SESSIONS).min(SESSIONS));
    let mut n = 0;
    while n < users {
        let mut people = Vec::new();
        for _ in 0..500.min(users - n) {
            let now = ground.now();
            let random = ground.random();
            let email = Identifier::email(&format!("user{n}@bench.example"))?;
            let user = UserId::new(now, random);
            let held = (world.cookies.len() < SESSIONS).then(|| hold(realm, user));
            if world.emails.len() < 1_000 {
                world.emails.push(email.typed.clone());
            }
            if let Some(held) = &held {
                note(realm, &mut world, held)?;
            }
            people.push(Person {
                user,
                email,
                identifier: IdentifierId::new(now, random),
                credential: CredentialId::new(now, random),
                held,
            });
            n += 1;
        }
        let phc = phc.clone();
        realm.db().write(async move |tx| -> Result<()> { put(tx, &people, &phc).await }).await?;
    }
    // The remaining sessions of a small population.
    if each > 1 {
        more(realm, &mut world).await?;
    }
    Ok(world)
}

async fn more(realm: &Realm, world: &mut World) -> Result<()> {
    let page = realm.db().read(async |tx| user::store::page(tx, None, 1_000).await).await?;
    while world.cookies.len() < SESSIONS {
        let mut held = Vec::new();
        for user in page.iter().take(SESSIONS - world.cookies.len()) {
            let one = hold(realm, user.user.id);
            note(realm, world, &one)?;
            held.push(one);
        }
        realm
            .db()
            .write(async move |tx| -> Result<()> {
                for one in &held {
                    put_held(tx, one).await?;
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

fn note(realm: &Realm, world: &mut World, held: &Held) -> Result<()> {
    world.cookies.push(held.browser.text().to_string());
    let subject = Subject {
        user: held.session.user,
        session: Some(held.session.id),
        auth_time: held.family.claims.auth_time,
        amr: &held.family.claims.amr,
        assurance: 1,
    };
    if world.access.len() < 1_000 {
        world.access.push(mint::access(realm, &subject)?.token.to_string());
    }
    let token = Token { family: held.family.id, counter: 1 };
    world.refresh.push(token.text(&realm.ground().keys).to_string());
    Ok(())
}

fn hold(realm: &Realm, user: UserId) -> Held {
    let ground = realm.ground();
    let now = ground.now();
    let browser = BrowserId::new(now, ground.random());
    let session = session::New {
        id: SessionId::new(now, ground.random()),
        user,
        kind: SessionKind::Browser,
        browser: Some(browser),
        client: None,
        mount: realm.mount(),
        methods: vec!["pwd".into()],
        assurance: 1,
        tasks: Vec::new(),
        claims: serde_json::json!({}),
        user_agent: Some("bench".into()),
        address: Some("127.0.0.1".into()),
        idle_us: Some(Realm::micros(14 * 86_400)),
        ends_at: Some(now + Realm::micros(30 * 86_400)),
    };
    let id = FamilyId::new(now, ground.random());
    let family = mint::family(id, &session, realm.issuer(), &realm.settings().1, now);
    Held { browser: Keyed::new(browser.0, ground.random()), session, family }
}

async fn put(tx: &mut latchstring_db::Tx, people: &[Person], phc: &str) -> Result<()> {
    for p in people {
        let now = made(p.user);
        user::store::insert(tx, p.user, user::UserKind::Person, now).await?;
        let new = latchstring_core::identifier::store::New {
            id: p.identifier,
            user: p.user,
            identifier: &p.email,
            proven_at: Some(now),
            asserted_by: None,
            is_primary: true,
        };
        latchstring_core::identifier::store::insert(tx, new, now).await?;
        latchstring_core::credential::store::set_password(
            tx,
            p.credential,
            p.user,
            phc,
            SetBy::User,
            true,
            now,
        )
        .await?;
        if let Some(held) = &p.held {
            put_held(tx, held).await?;
        }
    }
    Ok(())
}

async fn put_held(tx: &mut latchstring_db::Tx, held: &Held) -> Result<()> {
    let now = held.family.claims.auth_time * SECOND;
    let browser_id = BrowserId(held.browser.id);
    let hash = held.browser.hashed().0;
    session::store::insert(tx, &held.session, now).await?;
    let until = now + Realm::micros(30 * 86_400);
    browser::store::insert(tx, browser_id, &hash, Some("bench"), now, until).await?;
    browser::store::rotate(tx, browser_id, 1, &hash, Some(held.session.id), until).await?;
    family::store::insert(tx, &held.family, now).await
}

fn made(user: UserId) -> Micros {
    user.0.get_timestamp().map_or(0, |t| i64::try_from(t.to_unix().0).unwrap_or(0) * SECOND)
}
