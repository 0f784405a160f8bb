// Package rehearsal holds that a dry run is what the later run does: the same
// plan digest, the same steps and the same requests, byte for byte, and that it
// makes no connection and changes nothing but what CONTRACTS 13 allows, which is
// a plan file with its diary. Everything in it is a test.
//
// Each world is made from one seed, in a bubble of testing/synctest: a shop of
// purchases, stored carts and chains of upgrades, up to three destinations (the
// real sinks, whose connections end inside the bubble), and a real ledger with a
// past: nights on which platforms accepted, refused, hung up or could not, a run
// that died with claims, approved charges, edits, new orders, people who were
// forgotten, and a person's word on doubts. Then comes the rehearsal: makegood
// plan, by a process that only reads, and seconds later, with nothing moved, the
// run (or a second plan, approved and applied) by another process, while the plan
// of the dry run is applied to a copy of ledger and state_dir.
package rehearsal
