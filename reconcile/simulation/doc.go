// Package simulation tries whole worlds: a shop, one or two platforms, a
// ledger, and processes of makegood that are killed, stopped, run twice at once
// and lied to by clocks and networks, night after night. Everything in it is a
// test.
//
// A world is made from one seed. It plays in a bubble of testing/synctest: real
// ledger files, the real sinks with their retries and fuses, and connections
// that end inside the bubble (wire_test.go). What takes time takes a different
// time each, by the seed, so one thing happens after the other and a seed gives
// the same world again: always on one processor, nearly always on several.
//
// The platforms keep their own book of what they accepted (platform_test.go);
// whether they also answer is another throw of the dice. What must hold is
// judged by that book and by what is seen at the ledger's door (watch_test.go),
// never by what makegood counts:
//
//   - never twice in silence: when an event is accepted again, the ledger holds
//     an older attempt in doubt for it; at a platform that does not merge
//     repeats only a person's word leads to it;
//   - never lost: after two healthy nights every order that should have been
//     sent was accepted, or is in doubt, refused or held back for a reason;
//   - done only if it was accepted, or evidence or a person says so;
//   - no doubt without a cause;
//   - the balance holds, and says what an independent count says.
//
// testdata/mistakes holds mistakes that somebody could make, each a small
// change to the source. Every one of them must be noticed (mistakes_test.go).
package simulation
