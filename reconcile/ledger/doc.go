// Package ledger keeps the durable record of what every target was sent, in an
// SQLite file or a PostgreSQL database: it implements [reconcile.Ledger] and
// [reconcile.Reader]. What the two do differently is in database.go; all else
// is written once.
//
// [Open] is for runs: it creates and migrates. All writing goes through one
// goroutine that takes everything queued into one transaction (writer.go). A
// request reads its entries, changes them in memory by pure functions (row.go)
// and writes them back together (page.go). Each transaction is a row of the
// journal, hashed over the one before (journal.go); the tables are its fold,
// and Check names what is not (check.go).
//
// [OpenReader] is for plans: it changes nothing, and an absent place reads as
// an empty ledger.
//
// A run is alive while it holds its lock and beats (lease.go): a lock file
// LEDGERFILE.runs/RUN.lock, or an advisory lock of a session. The claims of the
// dead read as doubtful (deaths.go). So a crash needs no code: the next run
// finds what it left.
//
// A ledger holds no names and no addresses: of a person and of a body it keeps
// a keyed hash (seal.go), whose key lies outside of it (key.go).
package ledger
