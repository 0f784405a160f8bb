package upload

import (
	"time"

	"makegood/reconcile"
)

// approvedIt is what the history says of an approval.
const approvedIt = "approved"

// aloneFor is how long what somebody approved alone counts.
const aloneFor = 24 * time.Hour

// alone reports whether nobody but this user has had to do with an upload.
func (upload Upload) alone(u User) bool { return u.Name == upload.By || u.Name == upload.PlannedBy }

// needsSecond says why a second person has a plan sent that this user would
// approve alone, "" where there is no need of one. What they approved alone
// before counts, so that a file in parts is as much as the whole.
func (p *Pages) needsSecond(u User, planned *Preview) string {
	const find = " They sign in and find it in the list of uploads."
	own := "A second person has it sent: you uploaded this file or made its preview." + find
	if p.o.SecondPerson {
		return own
	}
	if p.o.Above == nil {
		return ""
	}
	if planned.exceeds(p.o.Above, nil) {
		return own
	}
	deeds, err := p.history.since(p.o.Clock().Add(-aloneFor))
	if err != nil {
		p.o.Log.Error("what somebody approved alone could not be read, so that a second person is asked for", "error", err)
		return own
	}
	var before []map[string]map[string]string
	for _, d := range deeds {
		if d.Did == approvedIt && d.Alone && d.User == u.Name {
			before = append(before, d.Worth)
		}
	}
	if planned.exceeds(p.o.Above, before) {
		return "A second person has it sent: with what you approved alone in the last 24 hours it is worth more than one person has sent." + find
	}
	return ""
}

// worth is the money of the messages, by destination and currency.
func (p *Preview) worth() map[string]map[string]string {
	list := map[string]map[string]string{}
	for _, t := range p.Targets {
		if t.Send.Events > 0 {
			list[t.Target] = t.Worth
		}
	}
	return list
}

// exceeds reports whether more money would be sent to a destination, together
// with what went there before, than the amounts of some currencies. What has no
// amount, or is in another currency, is more.
func (p *Preview) exceeds(most map[string]reconcile.Decimal, before []map[string]map[string]string) bool {
	for _, t := range p.Targets {
		if t.Send.Events == 0 {
			continue
		}
		if len(t.Worth) == 0 {
			return true
		}
		var sum reconcile.Money
		for _, one := range append(before[:len(before):len(before)], map[string]map[string]string{t.Target: t.Worth}) {
			for currency, text := range one[t.Target] {
				amount, err := reconcile.ParseDecimal(text)
				if err == nil {
					sum, err = sum.Plus(currency, amount)
				}
				if err != nil {
					return true
				}
			}
		}
		for currency := range t.Worth {
			if allowed, named := most[currency]; !named || sum[currency].Cmp(allowed) > 0 {
				return true
			}
		}
	}
	return false
}
