-- +goose Up
-- What a worker works with: the digest of its settings, and the sources whose
-- files its machine has none of.
ALTER TABLE workers ADD COLUMN settings text NOT NULL DEFAULT '', ADD COLUMN lacks text[] NOT NULL DEFAULT '{}';
-- What kind of thing went wrong. Of a slice that is planned anew: the runs of the
-- ledger that worked on it in the rounds before.
ALTER TABLE slices ADD COLUMN class text NOT NULL DEFAULT '', ADD COLUMN runs text[] NOT NULL DEFAULT '{}';
ALTER TABLE parts ADD COLUMN class text NOT NULL DEFAULT '';
-- Whom nothing is sent about any more, encrypted with the key by which persons are
-- known. All workers go by it.
CREATE TABLE forgotten (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line text NOT NULL UNIQUE
);
