//! Query plans: every statement of every store is served by an index, on both databases. The statements are read from
//! the sources, so that a new one is looked at without anybody's doing.

use latchstring_core::{Result, testing::TestRealm};
use latchstring_db::{Engine, Param};
use std::path::{Path, PathBuf};

/// Statements that may look at a whole table, by their beginning, and why.
const WHOLE_TABLES: &[(&str, &str)] = &[
    (
        "SELECT id, hash, name, permissions, created_by, created_at, expires_at, used_at, revoked_at, mount_id, role FROM api_keys ORDER BY",
        "lists all keys, in the order of ids",
    ),
    (
        "SELECT id, host, path, face, issuer, enumeration, body FROM mounts",
        "a handful, read when one changes",
    ),
    ("SELECT count(*) FROM users", "the total beside pages that have a number, for back ends"),
    ("SELECT p.id, u.kind,", "such a page: those before it are counted in the index of its order"),
    ("SELECT 1 FROM api_keys WHERE mount_id IS NULL", "once a start, over few keys"),
    ("SELECT count(*), min(created_at) FROM jobs", "by the partial index of what waits"),
    ("SELECT 1 FROM ended WHERE position IS NULL", "by the partial index of what waits"),
    ("SELECT id FROM ended WHERE position IS NULL", "by the partial index of what waits"),
    ("SELECT host, answer FROM certificate_proofs", "a handful, while an order is under way"),
    ("DELETE FROM tickets WHERE purpose", "once a start while there is no key"),
    ("UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at", "once after a backup was put back"),
    ("UPDATE families SET ended_at = $1, end_reason = $2 WHERE ended_at", "once after a backup was put back"),
    ("UPDATE attempts SET state = 'cancelled' WHERE state", "once after a backup was put back"),
    ("UPDATE challenges SET spent_at = $1 WHERE spent_at", "once after a backup was put back"),
    ("DELETE FROM browser_users", "once after a backup was put back"),
    ("DELETE FROM tickets WHERE spent_at", "once after a backup was put back"),
    ("DELETE FROM api_keys WHERE revoked_at", "a handful of keys, every ten seconds"),
    ("UPDATE keys SET sealed = NULL", "a handful of keys, every ten seconds"),
];

fn stores(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            stores(&path, found);
        } else if path.file_name().is_some_and(|name| name == "store.rs") {
            found.push(path);
        }
    }
}

