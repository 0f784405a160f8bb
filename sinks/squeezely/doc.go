// Package squeezely sends Purchase events to Squeezely, now called Spotler
// Activate: one API with one contract under two names.
//
// Facts carry the grade of their source: [P] the vendor's documents, [C] client
// code that talks to the service, [I] inferred, [U] unknown.
//
//   - POST of JSON to /v1/track [C], login in two headers [P].
//   - One event as the root, or {"events": [...]} [C]; the largest batch is
//     [U], so one event in a request is the default.
//   - Front end and backend purchases merge on the order id [P]; a second
//     backend purchase likely merges too [I], and Options can withdraw that.
package squeezely
