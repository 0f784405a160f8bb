package sinks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"makegood/reconcile"
)

func TestRetryRepeatsOnlyWhatIsRetryable(t *testing.T) {
	for name, tc := range map[string]struct {
		first    reconcile.Outcome
		attempts int
	}{
		"sent": {accepted, 1}, "refused": {refused, 1}, "in doubt": {doubtful, 1}, "retryable": {unreachable, 3},
		"stop": {wrongLogin, 1}, "unsent": {reconcile.Outcome{Verdict: reconcile.Unsent}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{answer: always(tc.first)}
			begun := time.Now()
			got := Retry(s, RetryOptions{}).Send(t.Context(), events(1))
			if len(s.tries) != tc.attempts || got[0].Verdict != tc.first.Verdict {
				t.Errorf("%s: %d attempts, %s", name, len(s.tries), got[0].Verdict)
			}
			if tc.first.Verdict != reconcile.Unsent && len(got[0].Attempts) != tc.attempts {
				t.Errorf("%s: the outcome carries %d attempts", name, len(got[0].Attempts))
			}
			if took := time.Since(begun); took > 10*time.Second || tc.attempts > 1 && took < 500*time.Millisecond {
				t.Errorf("%s: took %s", name, took)
			}
		})
	}
}

func TestRetrySendsOnlyThePartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: func(n int, e reconcile.Event) reconcile.Outcome {
			switch {
			case e.ID == "purchase/main/1" && n <= 4, e.ID == "purchase/main/3" && n <= 6:
				return unreachable
			case e.ID == "purchase/main/2":
				return refused
			}
			return accepted
		}}
		batch := events(4)
		got := Retry(s, RetryOptions{}).Send(t.Context(), batch)
		matching(t, batch, got)
		for i, want := range []struct {
			verdict  reconcile.Verdict
			attempts int
		}{{reconcile.Sent, 1}, {reconcile.Sent, 2}, {reconcile.Rejected, 1}, {reconcile.Sent, 3}} {
			if got[i].Verdict != want.verdict || len(got[i].Attempts) != want.attempts {
				t.Errorf("event %d: %s after %d attempts", i, got[i].Verdict, len(got[i].Attempts))
			}
		}
		if len(s.batches) != 3 || s.batches[1] != 2 || s.batches[2] != 1 {
			t.Errorf("batches of %v", s.batches)
		}
	})
}

func TestRetryWaitsAsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		after    time.Duration
		attempts int
	}{"within": {20 * time.Second, 2}, "beyond": {31 * time.Second, 1}} {
		synctest.Test(t, func(t *testing.T) {
			until := time.Now().Add(tc.after)
			busy := reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: until}
			s := &scripted{answer: func(n int, _ reconcile.Event) reconcile.Outcome {
				if n == 1 {
					return busy
				}
				return accepted
			}}
			got := Retry(s, RetryOptions{}).Send(t.Context(), events(1))[0]
			if len(s.tries) != tc.attempts {
				t.Errorf("%s: %d attempts", name, len(s.tries))
			}
			if tc.attempts == 2 && (s.at[1].Before(until) || got.Verdict != reconcile.Sent) {
				t.Errorf("%s: %s %s after the first", name, got.Verdict, s.at[1].Sub(s.at[0]))
			}
			if tc.attempts == 1 && (got.Verdict != reconcile.Retryable || !got.NotBefore.Equal(until)) {
				t.Errorf("%s: %s until %s", name, got.Verdict, got.NotBefore)
			}
		})
	}
}

func TestRetryTellsWhatIsKnownWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: func(_ int, e reconcile.Event) reconcile.Outcome {
			if e.ID == "purchase/main/0" {
				return accepted
			}
			return reconcile.Outcome{Verdict: reconcile.Retryable, NotBefore: time.Now().Add(25 * time.Second)}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		got := Retry(s, RetryOptions{}).Send(ctx, events(2))
		if got[0].Verdict != reconcile.Sent || got[1].Verdict != reconcile.Retryable || len(got[1].Attempts) != 1 {
			t.Errorf("got %+v", got)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestRetryKeepsAttemptsWhenTheRepeatIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answer: func(n int, _ reconcile.Event) reconcile.Outcome {
			if n == 1 {
				return unreachable
			}
			return reconcile.Outcome{Verdict: reconcile.Unsent, Reason: reconcile.ReasonInterrupted}
		}}
		got := Retry(s, RetryOptions{}).Send(t.Context(), events(1))[0]
		if got.Verdict != reconcile.Retryable || len(got.Attempts) != 1 {
			t.Errorf("got %+v", got)
		}
	})
}
