-- Purchases that look alike: a keyed hash over the person, the amount and the
-- goods, empty where no twins are looked for.

-- +goose Up
ALTER TABLE entries ADD COLUMN twin BLOB NOT NULL DEFAULT x'';

CREATE INDEX entries_twin ON entries (target, twin, completed_at) WHERE twin <> x'';
