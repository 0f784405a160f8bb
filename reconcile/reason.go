package reconcile

// Reason says why an event or an order is where it is. Codes are part of the
// stable JSON; people read the words that reports give them.
type Reason string

// Reasons for orders that are not counted or cannot be read.
const (
	ReasonConflict     Reason = "conflict"      // two values inside one order
	ReasonBadValue     Reason = "bad_value"     // a cell that cannot be read
	ReasonMissingValue Reason = "missing_value" // a cell that must be filled is empty
	ReasonDamagedID    Reason = "damaged_id"    // a spreadsheet made a float of an id
	ReasonBadOrderID   Reason = "bad_order_id"  // longer than 200 bytes
	// ReasonOrderIsAddress: the order number is an e-mail address, which the
	// ledger must not hold (RULES R24).
	ReasonOrderIsAddress Reason = "order_is_address"
	ReasonBadChannel     Reason = "bad_channel"  // not one of the channels of RULES R5
	ReasonNoSuchTime     Reason = "no_such_time" // skipped by the clock change
	ReasonAmbiguous      Reason = "ambiguous_join"
	ReasonNotUnique      Reason = "order_not_unique" // one id, two stores, customers or days
	ReasonVersions       Reason = "versions"         // two files disagree about one order
	ReasonNotCorrected   Reason = "not_corrected"    // a row to fix came back as it was
	ReasonBadUpgrade     Reason = "bad_upgrade"      // upgrades that contradict each other
)

// Reasons that a source itself has for not counting an order, beside those
// that its rules name.
const (
	ReasonStatusNotComplete Reason = "status_not_complete"
	ReasonTestOrder         Reason = "test_order"
	ReasonUnpaid            Reason = "unpaid"          // no product of it was paid
	ReasonPaymentPending    Reason = "payment_pending" // an offline payment is not confirmed yet
	ReasonReversal          Reason = "reversal"        // it undoes another order
)

// Reasons for not being for a destination at all.
const (
	ReasonChannel     Reason = "channel"
	ReasonBeforeSince Reason = "before_since"
	ReasonWhen        Reason = "when" // the target's rule says another one's
	// ReasonNoDestination names orders that are for none of the targets.
	ReasonNoDestination Reason = "no_destination"
)

// Reasons to hold an event back.
const (
	ReasonNoEmail       Reason = "no_email"
	ReasonBadEmail      Reason = "bad_email"
	ReasonPlaceholder   Reason = "placeholder"
	ReasonAnonymised    Reason = "anonymised"
	ReasonMarketplace   Reason = "marketplace"
	ReasonSharedAddress Reason = "shared_address"
	ReasonNotPermitted  Reason = "not_permitted"
	ReasonSuppressed    Reason = "suppressed"
	ReasonIDReused      Reason = "id_reused"
	ReasonIDCollision   Reason = "id_collision"
	ReasonEditedSuffix  Reason = "edited_suffix"  // -1 behind a known number, and nobody has said what that is
	ReasonEdited        Reason = "edited"         // the order is another one after it was edited
	ReasonPossibleTwin  Reason = "possible_twin"  // another source has the same purchase under another number
	ReasonWasSent       Reason = "was_sent"       // evidence named it once, and names it no longer
	ReasonNoContactKey  Reason = "no_contact_key" // the platform knows people by customer id, and there is none
	ReasonNoGoods       Reason = "no_goods"
	ReasonExchange      Reason = "exchange"
	ReasonReturn        Reason = "return"
	ReasonReversed      Reason = "reversed"       // a later credit note undoes it
	ReasonZeroTotal     Reason = "zero_total"     // worth nothing, where the source holds such orders
	ReasonStatusUnknown Reason = "status_unknown" // neither in completed_when nor in not_completed
	ReasonTotalMismatch Reason = "total_mismatch"
	ReasonNoLanguage    Reason = "no_language"
	ReasonFutureTime    Reason = "future_time"
	ReasonTooOld        Reason = "too_old"
	ReasonNoEvidence    Reason = "no_evidence"
	ReasonPruned        Reason = "pruned"      // the ledger has forgotten what was sent of its time
	ReasonNoBudget      Reason = "no_budget"   // a budget that names other currencies
	ReasonUnknownSKU    Reason = "unknown_sku" // a product that the target's catalog does not know
	ReasonCannotCompose Reason = "cannot_compose"
	ReasonManyChanges   Reason = "many_changes"    // a correction among more than are believed
	ReasonChangeNotSent Reason = "change_not_sent" // a correction that was begun and must not go on

	ReasonNoCart           Reason = "no_cart"
	ReasonCartNewer        Reason = "cart_newer"
	ReasonCartOrderUnknown Reason = "cart_order_unknown"
	ReasonCartUnrelated    Reason = "cart_unrelated"
	ReasonCartUnknown      Reason = "cart_unknown"
	ReasonCartNotSent      Reason = "cart_not_sent" // the cart changed as send does not name
	ReasonSuperseded       Reason = "superseded"

	// What an event needs ended otherwise than done with a receipt.
	ReasonWaitsRefused  Reason = "waits_for_refused"
	ReasonWaitsDoubtful Reason = "waits_for_doubtful"
	ReasonWaitsHeldBack Reason = "waits_for_held_back"
	ReasonWaitsReceipt  Reason = "waits_for_receipt" // done, and nobody knows its receipt
	ReasonChainChanged  Reason = "chain_changed"     // a step that was charged is not what it was

	// What may cost the customer money.
	ReasonNothingDue     Reason = "nothing_due"     // nothing is to be collected, or nobody says what
	ReasonOverMaxCharge  Reason = "over_max_charge" // more than one order may be charged
	ReasonChargeMismatch Reason = "charge_mismatch" // the platform would charge something else than what is due
	ReasonDiscountedCart Reason = "discounted_cart" // a discount that the platform might take off once more
	ReasonRealSession    Reason = "real_session"    // a test must not touch a customer's cart
)

