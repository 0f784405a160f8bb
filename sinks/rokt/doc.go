// Package rokt confirms paid orders to Rokt's cart, for shops that show Rokt's
// offers in theirs. Conversions of shops that advertise at Rokt are another
// product (roktads).
//
// Facts carry the grade of their source: [P] the vendor's documents, [I]
// inferred, [U] unknown.
//
//   - POST of JSON to /v1/cart/confirm after payment, with the login and the
//     visit's session in three headers [P]. The host is [U], and so a setting.
//   - Errors are 400, 403, 422 and 500 with {description, errors} [P]; what a
//     success says is [U], taken is an object without errors [I].
//   - Whether a repeated confirmation is safe is [U]: nothing merges, and what
//     is in doubt stays so until a person ends it.
package rokt
