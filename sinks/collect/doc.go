// Package collect sends purchases and cart changes to Salesforce Marketing
// Cloud Collect (igodigital).
//
// Facts carry the grade of their source: [P] the vendor's or the customer's
// document, [C] client code, [I] inferred, [U] unknown.
//
//   - POST of JSON to /c2/{MID}/track_cart and /c2/{MID}/track_conversion,
//     without any login [P]. Every MID is accepted: a typo touches somebody
//     else's carts without an error.
//   - There is no time field: what arrives counts as now [I]. So everything
//     here has an age from which on it is not sent.
//   - track_cart replaces the whole stored cart [P], and no de-duplication of
//     conversions is documented [U]: nothing merges, nothing is sent twice.
//   - The conversion goes before the cart change of the same person [C].
package collect
