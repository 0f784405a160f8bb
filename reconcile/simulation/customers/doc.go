// Package customers is a town of customers as they really are: what lies in
// their carts and when they last touched them, what they bought, in which store
// and at what time, whatever a till's clock and a late export say of it. It also
// judges what has become of a cart at a platform.
//
// It is the other side of histories_test.go, which lets the real runner, ledger
// and sink work for that town. It shares no code with them: it imports the
// standard library alone.
package customers
