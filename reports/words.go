package reports

import (
	"strings"

	"makegood/reconcile"
)

// Words are what people read of a reason. Next, of a reason that somebody must
// look at, says what to do.
type Words struct {
	Text string
	Next string
}

// ReasonWords gives the words of a reason. A code that the configuration made
// up reads as it is written there, without the underscores.
func ReasonWords(r reconcile.Reason) Words {
	for _, w := range reasonWords {
		if w.reason == r {
			return w.Words
		}
	}
	return Words{Text: strings.ReplaceAll(string(r), "_", " ")}
}

// reasonWords follows the order of reconcile/reason.go.
var reasonWords = [...]struct {
	reason reconcile.Reason
	Words
}{
	{reconcile.ReasonConflict, Words{Text: "two values inside one order"}},
	{reconcile.ReasonBadValue, Words{Text: "a cell that cannot be read"}},
	{reconcile.ReasonMissingValue, Words{Text: "a cell that must be filled is empty"}},
	{reconcile.ReasonDamagedID, Words{Text: "a spreadsheet has damaged the number",
		Next: "Export the column of order numbers as text; opening a file in a spreadsheet and saving it damages them."}},
	{reconcile.ReasonBadOrderID, Words{Text: "the order number is too long"}},
	{reconcile.ReasonOrderIsAddress, Words{Text: "the order number is an e-mail address",
		Next: "Choose the column that holds the order numbers: columns.order in the configuration, or the form of columns on the upload page."}},
	{reconcile.ReasonBadChannel, Words{Text: "a channel that is not known"}},
	{reconcile.ReasonNoSuchTime, Words{Text: "a time that the clock change skipped"}},
	{reconcile.ReasonAmbiguous, Words{Text: "two different rows to join with"}},
	{reconcile.ReasonNotUnique, Words{Text: "one order number for several orders",
		Next: "Say with order_unique how far a number is unique: per_store, per_store_and_day or per_till_and_day."}},
	{reconcile.ReasonVersions, Words{Text: "two files disagree about the order"}},
	{reconcile.ReasonNotCorrected, Words{Text: "not corrected yet",
		Next: "Correct the row, or give the whole file back: these rows alone do not say what was wrong."}},
	{reconcile.ReasonBadUpgrade, Words{Text: "upgrades that contradict each other",
		Next: "Look at the carts of the rows below in the shop; a cart from before the period is missing in an export."}},
	{reconcile.ReasonStatusNotComplete, Words{Text: "not completed, by its status"}},
	{reconcile.ReasonTestOrder, Words{Text: "test order"}},
	{reconcile.ReasonUnpaid, Words{Text: "not paid"}},
	{reconcile.ReasonPaymentPending, Words{Text: "payment not confirmed yet"}},
	{reconcile.ReasonReversal, Words{Text: "undoes another order"}},

	{reconcile.ReasonChannel, Words{Text: "another channel"}},
	{reconcile.ReasonBeforeSince, Words{Text: "from before this destination began"}},
	{reconcile.ReasonWhen, Words{Text: "for another destination, by its rule"}},
	{reconcile.ReasonNoDestination, Words{Text: "for no destination"}},

	{reconcile.ReasonNoEmail, Words{Text: "no address on the order"}},
	{reconcile.ReasonNoContactKey, Words{Text: "no customer id on the order, by which the platform knows people"}},
	{reconcile.ReasonBadEmail, Words{Text: "not one readable address"}},
	{reconcile.ReasonPlaceholder, Words{Text: "a placeholder instead of an address"}},
	{reconcile.ReasonAnonymised, Words{Text: "an anonymised address"}},
	{reconcile.ReasonMarketplace, Words{Text: "a marketplace's relay address"}},
	{reconcile.ReasonSharedAddress, Words{Text: "one address for too many orders or customers",
		Next: "See whether the tills enter one address for everybody; if so, put it into suppress."}},
	{reconcile.ReasonNotPermitted, Words{Text: "no permission to send"}},
	{reconcile.ReasonSuppressed, Words{Text: "on the list of those not to be sent"}},
	{reconcile.ReasonIDReused, Words{Text: "a known order number on another order",
		Next: "See whether the source counts its numbers per store or day, and set order_unique to that."}},
	{reconcile.ReasonIDCollision, Words{Text: "one order number for two different orders",
		Next: "Give the two sources different names of shop, or mend the one that is wrong."}},
	{reconcile.ReasonEditedSuffix, Words{Text: "a number with -1 behind that of another order",
		Next: "Say with edited_suffix at the source what that is: same_order, edited, or other_order, one of its own."}},
	{reconcile.ReasonEdited, Words{Text: "an edit of an order that was sent"}},
	{reconcile.ReasonPossibleTwin, Words{Text: "perhaps the same purchase as another source's",
		Next: "Map refers_to where tills know the web order; where both are purchases, set possible_twins: send."}},
	{reconcile.ReasonNoGoods, Words{Text: "no goods on the order"}},
	{reconcile.ReasonExchange, Words{Text: "an exchange"}},
	{reconcile.ReasonReturn, Words{Text: "a return"}},
	{reconcile.ReasonReversed, Words{Text: "undone by a later credit note"}},
	{reconcile.ReasonZeroTotal, Words{Text: "worth nothing"}},
	{reconcile.ReasonStatusUnknown, Words{Text: "a status that nobody has spoken of",
		Next: "Put the status that the notes of the source name into completed_when or not_completed."}},
	{reconcile.ReasonTotalMismatch, Words{Text: "lines that do not add up to the total",
		Next: "Compare an order below with the shop; a join with payments doubles lines."}},
	{reconcile.ReasonNoLanguage, Words{Text: "no language, and the destination has several",
		Next: "Map the column language, or name a default language for the destination."}},
	{reconcile.ReasonFutureTime, Words{Text: "completed in the future",
		Next: "Check the clock of the till or the zone of the source."}},
	{reconcile.ReasonTooOld, Words{Text: "too old for this destination"}},
	{reconcile.ReasonNoEvidence, Words{Text: "from before the record of the live integration begins",
		Next: "Move since to where that record begins, or give a record that reaches further back."}},
	{reconcile.ReasonPruned, Words{Text: "from a time that the ledger has forgotten on purpose"}},
	{reconcile.ReasonNoBudget, Words{Text: "a currency that the budget does not name",
		Next: "Name the currency in budget.money of the destination, with what one run may send of it; of carts that are charged, in max_charge."}},
	{reconcile.ReasonUnknownSKU, Words{Text: "a product that the catalog does not know",
		Next: "Compare the article numbers below with the catalog; unknown_sku says what becomes of such orders."}},
	{reconcile.ReasonCannotCompose, Words{Text: "the message could not be made",
		Next: "Look at the orders below: what is missing on them is named there."}},
	{reconcile.ReasonManyChanges, Words{Text: "a change of what was sent, among many at once",
		Next: "Compare a changed order below with the shop, and see what was changed at the source or in columns; if the changes are right: --changes-are-right."}},
	{reconcile.ReasonChangeNotSent, Words{Text: "a change of what was sent, which is only reported"}},

	{reconcile.ReasonNoCart, Words{Text: "no cart is stored"}},
	{reconcile.ReasonCartNewer, Words{Text: "the cart is newer than the checkout"}},
	{reconcile.ReasonCartOrderUnknown, Words{Text: "cart or checkout, which came first is not known"}},
	{reconcile.ReasonCartUnrelated, Words{Text: "nothing in the cart was bought"}},
	{reconcile.ReasonCartUnknown, Words{Text: "the stored cart is not known"}},
	{reconcile.ReasonCartNotSent, Words{Text: "a cart change that this destination is not sent"}},
	{reconcile.ReasonSuperseded, Words{Text: "a later checkout of the same person counts"}},

	{reconcile.ReasonNothingDue, Words{Text: "nothing is to be collected"}},
	{reconcile.ReasonOverMaxCharge, Words{Text: "more than one order may be charged",
		Next: "Compare what is due of the orders below with the shop; where it is right, raise max_charge."}},
	{reconcile.ReasonChargeMismatch, Words{Text: "the platform would charge another amount than is due",
		Next: "Compare charge_due with the prices of an order below: the platform charges the new price less the one before."}},
	{reconcile.ReasonDiscountedCart, Words{Text: "a discount that nobody has declared",
		Next: "Declare progressive_discount and prices at the source: the platform takes that discount off by itself."}},
	{reconcile.ReasonRealSession, Words{Text: "a customer's cart, which a test does not touch"}},
	{reconcile.ReasonChainChanged, Words{Text: "an upgrade that was charged is another one now",
		Next: "Compare the order's carts with the platform's: what was charged stays, and nothing more is charged of this order."}},
	{reconcile.ReasonWaitsRefused, Words{Text: "what must come before it was refused"}},
	{reconcile.ReasonWaitsDoubtful, Words{Text: "what must come before it was sent, answer unknown"}},
	{reconcile.ReasonWaitsHeldBack, Words{Text: "what must come before it is not sent"}},
	{reconcile.ReasonWaitsReceipt, Words{Text: "the session of what came before it is not known",
		Next: "Look the session up at the platform and say it: makegood resolve --receipt SESSION --note ... ORDER."}},

	{reconcile.ReasonShadow, Words{Text: "would be sent, were it not in shadow"}},
	{reconcile.ReasonPlanned, Words{Text: "would be sent by this plan"}},
	{reconcile.ReasonBusy, Words{Text: "another run is about to send it"}},
	{reconcile.ReasonRetryLater, Words{Text: "the platform asked to wait"}},
	{reconcile.ReasonTooYoung, Words{Text: "too recent, the live integration may still send it"}},
	{reconcile.ReasonNotScheduled, Words{Text: "another entry of the schedule does it"}},
	{reconcile.ReasonNotListed, Words{Text: "not on the list that was asked for"}},
	{reconcile.ReasonExcepted, Words{Text: "left out of this run by a list"}},
	{reconcile.ReasonPaused, Words{Text: "the destination is paused", Next: "When it may go on: makegood resume DESTINATION --note ..."}},
	{reconcile.ReasonFuse, Words{Text: "not tried, the destination was stopped"}},
	{reconcile.ReasonEvidenceStale, Words{Text: "the record of the live integration is out of date",
		Next: "See why that record is empty or late; nothing is sent before it is known."}},
	{reconcile.ReasonEvidenceUnmet, Words{Text: "the record of the live integration knows few of the orders",
		Next: "Compare an order number with that record; nothing is sent before it is known which is right."}},
	{reconcile.ReasonTrial, Words{Text: "not yet sent, the destination is on trial"}},
	{reconcile.ReasonWasSent, Words{Text: "the record of the live integration named it once, and names it no longer",
		Next: "Look up at the platform whether it has them. What it lacks goes by a list: makegood run --orders FILE."}},
	{reconcile.ReasonShadowPeriod, Words{Text: "left by shadow or a trial, and not asked for since",
		Next: "Make a plan of that time, look at it, and apply it: makegood plan --target DESTINATION --from DAY, makegood apply PLAN."}},
	{reconcile.ReasonBudget, Words{Text: "the budget of this run is spent"}},
	{reconcile.ReasonBrake, Words{Text: "not like the last runs, and nobody has looked",
		Next: "Look at the plan. If it is right, apply it."}},
	{reconcile.ReasonPerRun, Words{Text: "enough for this person in one run"}},
	{reconcile.ReasonInterrupted, Words{Text: "not tried, the run was stopped"}},
	{reconcile.ReasonWaits, Words{Text: "waits for another message of the order"}},
	{reconcile.ReasonRetryable, Words{Text: "the platform could not take it now"}},
	{reconcile.ReasonSourceFailed, Words{Text: "its source could not be read to the end"}},
	{reconcile.ReasonCartsStale, Words{Text: "the open carts are older than fresh_within allows"}},
	{reconcile.ReasonNeedsApproval, Words{Text: "it would charge customers, and nobody has approved it",
		Next: "Make a plan, look at it, and approve it: makegood plan, makegood approve PLAN --by NAME --note ... (--key FILE in place of --by where plans.approvers lists keys), makegood apply PLAN."}},
	{reconcile.ReasonMoved, Words{Text: "changed since the plan was made"}},
	{reconcile.ReasonLedgerFailed, Words{Text: "the ledger could not be written"}},

	{reconcile.ReasonSent, Words{Text: "accepted in this run"}},
	{reconcile.ReasonSentHere, Words{Text: "by makegood"}},
	{reconcile.ReasonProven, Words{Text: "reported by the live integration"}},
	{reconcile.ReasonAssumed, Words{Text: "assumed"}},
	{reconcile.ReasonRejected, Words{Text: "refused for what it says"}},
	{reconcile.ReasonNoAnswer, Words{Text: "no answer came"}},
	{reconcile.ReasonLostClaim, Words{Text: "a run was cut off while it sent"}},
	{reconcile.ReasonUnreadable, Words{Text: "an answer that cannot be understood"}},
}