/// The string literals that are statements, with white space made one.
fn statements(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for verb in ["SELECT ", "INSERT ", "UPDATE ", "DELETE "] {
        for (at, _) in source.match_indices(&format!("\"{verb}")) {
            let rest = &source[at + 1..];
            let end = rest.find('"').expect("the literal ends");
            found.push(rest[..end].split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    found
}

#[tokio::test]
async fn every_statement_is_served_by_an_index() {
    let test = TestRealm::new().await;
    let engine = test.realm.db().engine();
    let mut files = Vec::new();
    stores(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut all = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(&file).expect("the source can be read");
        all.extend(statements(&source));
    }
    assert!(
        all.len() > 120,
        "only {} statements were found; has the way they are written changed?",
        all.len()
    );
    let mut bad = Vec::new();
    let mut excused = vec![false; WHOLE_TABLES.len()];
    for sql in all.iter().filter(|sql| engine == Engine::Postgres || !sql.contains("SKIP LOCKED")) {
        let plan = match engine {
            Engine::Sqlite => sqlite_plan(&test, sql).await,
            Engine::Postgres => postgres_plan(&test, sql).await,
        };
        let plan = plan.unwrap_or_else(|e| panic!("{sql}\n{e:?}"));
        if plan.iter().any(|step| reads_all(step)) {
            match WHOLE_TABLES.iter().position(|(beginning, _)| sql.starts_with(beginning)) {
                Some(n) => excused[n] = true,
                None => bad.push(format!("{sql}\n    {}", plan.join("\n    "))),
            }
        }
    }
    assert!(
        bad.is_empty(),
        "these statements read a whole table. Give each an index, or put its beginning with a reason into WHOLE_TABLES:\n{}",
        bad.join("\n")
    );
    assert!(
        excused.contains(&true),
        "no statement at all reads a whole table: is the plan still read rightly?"
    );
    // PostgreSQL needs fewer excuses: it reads some of these in the order of an index.
    for (n, (beginning, why)) in WHOLE_TABLES.iter().enumerate().filter(|_| engine == Engine::Sqlite) {
        assert!(excused[n], "“{beginning}” needs no excuse ({why}): take it out of WHOLE_TABLES");
    }
}

/// Whether a step of a plan reads a whole table.
fn reads_all(step: &str) -> bool {
    // One letter is the name of a page that a subquery has already cut out.
    let page = step.strip_prefix("SCAN ").is_some_and(|name| name.len() == 1);
    step.contains("Seq Scan on") || (step.starts_with("SCAN") && !page && !step.starts_with("SCAN CONSTANT"))
}

fn parameters(sql: &str) -> usize {
    (1..100).take_while(|n| sql.contains(&format!("${n}"))).count()
}

/// A test's process ends soon: what is leaked here is a few kilobytes.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

async fn sqlite_plan(test: &TestRealm, sql: &str) -> Result<Vec<String>> {
    let most = parameters(sql);
    let explain = leak(format!("EXPLAIN QUERY PLAN {sql}"));
    test.realm
        .db()
        .read(async |tx| -> Result<Vec<String>> {
            let nothing: Option<i64> = None;
            let args: Vec<&dyn Param> = (0..most).map(|_| &nothing as &dyn Param).collect();
            tx.all(explain, &args).await?.iter().map(|row| Ok(row.get(3)?)).collect()
        })
        .await
}

/// The plan for any values. Tables of tests are so small that reading all of one would be the cheapest: that is made
/// dear, so it is left only where no index serves.
async fn postgres_plan(test: &TestRealm, sql: &str) -> Result<Vec<String>> {
    let nothing = vec!["NULL"; parameters(sql)].join(", ");
    let call = if nothing.is_empty() { "looked_at".to_owned() } else { format!("looked_at ({nothing})") };
    // Within quotes, so that the parameters are not taken for those of this call.
    let prepare = leak(format!("DO $do$ BEGIN EXECUTE $sql$PREPARE looked_at AS {sql}$sql$; END $do$"));
    let explain = leak(format!("EXPLAIN EXECUTE {call}"));
    test.realm
        .db()
        .write(async move |tx| -> Result<Vec<String>> {
            tx.exec("SET LOCAL enable_seqscan = off", &[]).await?;
            tx.exec("SET LOCAL plan_cache_mode = force_generic_plan", &[]).await?;
            tx.exec(prepare, &[]).await?;
            let plan = tx.all(explain, &[]).await?;
            tx.exec("DEALLOCATE looked_at", &[]).await?;
            plan.iter().map(|row| Ok(row.get(0)?)).collect()
        })
        .await
}

/// A partial index that is not used would make the sweeper read every living family each time.
#[tokio::test]
async fn the_round_of_families_reads_those_without_an_end_only() {
    let test = TestRealm::new().await;
    let source = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("sweep").join("store.rs"),
    )
    .expect("the source can be read");
    let of_families: Vec<_> = statements(&source)
        .into_iter()
        .filter(|sql| sql.contains("families") && sql.contains("ends_at IS NULL"))
        .collect();
    assert_eq!(of_families.len(), 2, "{of_families:#?}");
    for sql in of_families {
        let plan = match test.realm.db().engine() {
            Engine::Sqlite => sqlite_plan(&test, &sql).await,
            Engine::Postgres => postgres_plan(&test, &sql).await,
        };
        let plan = plan.expect("a plan");
        assert!(plan.iter().any(|step| step.contains("families_endless")), "{sql}\n{plan:#?}");
    }
}

/// By the index of all rows of an account, each look at it would read all its sign-ins.
#[tokio::test]
async fn the_changes_of_an_account_are_found_by_their_kind() {
    let test = TestRealm::new().await;
    let source = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("audit").join("store.rs"),
    )
    .expect("the source can be read");
    let changes: Vec<_> =
        statements(&source).into_iter().filter(|sql| sql.contains("action <> 'session.began'")).collect();
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let plan = match test.realm.db().engine() {
        Engine::Sqlite => sqlite_plan(&test, &changes[0]).await,
        Engine::Postgres => postgres_plan(&test, &changes[0]).await,
    };
    let plan = plan.expect("a plan");
    assert!(plan.iter().any(|step| step.contains("audits_changes")), "{plan:#?}");
}

/// A page that has a number counts the users before it: in the index of its order, and without sorting all of them.
#[tokio::test]
async fn pages_by_number_are_read_in_the_order_of_an_index() {
    let test = TestRealm::new().await;
    let source = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("user").join("store.rs"),
    )
    .expect("the source can be read");
    let pages: Vec<_> = statements(&source).into_iter().filter(|sql| sql.contains("OFFSET")).collect();
    assert_eq!(pages.len(), 2, "{pages:#?}");
    for sql in pages {
        // The inner part alone: the rows of the page itself are sorted with what is joined to them.
        let from = sql.find("(SELECT id, created_at").expect("the page") + 1;
        let end = sql.find(") p").expect("its end");
        let inner = sql[from..end].replace("$4", "$3").replace("$5", "$4");
        let plan = match test.realm.db().engine() {
            Engine::Sqlite => sqlite_plan(&test, &inner).await,
            Engine::Postgres => postgres_plan(&test, &inner).await,
        };
        let plan = plan.expect("a plan");
        assert!(plan.iter().any(|step| step.contains("users_created")), "{sql}\n{plan:#?}");
        let sorts = |step: &String| step.contains("Sort") || step.contains("ORDER BY");
        assert!(!plan.iter().any(sorts), "{sql}\n{plan:#?}");
    }
}
