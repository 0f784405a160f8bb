// Package roktads reports conversions to Rokt Ads, for shops that advertise
// there. The partner's cart is another product with a target of its own.
//
// Facts carry the grade of their source: [P] the vendor's documents, [C] client
// code that talks to the service, [I] inferred, [U] unknown.
//
//   - The Event & Audience API takes an array of up to 100 items, 128 KB each
//     and 256 KB in all [P], with a login of key and secret [P]. An item names
//     its environment; what is marked development is not counted [P].
//   - 202 without a body accepts all of it [P]. A body may list errors, each
//     with the place in the request at which reading failed, as an index of the
//     item or as a position in the text; the other items are accepted [C]. 400
//     says that not one item could be read [C].
//   - The Conversions API takes up to 100 events with an account id, up to 12
//     months old and never from the future, and tells what is wrong with single
//     events [P]; in which form is [U].
//   - There is no idempotency on the transport [P]. A conversion is counted once
//     per conversion type and confirmation reference [C]; Options say whether
//     that is believed.
package roktads
