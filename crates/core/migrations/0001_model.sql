-- The model of ARCHITECTURE.md, whole, before its faces exist.
-- Ids are UUIDv7 made in Rust (time-ordered, so that busy tables grow at one end); times are Unix microseconds;
-- JSON is TEXT. The runner respells types for SQLite and makes each table STRICT.

CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT,
    bytes BYTEA,
    number BIGINT
);

CREATE TABLE settings (
    id BIGINT NOT NULL PRIMARY KEY,
    rev BIGINT NOT NULL,
    body TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE mounts (
    id BYTEA NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    path TEXT NOT NULL,
    face TEXT NOT NULL,
    issuer TEXT NOT NULL,
    profile TEXT NOT NULL,
    cors TEXT NOT NULL,
    enumeration TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (host, path)
);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder BYTEA NOT NULL,
    until BIGINT NOT NULL
);

-- Key rings: one ring is the keys of one token kind of one mount.
CREATE TABLE rings (
    id BYTEA NOT NULL PRIMARY KEY,
    mount_id BYTEA NOT NULL REFERENCES mounts (id),
    purpose TEXT NOT NULL,
    alg TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (mount_id, purpose)
);

CREATE TABLE keys (
    id BYTEA NOT NULL PRIMARY KEY,
    ring_id BYTEA NOT NULL REFERENCES rings (id),
    kid TEXT NOT NULL,
    alg TEXT NOT NULL,
    state TEXT NOT NULL,
    origin TEXT NOT NULL,
    public TEXT,
    sealed BYTEA,
    created_at BIGINT NOT NULL,
    active_at BIGINT,
    retired_at BIGINT,
    drop_at BIGINT,
    UNIQUE (ring_id, kid)
);

CREATE TABLE users (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    status_until BIGINT,
    name TEXT,
    given_name TEXT,
    family_name TEXT,
    picture TEXT,
    locale TEXT,
    meta_public TEXT NOT NULL,
    meta_private TEXT NOT NULL,
    meta_own TEXT NOT NULL,
    valid_after BIGINT NOT NULL,
    auth_rev BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    signed_in_at BIGINT,
    delete_after BIGINT
);
CREATE INDEX users_delete ON users (delete_after) WHERE delete_after IS NOT NULL;
-- Pages that have a number: ids that come from elsewhere are in no order.
CREATE INDEX users_created ON users (created_at, id);

-- Ids of other systems, for any object.
CREATE TABLE aliases (
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    object_id BYTEA NOT NULL,
    is_primary BOOLEAN NOT NULL,
    PRIMARY KEY (kind, namespace, value)
);
CREATE INDEX aliases_object ON aliases (object_id);

CREATE TABLE identifiers (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    space TEXT NOT NULL,
    kind TEXT NOT NULL,
    typed TEXT NOT NULL,
    normal TEXT COLLATE "C" NOT NULL,
    is_primary BOOLEAN NOT NULL,
    proven_at BIGINT,
    asserted_at BIGINT,
    asserted_by TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (space, kind, normal)
);
CREATE INDEX identifiers_user ON identifiers (user_id);
-- Search over all kinds at once, by the beginning of the normal form.
CREATE INDEX identifiers_search ON identifiers (normal, user_id);

