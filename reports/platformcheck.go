package reports

import (
	"slices"
	"strings"
	"time"

	"makegood/reconcile"
)

// PlatformCheck is the platform's own way to see whether what was sent is there,
// with the orders to look for: the steps of its document, and nothing beyond
// them. It stands in the report of the run with a destination's first accepted
// order.
type PlatformCheck struct {
	Orders []string    `json:"orders"` // as the platform knows them, of the last 24 hours; at most 3
	Steps  []CheckStep `json:"steps"`
}

// CheckStep is one step; Command is what to type, "" where there is nothing.
type CheckStep struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// Looked says what was sent: to a destination of a type, by a run that began at
// After. Test says that it was sent to one's own address.
type Looked struct {
	Type, Target string
	Orders       []reconcile.Accepted
	After        time.Time
	Now          time.Time
	Zone         *time.Location
	Test         bool
}

// youngFor is how old an order may be that the audience of the document shows:
// its retention is one day.
const youngFor = 24 * time.Hour

// CheckOf gives the check of what was sent, nil where the platform's documents
// name none.
func CheckOf(l Looked) *PlatformCheck {
	if len(l.Orders) == 0 {
		return nil
	}
	var steps []CheckStep
	young := slices.DeleteFunc(slices.Clone(l.Orders), func(o reconcile.Accepted) bool { return l.Now.Sub(o.CompletedAt) >= youngFor })
	c := &PlatformCheck{Orders: []string{}}
	for _, o := range young {
		c.Orders = append(c.Orders, Mask(o.Shown))
	}
	switch l.Type {
	case "squeezely", "spotler":
		steps = l.audience(c.Orders)
	case "collect":
		steps = l.ownCart()
	case "emanage":
		steps = l.testCart()
	}
	if len(steps) == 0 {
		return nil
	}
	c.Steps = steps
	return c
}

// audience is the check of Squeezely, now Spotler Activate [P].
func (l Looked) audience(orders []string) []CheckStep {
	where := "Go to Audiences and create a new audience"
	if l.Type == "squeezely" {
		where = "Go to https://squeezely.tech/data/audience/new"
	}
	if len(orders) == 0 {
		step := CheckStep{Text: "None of the accepted orders is younger than 24 hours, and the audience of the platform's check shows one day: check after a run that sends a younger one, or send one by hand",
			Command: "makegood send --order N --target " + quoted(l.Target)}
		if l.Test { // after a test, nobody is to send a customer's order
			step.Text = "The order is older than 24 hours, and the audience of the platform's check shows one day: test with a younger one"
			step.Command += " --to-self you@example.com"
		}
		return []CheckStep{step}
	}
	return []CheckStep{
		{Text: where + ", and click on custom"},
		{Text: "Set the rules Events = purchase, Name = Test backend purchase, Retention = 1; save the audience, and wait until its status is live"},
		{Text: "Click on Inspect, and on an event ID of " + orList(orders)},
		{Text: "Created at: is it after " + moment(l.After, l.Zone) + "? If not, select another event ID"},
		{Text: "Api inserted, Api verified: does one of them contain yes? Then it is right; if not, check the implementation"},
		{Text: "Consent fields are not visible in the event when only a backend purchase was sent; a change of consent shows in the profile of the event"},
	}
}

// ownCart is the test with one's own cart: Collect has no way to look an order
// up, and takes any MID [P].
func (l Looked) ownCart() []CheckStep {
	var steps []CheckStep
	if !l.Test {
		steps = append(steps, CheckStep{Text: "Collect names no way to look an order up, and takes any MID without an error: send one to yourself, with purchase and cart as they are configured",
			Command: "makegood send --order " + quoted(Mask(l.Orders[0].Order)) + " --target " + quoted(l.Target) + " --to-self you@example.com"})
	}
	return append(steps,
		CheckStep{Text: "Open the shop's cart page, logged in with your address, and search its network tab for igo: the page's own requests name the MID, the address and the items as they must be"},
		CheckStep{Text: "Save such a request to a file; what makegood sends stands beside it, field by field", Command: "makegood check --like request.txt"},
		CheckStep{Text: "Profiles change at the end of the session, so what was sent shows there later"})
}

// testCart says what is known of test carts [P].
func (l Looked) testCart() []CheckStep {
	if !strings.HasSuffix(l.Target, ".test") {
		return nil
	}
	return []CheckStep{{Text: "The carts are marked as tests (behaviorId 2) and charge nobody. The platform's answer to each, its session, is what to ask for there",
		Command: "makegood explain " + quoted(Mask(l.Orders[0].Order))}}
}

// orList gives "1001, 1002 or 1003".
func orList(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

// checkSteps lists the check of a destination as steps.
func (r Report) checkSteps(t Target) (steps []Step) {
	if t.Check == nil {
		return nil
	}
	steps = append(steps, Step{What: "first accepted here: check at the platform whether it is there, as its document says"})
	for i, one := range t.Check.Steps {
		step := Step{What: number(i+1) + ". " + one.Text}
		if words, ok := strings.CutPrefix(one.Command, "makegood "); ok {
			step.Command = r.command(words)
		}
		steps = append(steps, step)
	}
	return steps
}
