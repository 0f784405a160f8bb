// Package emanage makes carts and upgrades at EmanageCRM, which charges the
// customer for them: real money, except for test carts.
//
// The facts are those of the customer's document "ECOMM API" [P] and of client
// code that talks to the service [C]; what is neither is a setting. A cart is
// made by new, which answers with its session; add takes a dearer product in
// place of one that the session has; where the customer pays offline, the
// upgrade is a cart of its own that names the session before. The platform
// charges the new price less the one before [P].
//
// Nothing is composed but from what the source says is still to be collected.
// No event merges a repeat: what is in doubt stays so until a person ends it.
package emanage
