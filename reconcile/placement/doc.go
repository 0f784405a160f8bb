// Package placement knows what Rokt's placements and a shop tell each other
// about a cart while a page is open: it reads their messages, folds them into
// what a placement believes, compares that with completed orders, and says which
// messages would align a placement with the shop's cart.
//
// A session is one visit of a customer, by Rokt's session id. An item is one
// offer of Rokt's catalog in a session: catalogItemId names it for good,
// cartItemId only for one impression [P], so items are folded by the first and
// asked for by the second.
//
// Facts carry the grade of their source, as everywhere: [P] the vendor's
// documents, [I] inferred, [U] unknown.
package placement
