-- +goose Up
-- What a person asked for: a period, in slices.
CREATE TABLE backfills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked timestamptz NOT NULL DEFAULT now(),
    settings text NOT NULL,
    options jsonb NOT NULL,
    ended text NOT NULL DEFAULT ''
);
-- A slice: waiting, queued (River has its plan job), sending (its plan is in
-- parts), done, or cancelled. Whoever takes its turn is the only one who may
-- change it from then on.
CREATE TABLE slices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backfill bigint NOT NULL REFERENCES backfills ON DELETE CASCADE,
    position integer NOT NULL,
    window_from timestamptz NOT NULL,
    window_to timestamptz NOT NULL,
    targets text[] NOT NULL,
    key text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    turn bigint NOT NULL DEFAULT 0,
    round integer NOT NULL DEFAULT 1,
    planned timestamptz,
    failures integer NOT NULL DEFAULT 0,
    trouble text NOT NULL DEFAULT '',
    told jsonb,
    finished timestamptz
);
CREATE UNIQUE INDEX slices_once ON slices (key) WHERE state IN ('waiting', 'queued', 'sending');
-- A part of a slice's plan, and the runs of the ledger that worked on it.
CREATE TABLE parts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slice bigint NOT NULL REFERENCES slices ON DELETE CASCADE,
    target text NOT NULL,
    n integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    turn bigint NOT NULL DEFAULT 0,
    once boolean NOT NULL,
    runs text[] NOT NULL DEFAULT '{}',
    stopped text NOT NULL DEFAULT '',
    failures integer NOT NULL DEFAULT 0,
    trouble text NOT NULL DEFAULT '',
    UNIQUE (slice, target, n)
);
CREATE INDEX parts_waiting ON parts (slice) WHERE state = 'waiting';
-- The files of a slice, compressed, cut into pieces. They hold addresses.
CREATE TABLE pieces (
    slice bigint NOT NULL REFERENCES slices ON DELETE CASCADE,
    file text NOT NULL,
    n integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (slice, file, n)
);
-- Who works. The lock is held by a session of a worker that lives.
CREATE TABLE workers (
    id text PRIMARY KEY,
    name text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    kinds text[] NOT NULL,
    lock bigint NOT NULL,
    started timestamptz NOT NULL DEFAULT now(),
    beat timestamptz NOT NULL,
    at text[] NOT NULL DEFAULT '{}'
);
