package upload

import (
	"cmp"
	"slices"

	"makegood/reconcile"
	"makegood/reports"
)

// Line is so many rows, orders, messages and money, and why.
type Line struct {
	Label  string `json:"label"`
	Rows   int    `json:"rows"`
	Orders int    `json:"orders"`
	Events int    `json:"events"`
	// Money is what stands in the rows, Value what the messages say.
	Money []string `json:"money,omitempty"`
	Value []string `json:"value,omitempty"`
	// Unpriced are rows without an amount that can be read.
	Unpriced int `json:"unpriced,omitempty"`
	// At names the first rows, and More counts the others.
	At   string `json:"at,omitempty"`
	More int    `json:"more,omitempty"`
	Why  []Line `json:"why,omitempty"`

	sum   reconcile.Count // of messages
	money reconcile.Money // of rows
	wrong bool            // an amount could not be added
}

// The places, by their position among the lines of a sum. What goes later and
// what has no answer are lines only where there is any.
const (
	toSend = iota
	notYet
	noAnswer
	sentBefore
	notSendable
	filteredOut
)

// What stands under the places beside the words of reasons.
const (
	unread  = "orders with a row that cannot be read"
	outside = "completed before 2000, or in the future"
	unknown = "not in this plan"
)

// newSum puts the orders and messages of a report into the places.
func newSum(s reports.Source, t reports.Target, command string) *Sum {
	lines := []Line{{Label: "to send"}, {Label: "not to send now"}, {Label: "answer unknown"}, {Label: "sent before"}, {Label: "not sendable"}, {Label: "filtered out"}}
	if command == "apply" {
		lines[toSend].Label, lines[notYet].Label = "sent", "not sent yet"
	}
	lines[toSend].add("", t.Balance.Sent)
	for _, reason := range t.Reasons {
		if reason.Bucket == reconcile.BucketSent { // counted already
			continue
		}
		at, words := placeOf(reason.Bucket, reconcile.Reason(reason.Reason))
		lines[at].add(words, reason.Count)
	}
	lines[notSendable].orders(unread, s.Bad)
	out := &lines[filteredOut]
	for _, left := range s.LeftOut {
		out.orders(reports.ReasonWords(reconcile.Reason(left.Reason)).Text, left.Orders)
	}
	out.orders(outside, s.OutsideWindow)
	out.orders("versions of one order", s.Merged)
	for _, why := range t.NotReasons {
		out.why(reports.ReasonWords(reconcile.Reason(why.Reason)).Text).Orders += why.Orders
	}
	out.add("", t.Balance.NotForTarget)
	return &Sum{Target: t.Target, Mode: t.Mode, Applied: command == "apply", Lines: lines, Stopped: t.Stopped}
}

// placeOf says which of the places a bucket is of, and why in words.
func placeOf(bucket reconcile.Bucket, reason reconcile.Reason) (at int, why string) {
	words := reports.ReasonWords(reason).Text
	switch bucket {
	case reconcile.BucketSent:
		return toSend, ""
	case reconcile.BucketLeft:
		if reason == reconcile.ReasonPlanned {
			return toSend, ""
		}
		return notYet, words
	case reconcile.BucketInDoubt:
		return noAnswer, words
	case reconcile.BucketAlreadySent:
		return sentBefore, words
	case reconcile.BucketLeftOut, reconcile.BucketNotForTarget:
		return filteredOut, words
	case reconcile.BucketBad:
		return notSendable, unread
	case BucketLoose:
		return notSendable, "rows without an order number"
	case BucketRest:
		return filteredOut, outside
	}
	return notSendable, words
}

// count puts the rows into the places.
func (sum *Sum) count(rows Rows, planned *Preview) {
	sum.Counted = rows.Rows > 0
	list := rows.Targets[sum.Target]
	for _, one := range list {
		if one.Bucket == BucketRest && planned != nil {
			for _, before := range unsaid(one, list, planned.Counted.Targets[sum.Target]) {
				at, why := placeOf(before.Bucket, before.Reason)
				sum.Lines[at].rows(cmp.Or(before.why, why), before.RowsPlace)
			}
			continue
		}
		at, why := placeOf(one.Bucket, one.Reason)
		sum.Lines[at].rows(why, one)
	}
}

// saidBefore is rows that an earlier step told of; why is "" where its place says it.
type saidBefore struct {
	RowsPlace
	why string
}

// unsaid says of rows of which the carrying out of a plan told nothing where the
// preview had them. now is what it told, before what the preview did.
func unsaid(rest RowsPlace, now, before []RowsPlace) (list []saidBefore) {
	n := 0
	for _, one := range before {
		again := slices.ContainsFunc(now, func(o RowsPlace) bool { return o.Bucket == one.Bucket && o.Reason == one.Reason })
		switch {
		case one.Bucket == reconcile.BucketLeft && one.Reason == reconcile.ReasonPlanned:
		case again && one.Bucket != reconcile.BucketAlreadySent && one.Bucket != BucketRest:
		default:
			list, n = append(list, saidBefore{one, ""}), n+one.Rows
		}
	}
	if n != rest.Rows {
		return []saidBefore{{rest, unknown}}
	}
	return list
}

