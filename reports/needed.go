package reports

import "makegood/reconcile"

// StepFor says what a person can do about one need of the report: what for, why,
// how, and what to type.
func StepFor(r Report, n Need) Step { return r.legible().stepOf(n) }

// CountOf is a count as reports have it.
func CountOf(c reconcile.Count) Count { return count(c) }

// ThingsOf gives "3 orders" or "2 messages", and what they are worth, of a count.
func ThingsOf(c Count) string { return subject(c) + worth(c) }
