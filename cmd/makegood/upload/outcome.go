package upload

import "fmt"

// Outcome is what became of the messages of a plan that was approved.
type Outcome struct {
	Approved int
	Went     int // now, or meanwhile by others
	Before   int // of those that went: meanwhile by others
	Unknown  int // no answer came
}

func (u Upload) outcome() Outcome { return outcomeOf(u.Planned, u.Sent) }

// outcomeOf compares a plan with what was sent of it. What the preview promised
// and nobody can show to have gone, has not.
func outcomeOf(planned, sent *Preview) (o Outcome) {
	if sent == nil {
		return o
	}
	before := map[string]int{}
	if planned != nil {
		o.Approved = planned.events()
		for _, t := range planned.Targets {
			before[t.Target] = t.Before
		}
	}
	for _, t := range sent.Targets {
		meanwhile := 0
		if planned != nil {
			meanwhile = max(t.Before-before[t.Target], 0)
		}
		o.Before, o.Went, o.Unknown = o.Before+meanwhile, o.Went+t.Send.Events+meanwhile, o.Unknown+t.Unknown
	}
	return o
}

// Missing counts the messages that did not go, or of which nobody knows.
func (o Outcome) Missing() int { return max(o.Approved-o.Went, 0) }

func (o Outcome) title() string {
	switch {
	case o.Missing() == 0:
		return "Sent"
	case o.Went > 0:
		return fmt.Sprintf("Sent in part: %s of %s", thinNumber(o.Went), thinNumber(o.Approved))
	case o.Unknown > 0:
		return "Answer unknown"
	}
	return "Nothing went"
}

// words stand in the list of uploads.
func (o Outcome) words() string {
	switch {
	case o.Missing() == 0:
		return "sent"
	case o.Went > 0:
		return fmt.Sprintf("sent in part, %s of %s messages", thinNumber(o.Went), thinNumber(o.Approved))
	case o.Unknown > 0:
		return "answer unknown"
	}
	return "nothing went"
}

// deed stands in the history, before how many messages were sent.
func (o Outcome) deed() string {
	switch {
	case o.Missing() == 0:
		return "sent"
	case o.Went > 0:
		return fmt.Sprintf("sent in part, of %s approved", thinNumber(o.Approved))
	case o.Unknown > 0:
		return fmt.Sprintf("got no answer, of %s approved", thinNumber(o.Approved))
	}
	return fmt.Sprintf("sent nothing, of %s approved", thinNumber(o.Approved))
}

// Lead says whether everything went, and what to do where it did not: no run
// reads an upload again.
func (o Outcome) Lead() string {
	if o.Missing() == 0 {
		lead := "What was approved went: " + messages(o.Went) + "."
		if o.Before > 0 {
			lead += " " + thinNumber(o.Before) + " of them had been sent meanwhile, and did not go again."
		}
		return lead
	}
	lead := fmt.Sprintf("Of %s that were approved, %s went.", messages(o.Approved), thinNumber(o.Went))
	if o.Unknown > 0 {
		lead += " Of " + thinNumber(o.Unknown) + " nobody knows: no answer came."
	}
	return lead + " No run sends the rest by itself. Make another preview of this file: it shows what is still to send, and nothing goes twice."
}

// Next says what to do about orders that neither went nor are refused for good.
func (sum Sum) Next() (list []string) {
	if sum.Unsent > 0 && sum.Applied {
		list = append(list, "Not sent yet: "+messages(sum.Unsent)+". No run sends them by itself. Make another preview of this file, and have the rest sent.")
	}
	if sum.Unsent > 0 && !sum.Applied {
		list = append(list, "Not to send now: "+messages(sum.Unsent)+", for the reasons above. No run sends them by itself. Make another preview of this file once the reason is gone.")
	}
	if sum.Unknown > 0 {
		list = append(list, "Answer unknown: "+messages(sum.Unknown)+". They may have arrived. Make another preview of this file: what may go again without harm is to send there. Of the rest somebody looks up at the platform whether it has them, and whoever runs this service says so with makegood resolve.")
	}
	return list
}

func thinNumber(n int) string { return thin(fmt.Sprint(n)) }

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return thinNumber(n) + " messages"
}
