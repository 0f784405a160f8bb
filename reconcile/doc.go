// Package reconcile holds the words and the rules of makegood: what an order
// is, what a target should have been told about it, what the ledger knows of
// that, and what is therefore still to send.
//
// A run goes through five hands, one file each:
//
//   - A [Source] yields the [Head] of every order completed in a [Window]
//     (order.go).
//   - A [Sink] says by [Sink.Expect] which events a head should give: its
//     wants (event.go). Guards and rules of the trade hold some of them back
//     (headrules.go, carts.go).
//   - [Diff] compares the wants with the [Entry] that the [Ledger] keeps of
//     each and gives one [Step] per event, each with its reason (diff.go).
//   - [Runner.Plan] gathers the steps into a plan file: a value that can be
//     looked at, approved and carried out (plan.go, planwrite.go, planfile.go).
//   - [Runner.Apply] and [Runner.Run] carry a plan out, one lane per target:
//     each event is claimed durably before a byte leaves, sent, and what came
//     back is settled (run.go, carry.go, lane.go, stream.go).
//
// Every event ends in exactly one bucket of the [Balance] (balance.go), with
// its reason, in counts and in money. What nobody could classify is in doubt,
// and is not sent again unless the target merges repeats.
//
// The package imports the standard library and the decimal type, nothing else.
// DESIGN.md beside this file records what was decided, and why.
package reconcile