// Reasons for being left for a later run.
const (
	ReasonShadow        Reason = "shadow"
	ReasonPlanned       Reason = "planned" // a plan: would be sent
	ReasonBusy          Reason = "busy"
	ReasonRetryLater    Reason = "retry_later"
	ReasonTooYoung      Reason = "too_young"
	ReasonFuse          Reason = "fuse"
	ReasonNotScheduled  Reason = "not_scheduled" // none of what this entry of the schedule does
	ReasonNotListed     Reason = "not_listed"    // not among the order numbers that a person asked for
	ReasonExcepted      Reason = "excepted"      // among those that a person left out of this run
	ReasonPaused        Reason = "paused"        // a person keeps makegood from sending to the target
	ReasonEvidenceStale Reason = "evidence_stale"
	ReasonEvidenceUnmet Reason = "evidence_unmet" // less than half of the orders are in it
	ReasonTrial         Reason = "trial"          // beyond the first few of a trial
	ReasonShadowPeriod  Reason = "shadow_period"  // shadow or a trial left it, and nobody has asked for it since
	ReasonBudget        Reason = "budget"         // what one run may send is spent
	ReasonBrake         Reason = "brake"          // much more than usual, or too much refused
	ReasonPerRun        Reason = "per_run"        // enough for one person in one run
	ReasonInterrupted   Reason = "interrupted"
	ReasonWaits         Reason = "waits"
	ReasonRetryable     Reason = "retryable"
	ReasonSourceFailed  Reason = "source_failed"
	ReasonNeedsApproval Reason = "needs_approval" // it costs customers money, and nobody has approved it by name
	ReasonCartsStale    Reason = "carts_stale"    // the open carts show too old a moment
	ReasonMoved         Reason = "moved"
	ReasonLedgerFailed  Reason = "ledger_failed"
)

// Reasons for being settled.
const (
	ReasonSent       Reason = "sent_now"
	ReasonSentHere   Reason = "sent_here"
	ReasonProven     Reason = "proven"
	ReasonAssumed    Reason = "assumed"
	ReasonRejected   Reason = "rejected"
	ReasonNoAnswer   Reason = "no_answer"   // sent, answer unknown
	ReasonLostClaim  Reason = "lost_claim"  // a run died between claim and answer
	ReasonUnreadable Reason = "other_doubt" // an answer that nobody classified
)

// NeedsLook reports whether a hold of this reason is of the class "look at
// this": something is wrong that a person can mend. The others are expected
// on an ordinary night (RULES R15).
func (r Reason) NeedsLook() bool {
	switch r {
	case ReasonDamagedID, ReasonIDReused, ReasonIDCollision, ReasonNotUnique, ReasonTotalMismatch, ReasonSharedAddress,
		ReasonFutureTime, ReasonNoEvidence, ReasonNoBudget, ReasonUnknownSKU, ReasonCannotCompose, ReasonNoLanguage, ReasonEditedSuffix, ReasonPossibleTwin, ReasonStatusUnknown, ReasonWasSent,
		ReasonManyChanges, ReasonWaitsReceipt, ReasonChainChanged,
		ReasonOverMaxCharge, ReasonChargeMismatch, ReasonDiscountedCart:
		return true
	}
	return false
}
