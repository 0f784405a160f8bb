-- For which moment of the schedule which run was begun.

-- +goose Up
CREATE TABLE slots (
    schedule text   COLLATE "C" NOT NULL, -- the name of its entry
    slot     bigint NOT NULL,
    run      text   COLLATE "C" NOT NULL,
    PRIMARY KEY (schedule, slot)
);
