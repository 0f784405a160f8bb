package reconcile

import (
	"context"
	"fmt"
	"time"
)

// clockSlack is how far this host's clock may be behind the ledger, or beside the
// clock that all its users share.
const clockSlack = 5 * time.Second

// CheckClock refuses to work with a clock that is wrong: ages, windows and waits
// would all be judged wrongly. Where many hosts use the ledger, the clock of its
// database says what time it is, whatever the others wrote; otherwise this host's
// clock must not have jumped back. isRight is a person's word that it is right.
func CheckClock(ctx context.Context, led Reader, clock func() time.Time, isRight bool) error {
	before := clock()
	shared, last, err := led.SharedClock(ctx)
	if err != nil {
		return fmt.Errorf("read the clock of the ledger's database: %w", err)
	}
	now := clock()
	many := !shared.IsZero()
	if behind := shared.Sub(now); many && behind > clockSlack && !isRight {
		return besideClock(now, shared, behind, "behind")
	}
	if ahead := before.Sub(shared); many && ahead > clockSlack && !isRight {
		return besideClock(now, shared, ahead, "ahead of")
	}
	newest, err := led.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read when the ledger was last written: %w", err)
	}
	another := many && last.Sub(shared) <= clockSlack // host's clock was wrong when it wrote
	if newest.Sub(now) > clockSlack && !another && !isRight {
		return &ClockError{fmt.Sprintf("begin a run at %s: the ledger was written at %s: set this machine's clock; "+
			"if it was wrong then and is right now, say --clock-is-right", now.UTC().Format(time.RFC3339), newest.Format(time.RFC3339))}
	}
	return nil
}

// ClockError says that this machine's clock is wrong.
type ClockError struct{ text string }

func (e *ClockError) Error() string { return e.text }

// besideClock says which of two clocks to set.
func besideClock(now, shared time.Time, by time.Duration, where string) error {
	return &ClockError{fmt.Sprintf("begin a run at %s: by the clock of the ledger's database, which all machines share, it is %s: this machine's clock is %s %s it: set it; "+
		"if it is right and the database's is wrong, set that one, or say --clock-is-right", now.UTC().Format(time.RFC3339), shared.UTC().Format(time.RFC3339), by.Round(time.Second), where)}
}
