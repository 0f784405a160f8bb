-- For which moment of the schedule which run was begun.

-- +goose Up
CREATE TABLE slots (
    schedule TEXT    NOT NULL, -- the name of its entry
    slot     INTEGER NOT NULL,
    run      TEXT    NOT NULL,
    PRIMARY KEY (schedule, slot)
) STRICT, WITHOUT ROWID;
