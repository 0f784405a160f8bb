-- Times are UTC microseconds since 1970. Amounts are canonical decimal text.
-- Text compares byte by byte.

-- +goose Up
CREATE TABLE meta (
    one         integer NOT NULL PRIMARY KEY CHECK (one = 1),
    ledger      text    COLLATE "C" NOT NULL,
    epoch       bigint  NOT NULL,
    sequence    bigint  NOT NULL, -- one more with every commit
    environment text    COLLATE "C" NOT NULL,
    key_mark    bytea   NOT NULL, -- tells whether the person key is the right one
    created_at  bigint  NOT NULL,
    hash        bytea   NOT NULL DEFAULT ''::bytea -- of the newest journal row
);

CREATE TABLE runs (
    run         text   COLLATE "C" NOT NULL PRIMARY KEY,
    host        text   COLLATE "C" NOT NULL,
    command     text   COLLATE "C" NOT NULL,
    started     bigint NOT NULL,
    window_from bigint NOT NULL,
    window_to   bigint NOT NULL,
    beat        bigint NOT NULL, -- by this database's clock
    finished    bigint,
    exit        bigint,
    summary     bytea
);

CREATE TABLE entries (
    target          text    COLLATE "C" NOT NULL,
    event           text    COLLATE "C" NOT NULL,
    version         bigint  NOT NULL CHECK (version > 0),
    state           text    COLLATE "C" NOT NULL CHECK (state IN ('open', 'claimed', 'done', 'refused', 'doubtful')),
    lost            boolean NOT NULL, -- doubtful because its run died
    done_by         text    COLLATE "C" NOT NULL,
    who             text    COLLATE "C" NOT NULL, -- the evidence, or the person, that said so
    note            text    COLLATE "C" NOT NULL,
    said_at         bigint  NOT NULL, -- when it was sent, as far as the evidence says
    run             text    COLLATE "C" NOT NULL,
    kind            text    COLLATE "C" NOT NULL,
    action          text    COLLATE "C" NOT NULL,
    person          bytea   NOT NULL, -- keyed hash
    amount          text    COLLATE "C",
    currency        text    COLLATE "C" NOT NULL,
    amount_of       text    COLLATE "C" NOT NULL,
    source          text    COLLATE "C" NOT NULL,
    completed_at    bigint  NOT NULL,
    store           text    COLLATE "C" NOT NULL,
    digest          bytea   NOT NULL,
    cosmetic        bytea   NOT NULL,
    cosmetic_fields text    COLLATE "C" NOT NULL,
    payload         bytea   NOT NULL, -- keyed hash
    twin            bytea   NOT NULL, -- keyed hash over what the purchase looks like
    mark            bytea   NOT NULL, -- keyed hash over everything that the source said of the order
    shown           text    COLLATE "C" NOT NULL,
    attempts        bigint  NOT NULL,
    not_before      bigint  NOT NULL,
    at              bigint  NOT NULL,
    receipt         text    COLLATE "C" NOT NULL,
    before          text    COLLATE "C" NOT NULL, -- while claimed: the entry before the claim, as JSON
    PRIMARY KEY (target, event)
);

CREATE INDEX entries_unfinished ON entries (target, completed_at) WHERE state <> 'done';
CREATE INDEX entries_claimed    ON entries (target, run)          WHERE state = 'claimed';
CREATE INDEX entries_cart       ON entries (target, person)       WHERE kind = 'cart';
CREATE INDEX entries_receipt    ON entries (at)                   WHERE receipt <> '';
CREATE INDEX entries_twin       ON entries (target, twin, completed_at) WHERE twin <> ''::bytea;

CREATE TABLE attempts (
    attempt bigint  NOT NULL PRIMARY KEY,
    target  text    COLLATE "C" NOT NULL,
    event   text    COLLATE "C" NOT NULL,
    run     text    COLLATE "C" NOT NULL,
    version bigint  NOT NULL, -- of the claim that it was made under
    at      bigint  NOT NULL,
    verdict text    COLLATE "C" NOT NULL,
    status  bigint  NOT NULL,
    code    text    COLLATE "C" NOT NULL,
    receipt text    COLLATE "C" NOT NULL,
    late    boolean NOT NULL, -- the entry had moved on
    lost    boolean NOT NULL  -- recorded for a run that died
);

CREATE INDEX attempts_event   ON attempts (target, event);
CREATE INDEX attempts_receipt ON attempts (at) WHERE receipt <> '';

CREATE TABLE coverage (
    target text   COLLATE "C" NOT NULL,
    mode   text   COLLATE "C" NOT NULL,
    source text   COLLATE "C" NOT NULL,
    upto   bigint NOT NULL,
    PRIMARY KEY (target, mode, source)
);

CREATE TABLE evidence_days (
    evidence text   COLLATE "C" NOT NULL,
    day      text   COLLATE "C" NOT NULL,
    count    bigint NOT NULL,
    PRIMARY KEY (evidence, day)
);

CREATE TABLE shops (
    shop text COLLATE "C" NOT NULL PRIMARY KEY
);

-- One row per transaction, each hashed over the one before it; the other
-- tables are its fold.
CREATE TABLE journal (
    sequence bigint NOT NULL PRIMARY KEY,
    at       bigint NOT NULL,
    changes  bytea  NOT NULL, -- JSON lines, deflated
    hash     bytea  NOT NULL
);

-- Why each event that is not done is where it is.
CREATE TABLE decisions (
    target       text   COLLATE "C" NOT NULL, -- empty: it concerns the order at its source
    event        text   COLLATE "C" NOT NULL,
    source       text   COLLATE "C" NOT NULL,
    bucket       text   COLLATE "C" NOT NULL,
    reason       text   COLLATE "C" NOT NULL,
    detail       text   COLLATE "C" NOT NULL, -- the rule's values
    origin       text   COLLATE "C" NOT NULL,
    amount       text   COLLATE "C",
    currency     text   COLLATE "C" NOT NULL,
    completed_at bigint NOT NULL,
    mark         bytea  NOT NULL,
    run          text   COLLATE "C" NOT NULL,
    at           bigint NOT NULL,
    PRIMARY KEY (target, event, source)
);


-- What a ledger has forgotten on purpose: orders completed before are held
-- back, never taken for unsent.
CREATE TABLE pruned (
    target text   COLLATE "C" NOT NULL PRIMARY KEY,
    upto   bigint NOT NULL
);
