-- +goose Up
-- in_turn: it is planned when the slices before it are over. beside: they were not
-- when its plan was made, and something is left until they are.
ALTER TABLE slices ADD COLUMN in_turn boolean NOT NULL DEFAULT false, ADD COLUMN beside boolean NOT NULL DEFAULT false;
-- Destinations that take no more of what was asked for.
CREATE TABLE stops (
    backfill bigint NOT NULL REFERENCES backfills ON DELETE CASCADE,
    target text NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (backfill, target)
);
