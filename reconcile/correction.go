package reconcile

// recall takes from the ledger what it knows of an order: the amount that was
// sent, and that an order with an entry needs no evidence.
func (f *feed) recall(o ordered, have map[EventID]Entry) {
	for i, w := range o.wants {
		e := have[w.ID]
		if e.Version > 0 && w.Hold == ReasonNoEvidence {
			o.wants[i].Hold = ""
		}
		if e.State == StateDone {
			f.note(w, e, o.head.Origin)
			o.wants[i].Value = e.Value
		}
	}
}

// note keeps a change after sending; the order stays sent, with the amount
// that was sent.
func (f *feed) note(w Want, e Entry, origin Origin) {
	change := Changed(w, e)
	if change == "" {
		return
	}
	f.correct(Correction{ID: w.ID, Change: change, Before: e.Value, After: w.Value, Origin: origin})
}

// correct lists a change of an order that was sent.
func (f *feed) correct(c Correction) {
	f.changed++
	if len(f.corrections) < MaxExamples {
		f.corrections = append(f.corrections, c)
	}
}
