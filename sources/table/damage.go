package table

import (
	"makegood/reconcile"
)

// inspect finds an order number that a spreadsheet has damaged, by what all
// numbers of the source look like (RULES R3). Such an order is never sent.
func (p *pass) inspect(part *partial) {
	if !p.m.learns() {
		return
	}
	label := p.m.rows[rowOrder].label
	for _, f := range part.faults {
		if f.reason == reconcile.ReasonDamagedID && f.label == label {
			return
		}
	}
	what, proposal := p.src.shape.Damage(part.number)
	if what == "" {
		return
	}
	text := shape(part.number) + " " + what
	if proposal != "" {
		text += "; it can only be " + proposal
	}
	part.fail(problem{part.place0(), fault{label, reconcile.ReasonDamagedID, text}})
}
