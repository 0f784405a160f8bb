package verify

import (
	"encoding/json"
	"fmt"

	"makegood/reconcile"
)

// told is what is read of a run's report.
type told struct {
	Sources []struct {
		Source           string `json:"source"`
		Rows             int    `json:"rows"`
		RowsWithoutOrder int    `json:"rows_without_order"`
		Bad              int    `json:"bad"`
	} `json:"sources"`
	// CarriedBy are the runs that sent what this one sums up.
	CarriedBy []reconcile.RunID `json:"carried_by"`
	Targets   []struct {
		Target  string                     `json:"target"`
		Balance map[string]json.RawMessage `json:"balance"`
	} `json:"targets"`
}

// readReport reads what the run told, and which runs sent it.
func (r *verification) readReport() error {
	r.runs = []reconcile.RunID{r.Run}
	if r.Report == nil {
		return nil
	}
	if err := json.Unmarshal(r.Report, &r.told); err != nil {
		return fmt.Errorf("read the report of run %s: %w", r.Run, err)
	}
	r.runs = append(r.runs, r.told.CarriedBy...)
	return nil
}

// count is one bucket of a report.
type count struct {
	Events int               `json:"events"`
	Money  map[string]string `json:"money"`
}

// compareReport compares the sums with those that the run told: what it met,
// and what it sent.
func (r *verification) compareReport() error {
	if r.Report == nil {
		return nil
	}
	report := r.told
	for _, s := range r.Sources {
		for _, then := range report.Sources {
			if tally := s.Tally(); then.Source == s.Name() && (tally.Rows != then.Rows || tally.RowsWithoutOrder != then.RowsWithoutOrder) {
				r.find(Finding{Source: s.Name(), What: Miscounted, Text: fmt.Sprintf("it has %d rows, %d of them without an order; when run %s read it, %d and %d",
					tally.Rows, tally.RowsWithoutOrder, r.Run, then.Rows, then.RowsWithoutOrder)})
			}
		}
	}
	for _, then := range report.Targets {
		proof := r.targets[then.Target]
		if proof == nil {
			continue
		}
		for name, sum := range map[string]Sum{"eligible": proof.Eligible, "sent": proof.Buckets[reconcile.BucketSent]} {
			var c count
			if err := json.Unmarshal(then.Balance[name], &c); err != nil {
				return fmt.Errorf("read the report of run %s: %w", r.Run, err)
			}
			if !sum.is(c) {
				r.find(Finding{Target: then.Target, What: Miscounted, Text: fmt.Sprintf("%s: counted again %s, run %s told %s", name, sum, r.Run, c)})
			}
		}
	}
	return nil
}
