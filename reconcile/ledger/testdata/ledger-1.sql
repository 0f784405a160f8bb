BEGIN TRANSACTION;
CREATE TABLE attempts (
    attempt INTEGER NOT NULL PRIMARY KEY,
    target  TEXT    NOT NULL,
    event   TEXT    NOT NULL,
    run     TEXT    NOT NULL,
    version INTEGER NOT NULL, -- of the claim that it was made under
    at      INTEGER NOT NULL,
    verdict TEXT    NOT NULL,
    status  INTEGER NOT NULL,
    code    TEXT    NOT NULL,
    receipt TEXT    NOT NULL,
    late    INTEGER NOT NULL, -- the entry had moved on
    lost    INTEGER NOT NULL  -- recorded for a run that died
) STRICT;
INSERT INTO "attempts" VALUES(1,'activate','purchase/main/1001','0190-first',1,1793620800000000,'sent',200,'','r-1001',0,0);
INSERT INTO "attempts" VALUES(2,'activate','purchase/main/1002','0190-first',1,1793620800000000,'rejected',200,'','r-1002',0,0);
INSERT INTO "attempts" VALUES(3,'activate','purchase/main/1003','0190-first',1,1793620800000000,'in_doubt',200,'','r-1003',0,0);
INSERT INTO "attempts" VALUES(4,'activate','purchase/main/1004','0190-first',1,1793620800000000,'retryable',200,'','r-1004',0,0);
CREATE TABLE coverage (
    target TEXT    NOT NULL,
    mode   TEXT    NOT NULL,
    source TEXT    NOT NULL,
    upto   INTEGER NOT NULL,
    PRIMARY KEY (target, mode, source)
) STRICT, WITHOUT ROWID;
INSERT INTO "coverage" VALUES('activate','live','shop',1793620800000000);
CREATE TABLE entries (
    target          TEXT    NOT NULL,
    event           TEXT    NOT NULL,
    version         INTEGER NOT NULL CHECK (version > 0),
    state           TEXT    NOT NULL CHECK (state IN ('open', 'claimed', 'done', 'refused', 'doubtful')),
    lost            INTEGER NOT NULL, -- doubtful because its run died
    done_by         TEXT    NOT NULL,
    who             TEXT    NOT NULL, -- the evidence, or the person, that said so
    note            TEXT    NOT NULL,
    said_at         INTEGER NOT NULL, -- when it was sent, as far as the evidence says
    run             TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    person          BLOB    NOT NULL, -- keyed hash
    amount          TEXT,
    currency        TEXT    NOT NULL,
    amount_of       TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    completed_at    INTEGER NOT NULL,
    store           TEXT    NOT NULL,
    digest          BLOB    NOT NULL,
    cosmetic        BLOB    NOT NULL,
    cosmetic_fields TEXT    NOT NULL,
    payload         BLOB    NOT NULL, -- keyed hash
    shown           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    not_before      INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    receipt         TEXT    NOT NULL,
    before          TEXT    NOT NULL, -- while claimed: the entry before the claim, as JSON
    PRIMARY KEY (target, event)
) STRICT, WITHOUT ROWID;
INSERT INTO "entries" VALUES('activate','purchase/main/1001',2,'done',0,'sent_here','','',-62135596800000000,'0190-first','purchase','purchase',X'22DA02EADFDB1CC6444104EB9A2AE18B','12.5','EUR','','shop',1793620800000000,'',X'43588DE5D6484853B8A323F3CCEF9482D673C7277C736F6A1C5CC645704C3983',X'','',X'B1049A5AFC43FB175B49FFB281B03A4AC908FA678648E67AFED70B158ED9EAB5','1001',1,-62135596800000000,1795264185529455,'r-1001','');
INSERT INTO "entries" VALUES('activate','purchase/main/1002',2,'refused',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'02F31291BA151A95E8A2868540C6B8D7','12.5','EUR','','shop',1793620800000000,'',X'010A89FB7D599FFC9421A8541067A1ABAE7856DC67B6E7898436C73F90C121EA',X'','',X'3016FCE1DBEB84C4CFBCBC336E808F10D9C0263E9EE9F4654F8A2B9D5C35CC5D','1002',1,-62135596800000000,1795264185529455,'','');
INSERT INTO "entries" VALUES('activate','purchase/main/1003',2,'doubtful',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'BFEBD1BA51661F60EDC79EE5D497C6DC','12.5','EUR','','shop',1793620800000000,'',X'EB1C13F3DEE8B53C13662774891929F2780BCC0B92A312A65B2F913C37BB49F7',X'','',X'00AE9CAC689D21342A772CC086C6A5E6F552A4963818FD1C746F18AA135F178B','1003',1,-62135596800000000,1795264185529455,'','');
INSERT INTO "entries" VALUES('activate','purchase/main/1004',3,'claimed',0,'','','',-62135596800000000,'0190-second','purchase','purchase',X'F3219DB939965E838954DB63B464AE01','12.5','EUR','','shop',1793620800000000,'',X'8A407EA6F51563F840CB6278999F90CA8675AEE215A00AC9519B97EB8951116B',X'','',X'821C3D4285AFA6F84435A1D00EC0AD97AADE221D9C807D5C7FB40DCD9FC296FF','1004',1,-62135596800000000,1795264185532713,'','{"target":"activate","event":"purchase/main/1004","version":2,"state":"open","lost":false,"done_by":"","who":"","note":"","said_at":-62135596800000000,"run":"0190-first","kind":"purchase","action":"purchase","person":"f3219db939965e838954db63b464ae01","amount":"12.5","currency":"EUR","amount_of":"","source":"shop","completed_at":1793620800000000,"store":"","digest":"8a407ea6f51563f840cb6278999f90ca8675aee215a00ac9519b97eb8951116b","cosmetic":"","cosmetic_fields":"","payload":"821c3d4285afa6f84435a1d00ec0ad97aade221d9c807d5c7fb40dcd9fc296ff","twin":"","shown":"1004","attempts":1,"not_before":-62135596800000000,"at":1795264185529455,"receipt":"","before":""}');
INSERT INTO "entries" VALUES('activate','purchase/main/1005',1,'claimed',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'63F48451727B5BEB0E319FE2276858AC','12.5','EUR','','shop',1793620800000000,'',X'52DF8EBF6DDC59D1C1D63141A68335631EB5ABE4791D086516247FCE7AE62274',X'','',X'4B7DAE4917817CE00AC3E525D7FC77B7C197A6B9DFEFFC7A4713C4CBDF3A7353','1005',0,-62135596800000000,1795264185528188,'','');
INSERT INTO "entries" VALUES('activate','purchase/main/1006',1,'done',0,'proven','live_log','',1793620800000000,'0190-first','purchase','',X'CF393C76960DEB0D0D4CBC44A58D2A47','12.5','EUR','','shop',1793620800000000,'',X'F33416BC246EEEDF2C571D1151D2EFEC34A5491993EEFE3F48C042FB0BA8E903',X'','',X'','',0,-62135596800000000,1795264185530577,'','');
CREATE TABLE evidence_days (
    evidence TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (evidence, day)
) STRICT, WITHOUT ROWID;
INSERT INTO "evidence_days" VALUES('live_log','2026-11-02',3);
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-21 12:29:45');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-21 12:29:45');
CREATE TABLE meta (
    one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    ledger      TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL, -- one more with every commit
    environment TEXT    NOT NULL,
    key_mark    BLOB    NOT NULL, -- tells whether the person key is the right one
    created_at  INTEGER NOT NULL
) STRICT;
INSERT INTO "meta" VALUES(1,'01a1fe15-84b5-7829-9cce-baac876ff1fa',1,7,'test',X'D0AA3E9B7517AD83',1795264185525542);
CREATE TABLE runs (
    run         TEXT    NOT NULL PRIMARY KEY,
    host        TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    started     INTEGER NOT NULL,
    window_from INTEGER NOT NULL,
    window_to   INTEGER NOT NULL,
    beat        INTEGER NOT NULL,
    finished    INTEGER,
    exit        INTEGER,
    summary     BLOB
) STRICT;
INSERT INTO "runs" VALUES('0190-first','here','',1793620800000000,-62135596800000000,-62135596800000000,1795264185527090,1793624400000000,2,X'7B22736368656D61223A317D');
INSERT INTO "runs" VALUES('0190-second','here','',1793620800000000,1793620800000000,1793624400000000,1795264185532123,NULL,NULL,NULL);
CREATE TABLE shops (
    shop TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO "shops" VALUES('main');
CREATE INDEX entries_unfinished ON entries (target, completed_at) WHERE state <> 'done';
CREATE INDEX entries_claimed    ON entries (target, run)          WHERE state = 'claimed';
CREATE INDEX entries_cart       ON entries (target, person)       WHERE kind = 'cart';
CREATE INDEX entries_receipt    ON entries (at)                   WHERE receipt <> '';
CREATE INDEX attempts_event   ON attempts (target, event);
CREATE INDEX attempts_receipt ON attempts (at) WHERE receipt <> '';
COMMIT;
