-- A certificate that a certificate authority has made by ACME (RFC 8555), with the account there: one for all nodes.
CREATE TABLE certificates (
    name TEXT NOT NULL PRIMARY KEY,
    -- Where the account is; and of the certificate, where it is from and for which hosts.
    directory TEXT NOT NULL,
    wanted TEXT NOT NULL,
    -- Sealed.
    account BYTEA,
    -- PEM, and the sealed key of it.
    chain TEXT,
    private BYTEA,
    begins_at BIGINT,
    ends_at BIGINT,
    -- Orders that failed one after the other, and when the next may begin.
    failures BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    -- Moves when the certificate changes.
    rev BIGINT NOT NULL
);

-- What the authority asks for while an order is under way. Every node answers for each.
CREATE TABLE certificate_proofs (
    token TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    answer TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