// done adds the places up, and says whether they are what the file has.
func (sum *Sum) done(s reports.Source, balance bool, rows Rows) Sum {
	total := Line{Label: "in the file"}
	for i := range sum.Lines {
		line := &sum.Lines[i]
		total.add("", reports.Count{Orders: line.Orders, Events: line.Events, Money: texts(line.sum.Money)})
		total.Rows, total.Unpriced = total.Rows+line.Rows, total.Unpriced+line.Unpriced
		total.earn(texts(line.money))
		total.wrong = total.wrong || line.wrong
		line.show(sum.Counted)
	}
	sum.Holds = balance && total.Orders == s.OrdersRead
	if sum.Counted {
		whole := Line{}
		whole.earn(rows.Money)
		sum.Holds = sum.Holds && total.Rows == s.Rows && total.Unpriced == rows.Unpriced && slices.Equal(amounts(total.money), amounts(whole.money)) && !total.wrong && !whole.wrong
	}
	total.show(sum.Counted)
	sum.Total, sum.Send = total, sum.Lines[toSend]
	sum.Worth = texts(sum.Send.sum.Money)
	sum.Unsent, sum.Unknown, sum.Before = sum.Lines[notYet].Events, sum.Lines[noAnswer].Events, sum.Lines[sentBefore].Events
	for _, at := range []int{noAnswer, notYet} { // from the end, so that the others stay where they are
		if l := sum.Lines[at]; l.Rows+l.Orders+l.Events == 0 {
			sum.Lines = slices.Delete(sum.Lines, at, at+1)
		}
	}
	return *sum
}

// Differs reports whether the messages say another amount than the rows do.
func (sum Sum) Differs() bool {
	return sum.Counted && sum.Send.Events > 0 && !slices.Equal(sum.Send.Money, sum.Send.Value)
}

// figures are a line as it is shown.
type figures struct {
	Counted bool
	Line    Line
}

func figuresOf(counted bool, line Line) figures { return figures{counted, line} }

// show writes the money: what stands in the rows, or that of the messages where
// nobody counted rows.
func (l *Line) show(counted bool) {
	l.Value = amounts(l.sum.Money)
	if l.Money = amounts(l.money); !counted {
		l.Money = l.Value
	}
	for i := range l.Why {
		l.Why[i].show(counted)
	}
}

// why finds the line of a reason, or adds it.
func (l *Line) why(label string) *Line {
	i := slices.IndexFunc(l.Why, func(o Line) bool { return o.Label == label })
	if i < 0 {
		i, l.Why = len(l.Why), append(l.Why, Line{Label: label})
	}
	return &l.Why[i]
}

// add counts what a balance says; with a reason it is listed.
func (l *Line) add(why string, c reports.Count) {
	part := reconcile.Count{Orders: c.Orders, Events: c.Events}
	for currency, text := range c.Money {
		if amount, err := reconcile.ParseDecimal(text); err == nil {
			part.Money, _ = part.Money.Plus(currency, amount) // it fitted into the report
		}
	}
	_ = l.sum.Add(part)
	l.Orders, l.Events = l.sum.Orders, l.sum.Events
	if why != "" && (c.Orders > 0 || c.Events > 0) {
		l.why(why).add("", c)
	}
}

// orders counts orders of whose worth nobody knows.
func (l *Line) orders(why string, n int) {
	if n > 0 {
		l.add(why, reports.Count{Orders: n})
	}
}

// rows counts rows; with a reason they are listed.
func (l *Line) rows(why string, one RowsPlace) {
	l.Rows, l.Unpriced = l.Rows+one.Rows, l.Unpriced+one.Unpriced
	l.earn(one.Money)
	if why != "" { // each reason names its own
		l.why(why).rows("", one)
		return
	}
	if l.More += one.More; l.At != "" && one.At != "" { // places that have the same words
		l.At += ", "
	}
	l.At += one.At
}

// earn adds what stands in rows.
func (l *Line) earn(money map[string]string) {
	for currency, text := range money {
		amount, err := reconcile.ParseDecimal(text)
		if err == nil {
			l.money, err = l.money.Plus(currency, amount)
		}
		l.wrong = l.wrong || err != nil
	}
}

func texts(m reconcile.Money) map[string]string {
	list := map[string]string{}
	for currency, amount := range m {
		list[currency] = amount.String()
	}
	return list
}

// amounts writes money as people do, with the digits of its currency at least.
func amounts(m reconcile.Money) []string {
	var list []string
	for _, currency := range m.Currencies() {
		amount := m[currency].Trim(reconcile.MinorDigits(currency)).Pad(reconcile.MinorDigits(currency)).String()
		list = append(list, thin(amount)+" "+cmp.Or(currency, "(no currency)"))
	}
	return list
}