// mark is the sign of a bucket in the margin, as a person scans for it.
func mark(b reconcile.Bucket) string {
	switch b {
	case reconcile.BucketSent:
		return "+"
	case reconcile.BucketAlreadySent:
		return "="
	case reconcile.BucketHeldBack:
		return "-"
	case reconcile.BucketRefused:
		return "!"
	case reconcile.BucketInDoubt:
		return "?"
	}
	return "."
}

// BucketWords names a bucket (RULES R23).
func BucketWords(b reconcile.Bucket) string {
	switch b {
	case reconcile.BucketSent:
		return "accepted by the platform"
	case reconcile.BucketAlreadySent:
		return "sent before"
	case reconcile.BucketHeldBack:
		return "not sent on purpose"
	case reconcile.BucketRefused:
		return "refused by the platform"
	case reconcile.BucketInDoubt:
		return "sent, answer unknown"
	}
	return "still to send"
}

// PlaceWords say where an event or an order is, and why: "not sent on purpose:
// no address on the order".
func PlaceWords(p reconcile.Place) string {
	where := BucketWords(p.Bucket)
	switch p.Bucket {
	case reconcile.BucketLeftOut:
		where = "left out by its source"
	case reconcile.BucketBad:
		where = "a bad order"
	case reconcile.BucketNotForTarget:
		where = "not for this destination"
	}
	return where + ": " + ReasonWords(p.Reason).Text
}

// kindWords names a kind of message.
func kindWords(kind string) string {
	if kind == string(reconcile.KindCart) {
		return "cart change"
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// changeWords says how an order differs from what was sent of it.
func changeWords(change string) string {
	switch change {
	case "refund":
		return "is worth less now"
	case "cosmetic":
		return "changed in name, store or time only"
	}
	return "changed"
}
