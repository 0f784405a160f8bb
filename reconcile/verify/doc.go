// Package verify proves the balance of a run a second time: it reads sources
// and ledger again and counts for itself, in fractions, sharing no counting
// code with the run. Every order must be in one bucket, every row as it was
// when the run met it, and the sums as the run's report has them. What is not
// so is named.
//
// An order that left its source before makegood ever read it cannot be known.
package verify
