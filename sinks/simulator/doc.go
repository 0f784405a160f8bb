// Package simulator stands in for the marketing platforms, so that a run can be watched, shown and tested without
// touching a real one. It is the independent judge of what was sent: it imports nothing of makegood, and so cannot
// share a mistake with the code that sends.
//
// One address plays every platform:
//
//	POST /v1/track, /api/v1/track                  Squeezely, now Spotler Activate
//	POST /c2/{MID}/track_cart[.json]               Collect, also as GET ?payload=
//	POST /c2/{MID}/track_conversion[.json]         the same
//	POST /v1/cart/confirm, /v1/placements/any ...  Rokt's cart API
//	POST /v2/bulkevents, /v2/events                Rokt Ads, Event & Audience API
//	POST /v1/conversions                           Rokt Ads, Conversions API
//	POST .../shoppingcart/{webkey}/new, .../add    EmanageCRM's shopping carts
//	GET  /                                         a page for people: what each platform now believes
//	     /_sim/...                                 the control interface (see control.go)
//
// Every platform fact carries its grade, as the sheets of facts do: [P] the vendor's or the customer's document, [C]
// seen in client code that talks to the real service, [I] inferred, [U] unknown. [P] and [C] are built in and strict.
// Each [U] is a switch in [SqueezelyRules], [CollectRules], [RoktAdsRules] or [EmanageRules], or a [Fault], so that a test can try both answers.
//
// The words: a request is one HTTP request to a platform; an event is one purchase, cart change or conversion in it; an
// event is accepted when the platform stored it, whether or not the client ever heard so; a fault is what goes wrong on
// purpose.
package simulator
