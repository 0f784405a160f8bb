package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/arrivals"
	"makegood/reports"
)

// sideWords are the headings of what people read.
var sideWords = []struct {
	side  arrivals.Side
	words string
}{
	{arrivals.Completed, "At the platform, and completed here"},
	{arrivals.NotCompleted, "At the platform, but no completed order here"},
	{arrivals.Twice, "At the platform more than once"},
	{arrivals.Amount, "At the platform with another amount"},
	{arrivals.Lacking, "Accepted by the platform as the ledger has it, but not in the export"},
}

// namedOrders is how many orders of a group a terminal names.
const namedOrders = 5

func (a *app) tellExport(got exportComparison, rows int) {
	out := a.io.out
	fmt.Fprintf(out, "%s (%s): %s with %s", got.Target, got.Mode, counted(got.Rows, "row"), counted(got.Numbers, "order"))
	if !got.Newest.IsZero() {
		at := func(t time.Time) string { return t.In(got.zone).Format("2006-01-02 15:04") }
		fmt.Fprintf(out, ", from %s to %s (%s)", at(got.First), at(got.Newest), got.Zone)
	}
	fmt.Fprintf(out, "\nRead from the columns %s.\n", got.columnsRead())
	if got.Lines {
		fmt.Fprintln(out, "Its rows are lines of orders: rows of one number that follow each other are one order.")
	}
	for _, warning := range got.Warnings {
		fmt.Fprintf(out, "! %s\n", warning)
	}
	for _, note := range got.Notes {
		fmt.Fprintln(out, note)
	}
	if got.Bad > 0 {
		fmt.Fprintf(out, "%s could not be read:\n", counted(got.Bad, "row"))
		for _, p := range got.Problems[:min(len(got.Problems), rows)] {
			fmt.Fprintf(out, "  %s\n", p)
		}
	}
	for _, side := range sideWords {
		a.tellSide(got, side.side, side.words)
	}
	if !got.Differs() && got.Bad+len(got.Warnings) == 0 {
		fmt.Fprintln(out, "\nNothing differs.")
	}
}

// tellSide writes the groups of one side: how many, what they are worth, which
// they are, and what is known of the cause.
func (a *app) tellSide(got exportComparison, side arrivals.Side, title string) {
	of := slices.DeleteFunc(slices.Clone(got.Groups), func(g arrivals.Group) bool { return g.Side != side })
	if len(of) == 0 {
		return
	}
	fmt.Fprintf(a.io.out, "\n%s\n", title)
	wide, long, what := 0, 0, "order"
	if side == arrivals.Twice {
		what = "further row"
	}
	for _, g := range of {
		wide, long = max(wide, utf8.RuneCountInString(groupWords(g))), max(long, len(counted(g.Orders, what)))
	}
	for _, g := range of {
		line := fmt.Sprintf("  %-*s  %*s  %s", wide, groupWords(g), long, counted(g.Orders, what), reports.Money(g.Money))
		fmt.Fprintln(a.io.out, strings.TrimRight(line, " "))
		if !g.Fine {
			fmt.Fprintf(a.io.out, "      %s\n", firstWords(g))
		}
		if cause := got.cause(g); cause != "" {
			fmt.Fprintf(a.io.out, "      %s\n", cause)
		}
	}
}

// groupWords say what a group is.
func groupWords(g arrivals.Group) string {
	place := reconcile.Place{Bucket: g.Bucket, Reason: g.Reason}
	switch {
	case g.Reason == arrivals.ReasonAgain:
		return "repeated on purpose (makegood send --again)"
	case g.Reason == arrivals.ReasonTestAgain:
		return "tests that were repeated on purpose (makegood send --again)"
	case g.Side == arrivals.Twice:
		return "rows of a number that stands there already"
	case g.Side == arrivals.Amount:
		return "another amount than here"
	case g.Reason == arrivals.ReasonUnknown:
		return "in no source of this destination, nor in the ledger"
	case g.Reason == arrivals.ReasonTest:
		return "a test that somebody sent with makegood send"
	case g.Reason == arrivals.ReasonOther:
		return "the number is another order's here, by its time"
	case g.Bucket == reconcile.BucketAlreadySent && g.Reason == reconcile.ReasonSentHere:
		return "sent by makegood"
	case g.Side == arrivals.NotCompleted:
		return reports.ReasonWords(g.Reason).Text
	}
	return reports.PlaceWords(place)
}

