-- Times are UTC microseconds since 1970. Amounts are canonical decimal text.
-- Text compares byte by byte (BINARY, the default).

-- +goose Up
CREATE TABLE meta (
    one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    ledger      TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL, -- one more with every commit
    environment TEXT    NOT NULL,
    key_mark    BLOB    NOT NULL, -- tells whether the person key is the right one
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    run         TEXT    NOT NULL PRIMARY KEY,
    host        TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    started     INTEGER NOT NULL,
    window_from INTEGER NOT NULL,
    window_to   INTEGER NOT NULL,
    beat        INTEGER NOT NULL,
    finished    INTEGER,
    exit        INTEGER,
    summary     BLOB
) STRICT;

CREATE TABLE entries (
    target          TEXT    NOT NULL,
    event           TEXT    NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    state           TEXT    NOT NULL CHECK (state IN ('open', 'claimed', 'done', 'refused', 'doubtful')),
    lost            INTEGER NOT NULL, -- doubtful because its run died
    done_by         TEXT    NOT NULL,
    who             TEXT    NOT NULL, -- the evidence, or the person, that said so
    note            TEXT    NOT NULL,
    said_at         INTEGER NOT NULL, -- when it was sent, as far as the evidence says
    run             TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    person          BLOB    NOT NULL, -- keyed hash
    amount          TEXT,
    currency        TEXT    NOT NULL,
    amount_of       TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    completed_at    INTEGER NOT NULL,
    store           TEXT    NOT NULL,
    digest          BLOB    NOT NULL,
    cosmetic        BLOB    NOT NULL,
    cosmetic_fields TEXT    NOT NULL,
    payload         BLOB    NOT NULL, -- keyed hash
    shown           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    not_before      INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    receipt         TEXT    NOT NULL,
    before          TEXT    NOT NULL, -- while claimed: the entry before the claim, as JSON
    PRIMARY KEY (target, event)
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_unfinished ON entries (target, completed_at) WHERE state <> 'done';
CREATE INDEX entries_claimed    ON entries (target, run)          WHERE state = 'claimed';
CREATE INDEX entries_cart       ON entries (target, person)       WHERE kind = 'cart';
CREATE INDEX entries_receipt    ON entries (at)                   WHERE receipt <> '';

CREATE TABLE attempts (
    attempt INTEGER NOT NULL PRIMARY KEY,
    target  TEXT    NOT NULL,
    event   TEXT    NOT NULL,
    run     TEXT    NOT NULL,
    version INTEGER NOT NULL, -- of the claim that it was made under
    at      INTEGER NOT NULL,
    verdict TEXT    NOT NULL,
    status  INTEGER NOT NULL,
    code    TEXT    NOT NULL,
    receipt TEXT    NOT NULL,
    late    INTEGER NOT NULL, -- the entry had moved on
    lost    INTEGER NOT NULL  -- recorded for a run that died
) STRICT;

CREATE INDEX attempts_event   ON attempts (target, event);
CREATE INDEX attempts_receipt ON attempts (at) WHERE receipt <> '';

CREATE TABLE coverage (
    target TEXT    NOT NULL,
    mode   TEXT    NOT NULL,
    source TEXT    NOT NULL,
    upto   INTEGER NOT NULL,
    PRIMARY KEY (target, mode, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence_days (
    evidence TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (evidence, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE shops (
    shop TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
