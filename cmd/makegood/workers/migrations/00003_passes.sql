-- +goose Up
-- How many runs of a part came to their end with something left that another run
-- ends. Those that were killed are not among them.
ALTER TABLE parts ADD COLUMN passes integer NOT NULL DEFAULT 0;
