-- What people said that outlives a run: a destination pauses, a problem is
-- known, a question was answered. And how many orders each source and store
-- had on each day, to know what is usual.

-- +goose Up
CREATE TABLE words (
    kind   TEXT    NOT NULL, -- pause, accept, decide
    target TEXT    NOT NULL, -- empty: all, or none
    about  TEXT    NOT NULL, -- an event, a question, or empty
    value  TEXT    NOT NULL,
    until  INTEGER NOT NULL, -- it holds no longer
    who    TEXT    NOT NULL,
    note   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (kind, target, about)
) STRICT, WITHOUT ROWID;

CREATE TABLE source_days (
    source TEXT    NOT NULL,
    store  TEXT    NOT NULL, -- empty: all stores together
    day    TEXT    NOT NULL, -- in the configured zone
    orders INTEGER NOT NULL,
    PRIMARY KEY (source, store, day)
) STRICT, WITHOUT ROWID;
