package roktads

import (
	"fmt"
	"testing"

	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

// FuzzAnswers: whatever a platform answers, each event has a finding, and
// nothing counts as accepted that the answer may refuse.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{``, `{}`, `null`, `{"errors":[]}`, `{"errors":[{"code":"BAD_REQUEST","message":"x Path '[1].events', line 1, position 2."}]}`,
		`{"errors":[{"message":"line 1, position 99999999"}]}`, `{"errors":[{"index":-1}]}`, `{"errors":{}}`, `{"errors":["x"]}`, `{"data":[1]}`,
		`{"success":false}`, `{"unprocessedRecords":[{}]}`, `{"message":"x Path '[1].events'"}`,
		`{"errors":[{"conversionId":"1"}],"warnings":[{"index":0}]}`} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, bulk bool) {
		options, status := conversions(), 200
		if bulk {
			options, status = events(), 202
		}
		s := open(t, options)
		var list []reconcile.Event
		for i := range 3 {
			list = append(list, compose(t, s, order(fmt.Sprint(i))))
		}
		findings, again := s.judge(httpapi.Answer{Status: status, Body: body, Whole: true}, list, s.frame(list))
		if len(findings) != len(list) || len(again) > len(list) {
			t.Fatalf("%d findings, %d again", len(findings), len(again))
		}
		refused := map[int]bool{}
		for _, i := range again {
			refused[i] = true
		}
		for i, one := range findings {
			if one.Verdict == reconcile.Sent && refused[i] || one.Verdict == reconcile.Retryable && !refused[i] || one.Stop {
				t.Errorf("%q: event %d is %s, to be sent again %v", body, i, one.Verdict, refused[i])
			}
		}
	})
}
