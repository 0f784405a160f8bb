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
INSERT INTO attempts VALUES(1,'activate','purchase/main/1001','0190-first',1,1793620800000000,'sent',200,'','r-1001',0,0);
INSERT INTO attempts VALUES(2,'activate','purchase/main/1002','0190-first',1,1793620800000000,'rejected',200,'','r-1002',0,0);
INSERT INTO attempts VALUES(3,'activate','purchase/main/1003','0190-first',1,1793620800000000,'in_doubt',200,'','r-1003',0,0);
INSERT INTO attempts VALUES(4,'activate','purchase/main/1004','0190-first',1,1793620800000000,'retryable',200,'','r-1004',0,0);
CREATE TABLE coverage (
    target TEXT    NOT NULL,
    mode   TEXT    NOT NULL,
    source TEXT    NOT NULL,
    upto   INTEGER NOT NULL,
    PRIMARY KEY (target, mode, source)
) STRICT, WITHOUT ROWID;
INSERT INTO coverage VALUES('activate','live','shop',1793620800000000);
CREATE TABLE decisions (
    target       TEXT    NOT NULL, -- empty: it concerns the order at its source
    event        TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    bucket       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    detail       TEXT    NOT NULL, -- the rule's values
    origin       TEXT    NOT NULL,
    amount       TEXT,
    currency     TEXT    NOT NULL,
    completed_at INTEGER NOT NULL,
    mark         BLOB    NOT NULL,
    run          TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (target, event, source)
) STRICT, WITHOUT ROWID;
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
    before          TEXT    NOT NULL, twin BLOB NOT NULL DEFAULT x'', mark BLOB NOT NULL DEFAULT x'', -- while claimed: the entry before the claim, as JSON
    PRIMARY KEY (target, event)
) STRICT, WITHOUT ROWID;
INSERT INTO entries VALUES('activate','purchase/main/1001',2,'done',0,'sent_here','','',-62135596800000000,'0190-first','purchase','purchase',X'22da02eadfdb1cc6444104eb9a2ae18b','12.5','EUR','','shop',1793620800000000,'',X'43588de5d6484853b8a323f3ccef9482d673c7277c736f6a1c5cc645704c3983',X'','',X'b1049a5afc43fb175b49ffb281b03a4ac908fa678648e67afed70b158ed9eab5','1001',1,-62135596800000000,1795264185529455,'r-1001','',X'',X'');
INSERT INTO entries VALUES('activate','purchase/main/1002',2,'refused',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'02f31291ba151a95e8a2868540c6b8d7','12.5','EUR','','shop',1793620800000000,'',X'010a89fb7d599ffc9421a8541067a1abae7856dc67b6e7898436c73f90c121ea',X'','',X'3016fce1dbeb84c4cfbcbc336e808f10d9c0263e9ee9f4654f8a2b9d5c35cc5d','1002',1,-62135596800000000,1795264185529455,'','',X'',X'');
INSERT INTO entries VALUES('activate','purchase/main/1003',2,'doubtful',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'bfebd1ba51661f60edc79ee5d497c6dc','12.5','EUR','','shop',1793620800000000,'',X'eb1c13f3dee8b53c13662774891929f2780bcc0b92a312a65b2f913c37bb49f7',X'','',X'00ae9cac689d21342a772cc086c6a5e6f552a4963818fd1c746f18aa135f178b','1003',1,-62135596800000000,1795264185529455,'','',X'',X'');
INSERT INTO entries VALUES('activate','purchase/main/1004',3,'claimed',0,'','','',-62135596800000000,'0190-second','purchase','purchase',X'f3219db939965e838954db63b464ae01','12.5','EUR','','shop',1793620800000000,'',X'8a407ea6f51563f840cb6278999f90ca8675aee215a00ac9519b97eb8951116b',X'','',X'821c3d4285afa6f84435a1d00ec0ad97aade221d9c807d5c7fb40dcd9fc296ff','1004',1,-62135596800000000,1795264185532713,'','{"target":"activate","event":"purchase/main/1004","version":2,"state":"open","lost":false,"done_by":"","who":"","note":"","said_at":-62135596800000000,"run":"0190-first","kind":"purchase","action":"purchase","person":"f3219db939965e838954db63b464ae01","amount":"12.5","currency":"EUR","amount_of":"","source":"shop","completed_at":1793620800000000,"store":"","digest":"8a407ea6f51563f840cb6278999f90ca8675aee215a00ac9519b97eb8951116b","cosmetic":"","cosmetic_fields":"","payload":"821c3d4285afa6f84435a1d00ec0ad97aade221d9c807d5c7fb40dcd9fc296ff","twin":"","shown":"1004","attempts":1,"not_before":-62135596800000000,"at":1795264185529455,"receipt":"","before":""}',X'',X'');
INSERT INTO entries VALUES('activate','purchase/main/1005',1,'claimed',0,'','','',-62135596800000000,'0190-first','purchase','purchase',X'63f48451727b5beb0e319fe2276858ac','12.5','EUR','','shop',1793620800000000,'',X'52df8ebf6ddc59d1c1d63141a68335631eb5abe4791d086516247fce7ae62274',X'','',X'4b7dae4917817ce00ac3e525d7fc77b7c197a6b9dfeffc7a4713c4cbdf3a7353','1005',0,-62135596800000000,1795264185528188,'','',X'',X'');
INSERT INTO entries VALUES('activate','purchase/main/1006',1,'done',0,'proven','live_log','',1793620800000000,'0190-first','purchase','',X'cf393c76960deb0d0d4cbc44a58d2a47','12.5','EUR','','shop',1793620800000000,'',X'f33416bc246eeedf2c571d1151d2efec34a5491993eefe3f48c042fb0ba8e903',X'','',X'','',0,-62135596800000000,1795264185530577,'','',X'',X'');
CREATE TABLE evidence_days (
    evidence TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (evidence, day)
) STRICT, WITHOUT ROWID;
INSERT INTO evidence_days VALUES('live_log','2026-11-02',3);
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_db_version VALUES(1,0,1,'2026-11-21 12:29:45');
INSERT INTO goose_db_version VALUES(2,1,1,'2026-11-21 12:29:45');
INSERT INTO goose_db_version VALUES(3,2,1,'2026-11-21 12:29:45');
INSERT INTO goose_db_version VALUES(4,3,1,'2026-11-21 19:19:35');
INSERT INTO goose_db_version VALUES(5,4,1,'2026-11-21 22:24:28');
CREATE TABLE journal (
    sequence INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    changes  BLOB    NOT NULL, -- JSON lines, deflated
    hash     BLOB    NOT NULL
) STRICT;
INSERT INTO journal VALUES(8,1795288775448968,X'cc58cd7223b90dbeef63f02c6709fe43f7bc40aa724a4db94010182b6375abba5b9e4c6df9dd539465b9edb593f5680fab9b2890c2cf878f1ff89b59ccd6549ac56ccc37b3fd97315f1e7f795addcb42cfab60be6ccc77b3fdcdf024b448bba5be113246970294185d8cc1998d91e161378dc35e866eb0c8bcf4c5c3c877666ba09f273f6ef7347d335bd32c9117ac3942a656bcd9987b695f65325b63814005e24d0935dee4e2f00699e5a61271c9491594cce3e3d9d7e938ccfdec1e8105b437ba9be6e5e27495dfb99b2ddaeed97f76ddcfeeb9ee86dd7c27adfb99d12717823d7fccc6dc8d7337bc93a9a76a5e685a56a6b69c2dbbe97cdcef69fa61b62644f535050b01a4582f4dbd8d3656950820219b8df9be1bdaf8fd56a7716fb6e62639f031625a9f77365946f3aec1e373c17e978459781cdaffc88277e07ad63f11dcd9197df2f72951afa23f1b9cbc7dfa7995c78baf322cd34e2e35235e760fb4f4d41e8e13dfd12cbfee6937fc0ad6be60af5b8d83d95e6cccc6d07e3c9ea006ee6fb17fef555ae312437c5a5f647f58e65e5db3313cee0ff7b206b24fafe3e0e334c9c0bd8c7fffe73fccc6b4ddd78ee6ad093e96d224b6144a28d1d742de79f5cca2188a6b297bce2e67ce3e6922e0c89c42cc36b0c7d213dec6416e6b3f7b9661b93da3eadb6ee8e87bce80d998615c6eabe838c9fbb5df9803fdb81fa96fab60035224e5e0b5428e35a06a7505aaf51488d116a5944b0a45522695966d8558a4a150ed493ac8349f12ec5c23eb849ab60addf910c006a9488e044a351b3309cbeed0b3dd516dc153cc8ab9548ca495d46a2247894f6d361d7bd9569db93133edce2cf22ee8e7bbf17bdf7302c0c6cce371e29e84f96e3cf4ef4b47cbf69448b3310f32cd4fd0703f8531776992bf08c62c582aa835b788a8ca181c5089016cca0454497289a971ca35492e58824f9cbda265702027e2be0a4dde42521668556a091c582b57f63e49b145c13664eb921714410d29062de42ab6c83e32c76636e6f08c26ebd48343a8041108a314722595182ca75a5aa7c1ab00d2d9fb23804ca2c759ba3bd762c4ffd530221518bcfa26526af40c3e2597732808e8505d2eb632db8a8e3c384ab13a45f0ec73edd4d0d37e1d46ac2541264e059b031f1ce5ec986d499c284ad2181d054cbe40d1069c43522844e0a3422e9d452e8c53556a834a1152024d561a6714892d60e6d4b833ce3524d25977fe90448e75d1e3fd9f4024e12a907897a13b4aaf2fabcb0d80cd86e44fcc6e11837029ec319378cdaa4dafbcd80a059b85924688c96b09966b72b9206227162a2947127110c95a628c8015b3d482110052afe775802a0ed8b7e04a24a5a425041f099ab5c2961a66a226ce41432e36b7c8596bb08d1b2a3b4cdae3bf004abd036c153d628a527cc1185a4dbe8614486c17012b409da5d267aea5d0ad3f4014dfd36eff8675fc4fdd4cf12a40b902a55c898ae89a16a99a5ae3880d185af2108052f13e260f5223550919a1d992222417b2b26492e45cee69ba0e15a1e64612107281ccd2a1e725bad8b272ce353360a654b1a9a872a690c173e0dad453f6d17795f47c1525afa18408d9e51aab542b1e50c5b99c4a2c7435cd7415f51950c04f8122bd80e2ffc85f6f63ee447f8dde55ef03a4ca2e241169ea38666800119a1315f681624040f4222a5e43611b9c565ba908da4e682f7af7308d0f32f459ed67e4c97319593d7ace09936d526db32d70e5102896e628f48857cdfd340cae7bfb69307935b77c54b5eefaab8ba133c7f7bb3e8cddef1ee4f67efcfa52c30b719fa7e9d5ecd295f23b7f2b0f4f93f2b3e85f8d3d7f82c65e6839f691c79d06d385a6afd2fde822f73c6e3dc8d476dc17fb24f226d0cbb8f636ae955eee5b3f1357176b2fb303170b2526a81eaa0faa549d032ca0816b4e1f5efb9f896b927f0b2f6fc878d5776f635be9bccfc6d6a1fe125b0814822b154b6b9ac0a94ba530e614d06584d40bfc8ea4f94c6cbbe1b675f1f247ebb692279f8dadf3f84b6cd22a36a25a83b794a3a0f3e0398b082215fb118f7e26b64996e907d5fbb7dd7701258f0f32d1d7fefbe9e16785eade99bde1fbb0f8fc72753cacde2456ad7f394f1e764d0696db463f2e2f13fda4538f6f8cb32edd00dcaca6453e3f3eaceef6fe9f97dd7bda0de6cbe32fff0d0000ffff',X'd5dadfaab8963a3af1a599d999ff801b5accd218b561a84029b34e21dadb1ef0');
CREATE TABLE meta (
    one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    ledger      TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    sequence    INTEGER NOT NULL, -- one more with every commit
    environment TEXT    NOT NULL,
    key_mark    BLOB    NOT NULL, -- tells whether the person key is the right one
    created_at  INTEGER NOT NULL
, hash BLOB NOT NULL DEFAULT x'') STRICT;
INSERT INTO meta VALUES(1,'01a1fe15-84b5-7829-9cce-baac876ff1fa',1,8,'test',X'd0aa3e9b7517ad83',1795264185525542,X'd5dadfaab8963a3af1a599d999ff801b5accd218b561a84029b34e21dadb1ef0');
CREATE TABLE pruned (
    target TEXT    NOT NULL PRIMARY KEY,
    upto   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
INSERT INTO runs VALUES('0190-first','here','',1793620800000000,-62135596800000000,-62135596800000000,1795264185527090,1793624400000000,2,X'7b22736368656d61223a317d');
INSERT INTO runs VALUES('0190-second','here','',1793620800000000,1793620800000000,1793624400000000,1795264185532123,NULL,NULL,NULL);
CREATE TABLE shops (
    shop TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO shops VALUES('main');
CREATE TABLE words (
    kind   TEXT    NOT NULL, -- pause, accept, decide
    target TEXT    NOT NULL, -- empty: all, or none
    about  TEXT    NOT NULL, -- an event, a question, or empty
    value  TEXT    NOT NULL,
    until  INTEGER NOT NULL, -- it holds no longer
    who    TEXT    NOT NULL,
    note   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (kind, target, about)
) STRICT, WITHOUT ROWID;
CREATE TABLE source_days (
    source TEXT    NOT NULL,
    store  TEXT    NOT NULL, -- empty: all stores together
    day    TEXT    NOT NULL, -- in the configured zone
    orders INTEGER NOT NULL,
    PRIMARY KEY (source, store, day)
) STRICT, WITHOUT ROWID;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_db_version',5);
CREATE INDEX entries_unfinished ON entries (target, completed_at) WHERE state <> 'done';
CREATE INDEX entries_claimed    ON entries (target, run)          WHERE state = 'claimed';
CREATE INDEX entries_cart       ON entries (target, person)       WHERE kind = 'cart';
CREATE INDEX entries_receipt    ON entries (at)                   WHERE receipt <> '';
CREATE INDEX attempts_event   ON attempts (target, event);
CREATE INDEX attempts_receipt ON attempts (at) WHERE receipt <> '';
CREATE INDEX entries_twin ON entries (target, twin, completed_at) WHERE twin <> x'';
COMMIT;
