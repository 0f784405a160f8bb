package reconcile

import (
	"fmt"
	"hash/maphash"
	"sync"
)

// Limits say how much one run may send to a target, and what one order may be
// charged there. The zero value sets none.
type Limits struct {
	// TrialOrders and TrialShare bound a trial, which sends the newest orders of
	// each kind: the smaller of so many and so large a share of those that are
	// younger than a day, one at least. 0 is no bound.
	TrialOrders int
	TrialShare  float64
	// Orders and Money are the run's budget: orders by the first that goes, money
	// by currency. Nothing goes in a currency that Money does not name, unless
	// it is nil.
	Orders int
	Money  Money
	// Refused is the share of outcomes that may be refusals; 0: any.
	Refused float64
	// PerPerson is how many events of one person go in one run; 0: any number.
	PerPerson int
	// MaxCharge is what one order may be charged in all, by whichever runs;
	// nothing is charged in a currency that it does not name, unless it is nil.
	MaxCharge Money
}

// lacks reports whether a value is in a currency that the budget does not name.
func (l Limits) lacks(v Value) bool {
	if l.Money == nil || v.Amount == nil {
		return false
	}
	_, known := l.Money[v.Currency]
	return !known
}

// fewOutcomes is how many outcomes say something about the share refused.
const fewOutcomes = 20

// allowance is what a run may still send to one target. It is safe for
// concurrent use.
type allowance struct {
	limits Limits
	trial  map[uint64]bool // the orders that a trial sends; nil: no trial

	mu       sync.Mutex
	orders   map[uint64]bool // that were begun, where a budget bounds them
	money    Money
	persons  map[uint64]int
	seed     maphash.Seed
	outcomes int
	refused  int
	end      string // why nothing more is admitted; "": more is
	halt     Reason // why what was admitted does not go either; "": it does
	brake    bool   // too many refusals among the first stop it
}

// newAllowance makes what a run may send; a trial picks among the candidates.
func newAllowance(t *Target, from candidates) *allowance {
	a := &allowance{limits: t.Limits, orders: map[uint64]bool{}, persons: map[uint64]int{}, seed: maphash.MakeSeed()}
	if t.Mode == ModeTrial {
		a.trial = t.Limits.picks(from)
	}
	return a
}

// admit lets an event go, or gives the reason why it does not go in this run.
// What an event was admitted for is spent, whatever becomes of it.
func (a *allowance) admit(e Event) (Reason, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.picked(e):
		return ReasonTrial, nil
	case a.halt != "":
		return a.halt, nil
	case a.end != "":
		return ReasonBudget, nil
	}
	who := maphash.String(a.seed, string(e.Person))
	counts := a.limits.PerPerson > 0 && e.Person != ""
	if counts && a.persons[who] >= a.limits.PerPerson {
		return ReasonPerRun, nil
	}
	if reason, err := a.spend(e); reason != "" || err != nil {
		return reason, err
	}
	if counts {
		a.persons[who]++
	}
	return "", nil
}

// picked reports whether an event is of an order that a trial picked; without a
// trial all are.
func (a *allowance) picked(e Event) bool { return a.trial == nil || a.trial[orderMark(e.ID)] }

// spend takes an event's order and money out of the budget. The first that
// does not fit ends it: what is smaller must not overtake what is older.
func (a *allowance) spend(e Event) (Reason, error) {
	order, money := a.orderOf(e), a.money
	begins := a.limits.Orders > 0 && e.counts() && !a.orders[order]
	if begins && len(a.orders) >= a.limits.Orders {
		a.end = fmt.Sprintf("its budget of %d orders a run is spent", a.limits.Orders)
		return ReasonBudget, nil
	}
	value := e.ID.counted(e.Value)
	if a.limits.lacks(value) {
		return ReasonNoBudget, nil
	}
	if a.limits.Money != nil && value.Amount != nil {
		most := a.limits.Money[value.Currency]
		var err error
		if money, err = plusAbs(money, value); err != nil {
			return "", err
		}
		if total := money[value.Currency]; total.Cmp(most) > 0 {
			a.end = fmt.Sprintf("its budget of %s %s a run is spent, or too small for the next order", most, value.Currency)
			return ReasonBudget, nil
		}
	}
	a.money = money
	if begins {
		a.orders[order] = true
	}
	return "", nil
}

// plusAbs adds an amount whatever its sign: what is given back is sent, too.
func plusAbs(m Money, v Value) (Money, error) {
	sum, err := Add(m[v.Currency], v.Amount.Abs())
	if err != nil {
		return nil, err
	}
	more := Money{v.Currency: sum}
	for currency, amount := range m {
		if currency != v.Currency {
			more[currency] = amount
		}
	}
	return more, nil
}

// counts reports whether an order is counted by an event: by the first that
// goes, whichever step of its chain that is. Carts and corrections are of orders
// that were counted when their purchases went.
func (e Event) counts() bool { return e.Kind != KindCart && e.ID.Revision() == 1 }

// orderOf tells orders apart, in little memory.
func (a *allowance) orderOf(e Event) uint64 {
	key, err := e.ID.Key()
	if err != nil {
		return maphash.String(a.seed, string(e.ID))
	}
	return maphash.String(a.seed, key.Shop+"\x00"+key.Order)
}

// learn takes in what came back, and ends it all when too much was refused.
func (a *allowance) learn(outcomes []Outcome) {
	if a.limits.Refused <= 0 && !a.brake {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range outcomes {
		switch o.Verdict {
		case Rejected:
			a.refused++
			a.outcomes++
		case Sent, InDoubt:
			a.outcomes++
		}
		a.judge()
	}
}

func (a *allowance) judge() {
	share := a.limits.Refused
	switch {
	case a.halt != "":
	case share > 0 && a.outcomes >= fewOutcomes && float64(a.refused) > share*float64(a.outcomes):
		a.halt = ReasonBudget
		a.end = fmt.Sprintf("%d of %d messages were refused, which is more than its budget allows", a.refused, a.outcomes)
	case a.brake && a.outcomes <= brakeFirst && a.refused > brakeRefused:
		a.halt = ReasonBrake
		a.end = fmt.Sprintf("%d of the first %d messages were refused: more than %d in %d", a.refused, a.outcomes, brakeRefused, brakeFirst)
	}
}

// over gives the reason why nothing more goes, not even what was admitted; ""
// while it does.
func (a *allowance) over() Reason {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.halt
}

// why says in words what ended the budget, "" while it lasts.
func (a *allowance) why() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end
}
