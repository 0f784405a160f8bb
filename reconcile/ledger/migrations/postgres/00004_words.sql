-- What people said that outlives a run: a destination pauses, a problem is
-- known, a question was answered. And how many orders each source and store
-- had on each day, to know what is usual.

-- +goose Up
CREATE TABLE words (
    kind   text   COLLATE "C" NOT NULL, -- pause, accept, decide
    target text   COLLATE "C" NOT NULL, -- empty: all, or none
    about  text   COLLATE "C" NOT NULL, -- an event, a question, or empty
    value  text   COLLATE "C" NOT NULL,
    until  bigint NOT NULL, -- it holds no longer
    who    text   COLLATE "C" NOT NULL,
    note   text   COLLATE "C" NOT NULL,
    at     bigint NOT NULL,
    PRIMARY KEY (kind, target, about)
);

CREATE TABLE source_days (
    source text   COLLATE "C" NOT NULL,
    store  text   COLLATE "C" NOT NULL, -- empty: all stores together
    day    text   COLLATE "C" NOT NULL, -- in the configured zone
    orders bigint NOT NULL,
    PRIMARY KEY (source, store, day)
);
