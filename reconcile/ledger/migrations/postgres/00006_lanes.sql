-- From when on the pace of a destination is free, for all that send to it.

-- +goose Up
CREATE TABLE lanes (
    target  text        COLLATE "C" PRIMARY KEY,
    next_at timestamptz NOT NULL
);
