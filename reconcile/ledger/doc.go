// Package ledger keeps the durable record of what every target was sent, in an
// SQLite file: it implements [reconcile.Ledger] and [reconcile.Reader].
//
// [Open] is for runs: it creates and migrates. All writing goes through one
// goroutine that takes everything queued into one transaction (writer.go). A
// request reads its entries, changes them in memory by pure functions (row.go)
// and writes them back together (page.go).
//
// [OpenReader] is for plans: it changes nothing, and an absent file reads as an
// empty ledger.
//
// A run is alive while it holds the lock file LEDGERFILE.runs/RUN.lock and
// beats (lease.go); the claims of the dead read as doubtful (deaths.go). So a
// crash needs no code: the next run finds what it left.
//
// The file holds no names and no addresses: of a person and of a body it keeps
// a keyed hash (seal.go), whose key lies outside of it (key.go).
package ledger