// cause says what is known of the cause of a difference, and what to do.
func (got exportComparison) cause(g arrivals.Group) string {
	switch {
	case g.Reason == arrivals.ReasonAgain, g.Reason == arrivals.ReasonTestAgain:
		return fmt.Sprintf("Where it counts both of a number, it does not merge repeats; say so: makegood decide merges-repeats no --target %s --note \"...\"", got.Target)
	case g.Fine:
		return ""
	case g.Side == arrivals.Twice:
		return "Known causes: the page and the backend both report them and the platform does not merge them, or they were sent again."
	case g.Side == arrivals.Amount:
		return "Known causes: VAT, shipping or discounts on one side alone, or an order that changed after it was sent."
	case g.Side == arrivals.Lacking && g.Reason == reconcile.ReasonSentHere:
		return "Look one up there. If it is lost, makegood resolve --lost sends it again."
	case g.Side == arrivals.Lacking:
		return "Others say that they sent them, and the platform does not have them: with that evidence makegood sends none of them."
	case g.Reason == arrivals.ReasonUnknown:
		return "Known causes: test orders, a source that is not configured, numbers in another form (order_id), or orders that were deleted."
	case g.Reason == arrivals.ReasonOther:
		return "The platform has it from a time at which the order here cannot have come there."
	case g.Bucket == reconcile.BucketBad:
		return "Mend the rows: makegood check names them."
	case g.Reason == reconcile.ReasonStatusNotComplete:
		return "The platform has them before they are complete here: does the shop's page report orders that nobody has paid?"
	case g.Side == arrivals.NotCompleted:
		return "The platform counts what the shop does not: who sends them? Take them out there."
	}
	if !got.settles {
		return got.causeBeside(g)
	}
	switch g.Bucket {
	case reconcile.BucketInDoubt:
		return "They arrived: end the doubts with makegood resolve."
	case reconcile.BucketRefused:
		return "They are there after all: makegood resolve --sent says so."
	case reconcile.BucketLeft, reconcile.BucketHeldBack:
		return got.causeOthers()
	}
	return "Somebody else sends them."
}

// causeOthers is the cause where somebody else sent what makegood would have.
func (got exportComparison) causeOthers() string {
	switch live := got.Mode == config.ModeLive; {
	case got.evidence:
		return "Somebody else sent them, and the records of already_sent do not have them: are those whole, and are their numbers the same?"
	case live:
		return "Somebody else sent them: name who does with already_sent."
	}
	return fmt.Sprintf("Somebody else sends them. Before %s goes live, name who does with already_sent.", got.Target)
}

// causeBeside is the cause where the platform merges what the page reports with
// what the backend sends: a number there may be the page's alone, and the
// backend's purchase is still due (RULES R4).
func (got exportComparison) causeBeside(g arrivals.Group) string {
	const page = "The shop's page may have reported them, or another backend: the export does not show which side did."
	switch g.Bucket {
	case reconcile.BucketInDoubt, reconcile.BucketRefused:
		return page + " Look one up at the platform before makegood resolve says that they arrived."
	case reconcile.BucketLeft, reconcile.BucketHeldBack:
		return page + " What the page reports does not end them; another backend that sends them belongs into already_sent."
	}
	return page
}

// firstWords name the first orders of a group.
func firstWords(g arrivals.Group) string {
	var parts []string
	for _, n := range g.First[:min(len(g.First), namedOrders)] {
		text := n.Order
		switch {
		case n.Nearest != "":
			text += " (nearest: " + n.Nearest + ")"
		case n.Here != "":
			text += fmt.Sprintf(" (%s there, %s here)", n.Amount, n.Here)
		}
		parts = append(parts, text)
	}
	if len(g.First) > namedOrders {
		parts = append(parts, "...")
	}
	return strings.Join(parts, ", ")
}
