-- The journal: one row per transaction, each hashed over the one before it;
-- the other tables are its fold. And why each event that is not done is where
-- it is.

-- +goose Up
CREATE TABLE journal (
    sequence INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    changes  BLOB    NOT NULL, -- JSON lines, deflated
    hash     BLOB    NOT NULL
) STRICT;

ALTER TABLE meta ADD COLUMN hash BLOB NOT NULL DEFAULT x''; -- of the newest journal row

-- A keyed hash over everything that the source said of the order.
ALTER TABLE entries ADD COLUMN mark BLOB NOT NULL DEFAULT x'';

CREATE TABLE decisions (
    target       TEXT    NOT NULL, -- empty: it concerns the order at its source
    event        TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    bucket       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    detail       TEXT    NOT NULL, -- the rule's values
    origin       TEXT    NOT NULL,
    amount       TEXT,
    currency     TEXT    NOT NULL,
    completed_at INTEGER NOT NULL,
    mark         BLOB    NOT NULL,
    run          TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (target, event, source)
) STRICT, WITHOUT ROWID;


-- What a ledger has forgotten on purpose: orders completed before are held
-- back, never taken for unsent.
CREATE TABLE pruned (
    target TEXT    NOT NULL PRIMARY KEY,
    upto   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
