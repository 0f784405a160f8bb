package main

import "makegood/reconcile"

// changing says what would let an order go that an ordinary rule holds back. In a
// night's report nobody has to do anything about these; who asks for one order
// wants to know.
var changing = map[reconcile.Reason]string{
	reconcile.ReasonNoEmail:       "an address on the order, where its source is kept",
	reconcile.ReasonBadEmail:      "one readable address on the order, where its source is kept",
	reconcile.ReasonPlaceholder:   "the customer's own address on the order, where its source is kept",
	reconcile.ReasonAnonymised:    "the customer's own address on the order, where its source is kept",
	reconcile.ReasonMarketplace:   "the customer's own address on the order; a marketplace's reaches nobody at the platform",
	reconcile.ReasonNoContactKey:  "a customer id on the order, or another identity of the destination",
	reconcile.ReasonNotPermitted:  "may_send of its source, where somebody stands for it",
	reconcile.ReasonSuppressed:    "nothing here: somebody asked that nothing is sent about it (suppress, or makegood forget)",
	reconcile.ReasonChannel:       "channels and send of the destination; the order's channel is not among them",
	reconcile.ReasonBeforeSince:   "an earlier since of the destination, or a younger order",
	reconcile.ReasonWhen:          "when of the destination, which gives it to another one",
	reconcile.ReasonNoDestination: "a destination that takes such orders: from, channels, when",
	reconcile.ReasonTooOld:        "a longer max_age of the destination (of carts: max_clear_age), or a younger order",
	reconcile.ReasonTooYoung:      "time: min_age of the destination gives whoever else sends it the chance to",
	reconcile.ReasonFutureTime:    "the clock or the zone of its source: it was completed in the future",
	reconcile.ReasonNoGoods:       "goods on the order; skip_lines of its source may leave too much out",
	reconcile.ReasonExchange:      "negative_lines of its source",
	reconcile.ReasonReturn:        "nothing: a return is no purchase",
	reconcile.ReasonReversed:      "nothing: a credit note undoes it",
	reconcile.ReasonZeroTotal:     "zero_total: send, at its source",
	reconcile.ReasonUnpaid:        "its payment",
	reconcile.ReasonPaused:        "makegood resume",
	reconcile.ReasonBudget:        "budget of the destination",
	reconcile.ReasonPerRun:        "per_run of the destination",
	reconcile.ReasonCartUnknown:   "cart of the destination: nobody says what the checkout did to the stored cart",
	reconcile.ReasonCartNotSent:   "send of the destination, which does not name that change",
	reconcile.ReasonRetryable:     "the platform; the next run, or the same command, tries again",
	reconcile.ReasonRetryLater:    "time: the platform asked to be left alone; the next run, or the same command later, tries again",
	reconcile.ReasonBusy:          "nothing: another run is sending it at this moment",
	reconcile.ReasonRejected:      "what the platform refuses, at the source; the same message once more: makegood resolve --reopen",
	reconcile.ReasonNoAnswer:      "your word, when you have looked at the platform: makegood resolve",
	reconcile.ReasonLostClaim:     "your word, when you have looked at the platform: makegood resolve",
	reconcile.ReasonSentHere:      "nothing: it is there; whether a repeat counts once is asked by --again",
	reconcile.ReasonProven:        "nothing, where that is right; makegood resolve --lost, where the platform does not have it",
	reconcile.ReasonAssumed:       "nothing, where that is right; makegood resolve --lost, where the platform does not have it",
}

// changed adds to a judgment what would change it, where its own words do not
// say it.
func (j judgment) changed() judgment {
	if text, known := changing[reconcile.Reason(j.Reason)]; known && j.Next == "" && j.Bucket != string(reconcile.BucketSent) {
		j.Next = "what would change it: " + text
	}
	return j
}