CREATE TABLE credentials (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    secret TEXT NOT NULL,
    label TEXT,
    body TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_proven BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX credentials_user ON credentials (user_id, kind);
-- Sign-ups whose address nobody has proven: the sweeper takes those that are old.
CREATE INDEX credentials_claims ON credentials (created_at) WHERE set_by = 'claim';
CREATE UNIQUE INDEX credentials_password ON credentials (user_id) WHERE kind = 'password';

CREATE TABLE factors (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    label TEXT,
    identifier_id BYTEA,
    sealed BYTEA,
    body TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    used_at BIGINT
);
CREATE INDEX factors_user ON factors (user_id);

CREATE TABLE connections (
    id BYTEA NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    sealed BYTEA,
    created_at BIGINT NOT NULL
);

CREATE TABLE identities (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection_id BYTEA NOT NULL REFERENCES connections (id),
    subject TEXT COLLATE "C" NOT NULL,
    claims TEXT NOT NULL,
    sealed BYTEA,
    set_proven BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    UNIQUE (connection_id, subject)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE clients (
    id BYTEA NOT NULL PRIMARY KEY,
    profile TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    sealed BYTEA,
    valid_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE apis (
    id BYTEA NOT NULL PRIMARY KEY,
    audience TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE grants (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id BYTEA NOT NULL REFERENCES clients (id),
    audiences TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (user_id, client_id)
);

CREATE TABLE organizations (
    id BYTEA NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE memberships (
    organization_id BYTEA NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE roles (
    id BYTEA NOT NULL PRIMARY KEY,
    organization_id BYTEA,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE role_permissions (
    role_id BYTEA NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    api_id BYTEA NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (role_id, api_id, permission)
);

CREATE TABLE role_holders (
    role_id BYTEA NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    holder_kind TEXT NOT NULL,
    holder_id BYTEA NOT NULL,
    organization_id BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (role_id, holder_kind, holder_id)
);

CREATE TABLE invitations (
    id BYTEA NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    typed TEXT NOT NULL,
    normal TEXT COLLATE "C" NOT NULL,
    organization_id BYTEA,
    body TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by BYTEA,
    revoked_at BIGINT
);
CREATE INDEX invitations_normal ON invitations (normal);
CREATE INDEX invitations_expiry ON invitations (expires_at);
CREATE INDEX invitations_accepted ON invitations (accepted_by) WHERE accepted_by IS NOT NULL;

-- A cookie jar or native install. Time-ordered key in the cookie beside the secret whose hash stands here.
CREATE TABLE browsers (
    id BYTEA NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    current_session BYTEA,
    device_key TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
); -- without rowid
CREATE INDEX browsers_expiry ON browsers (expires_at);

CREATE TABLE browser_users (
    browser_id BYTEA NOT NULL REFERENCES browsers (id) ON DELETE CASCADE,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    known_at BIGINT NOT NULL,
    trusted_until BIGINT,
    PRIMARY KEY (browser_id, user_id)
); -- without rowid
CREATE INDEX browser_users_user ON browser_users (user_id);

CREATE TABLE attempts (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    mount_id BYTEA NOT NULL,
    state TEXT NOT NULL,
    binding TEXT NOT NULL,
    bound_to BYTEA,
    handle BYTEA,
    sink TEXT NOT NULL,
    user_id BYTEA,
    session_id BYTEA,
    auth_rev BIGINT,
    identifier_kind TEXT,
    identifier_typed TEXT,
    identifier_normal TEXT,
    proofs TEXT NOT NULL,
    body TEXT NOT NULL,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    completed_at BIGINT
); -- without rowid
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE INDEX attempts_user ON attempts (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE challenges (
    id BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    typed TEXT NOT NULL,
    normal TEXT COLLATE "C" NOT NULL,
    user_id BYTEA,
    attempt_id BYTEA,
    auth_rev BIGINT,
    code BYTEA NOT NULL,
    link BYTEA NOT NULL,
    body TEXT NOT NULL,
    tries_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
); -- without rowid
CREATE INDEX challenges_newest ON challenges (purpose, normal, id);
CREATE INDEX challenges_attempt ON challenges (attempt_id);
CREATE INDEX challenges_user ON challenges (user_id);
CREATE INDEX challenges_expiry ON challenges (expires_at);

CREATE TABLE sessions (
    id BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    browser_id BYTEA,
    client_id BYTEA,
    mount_id BYTEA NOT NULL,
    auth_at BIGINT NOT NULL,
    methods TEXT NOT NULL,
    assurance BIGINT NOT NULL,
    tasks TEXT NOT NULL,
    claims TEXT NOT NULL,
    organization_id BYTEA,
    actor TEXT,
    user_agent TEXT,
    address TEXT,
    idle_us BIGINT,
    active_at BIGINT NOT NULL,
    ends_at BIGINT,
    rev BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT
); -- without rowid
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_browser ON sessions (browser_id) WHERE browser_id IS NOT NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_ends ON sessions (ends_at) WHERE ended_at IS NULL AND ends_at IS NOT NULL;

-- A chain of refresh tokens. The tokens themselves are derived, so a rotation is one UPDATE of the counter.
CREATE TABLE families (
    id BYTEA NOT NULL PRIMARY KEY,
    session_id BYTEA,
    grant_id BYTEA,
    user_id BYTEA NOT NULL,
    client_id BYTEA,
    mount_id BYTEA NOT NULL,
    profile TEXT NOT NULL,
    counter BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    audiences TEXT NOT NULL,
    claims TEXT NOT NULL,
    bound_key TEXT,
    idle_us BIGINT,
    idle_at BIGINT,
    ends_at BIGINT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT
); -- without rowid
CREATE INDEX families_session ON families (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX families_user ON families (user_id);
CREATE INDEX families_ended ON families (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX families_ends ON families (ends_at) WHERE ended_at IS NULL AND ends_at IS NOT NULL;
-- The sweeper goes round these. Not by last use: a refresh must not have to move an index entry.
CREATE INDEX families_endless ON families (id) WHERE ended_at IS NULL AND ends_at IS NULL;

-- What has ended, for as long as a token from before could still be inside its lifetime.
CREATE TABLE ended (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    object_id BYTEA NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    position BIGINT
); -- without rowid
CREATE INDEX ended_at ON ended (at);
CREATE INDEX ended_unplaced ON ended (id) WHERE position IS NULL AND kind <> 'browser';
CREATE UNIQUE INDEX ended_position ON ended (position) WHERE position IS NOT NULL;
CREATE INDEX ended_expiry ON ended (keep_until);
-- Nodes that listen look at once; the others, and those who miss it, at their next poll.
-- only: postgres
CREATE FUNCTION latchstring_tell_ended() RETURNS trigger AS $$
BEGIN
    PERFORM pg_notify('latchstring_ended', '');
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
-- only: postgres
CREATE TRIGGER latchstring_ended AFTER INSERT ON ended FOR EACH STATEMENT EXECUTE FUNCTION latchstring_tell_ended();

CREATE TABLE api_keys (
    id BYTEA NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    -- A key of a dialect's mount, and what it is there.
    mount_id BYTEA,
    role TEXT,
    permissions TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE annotations (
    object_id BYTEA NOT NULL,
    mount_kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (object_id, mount_kind)
);

CREATE TABLE tickets (
    hash BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_id BYTEA REFERENCES users (id) ON DELETE CASCADE,
    -- What it is bound to beside the user, such as the address that it was sent to.
    about TEXT,
    body TEXT NOT NULL,
    -- Of one user's tickets, later ones have a later time, whatever the clocks of the nodes say.
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
);
CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE audits (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    target_kind TEXT,
    target_id BYTEA,
    detail TEXT NOT NULL,
    address TEXT,
    request_id TEXT,
    coalesce_key BYTEA,
    count BIGINT NOT NULL
); -- without rowid
CREATE INDEX audits_target ON audits (target_id, id);
-- What owners are shown comes from these. Most rows are sign-ins, and none of them.
CREATE INDEX audits_changes ON audits (target_id, action, id)
    WHERE outcome = 'done' AND action <> 'session.began';
CREATE UNIQUE INDEX audits_coalesce ON audits (coalesce_key) WHERE coalesce_key IS NOT NULL;

CREATE TABLE jobs (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    sealed BYTEA,
    run_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    holder BYTEA,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    failed_at BIGINT,
    last_error TEXT
); -- without rowid
CREATE INDEX jobs_due ON jobs (run_at) WHERE done_at IS NULL AND failed_at IS NULL;
CREATE INDEX jobs_done ON jobs (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX jobs_failed ON jobs (failed_at) WHERE failed_at IS NOT NULL;

CREATE TABLE limits (
    key BYTEA NOT NULL PRIMARY KEY,
    tat BIGINT NOT NULL
); -- without rowid
CREATE INDEX limits_tat ON limits (tat);

-- Failed proofs in a row, per (account or source, method).
CREATE TABLE throttles (
    key BYTEA NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
); -- without rowid
CREATE INDEX throttles_updated ON throttles (updated_at);
