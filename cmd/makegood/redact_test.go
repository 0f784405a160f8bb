package main

import (
	"context"
	"strings"
	"testing"

	"makegood/config"
)

// TestRedactor: nobody but the person who tries is told, however a platform
// writes it back.
func TestRedactor(t *testing.T) {
	hash := "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"
	r := newRedactor(&config.Target{APIKey: "s3cret"}, "you@example.com")
	body := r.body([]byte(`{"email":"you@example.com","firstname":"Visser","custom_note":"for Visser","userid":77777,"user_info":{"email":"c-0815"},"to":"thankyou@example.com"}`))
	for _, want := range []string{`"email": "you@example.com"`, `"firstname": "***"`, `"custom_note": "***"`, `"userid": "***"`, `"email": "***"`, `"to": "***"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	body = r.body([]byte(`{"event":"Purchase","orderid":"1001","totalvalue":20.5,"products":[{"id":"MUG","name":"for Dee","quantity":1}],"newsletter":true,"nickname":"Dee",` +
		`"custom_delivery":"ann@example.com Dorpsweg 3 0687654321","custom_card":4711,"Custom_Gift":"from Dee","custom":{"order":"Dorpsweg 5","note":["Dee"]},"user_info":{"other_id":"c-1"}}`))
	for _, want := range []string{`"event": "Purchase"`, `"orderid": "1001"`, `"totalvalue": 20.5`, `"id": "MUG"`, `"name": "***"`, `"quantity": 1`, `"newsletter": "***"`, `"nickname": "***"`,
		`"custom_delivery": "***"`, `"custom_card": "***"`, `"Custom_Gift": "***"`, `"order": "***"`, `"other_id": "***"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	for _, hidden := range []string{"Dorpsweg", "Dee", "0687", "4711"} {
		if strings.Contains(body, hidden) {
			t.Errorf("%s is in %s", hidden, body)
		}
	}
	if got := r.body([]byte("no JSON of Dee's")); got != hiddenText {
		t.Errorf("what is no JSON is shown: %s", got)
	}
	for answer, want := range map[string]string{
		`{"seen":"ann@example.com","again":"ann\u0040example.com","h":"` + hash + `"}`: "{\n  \"again\": \"a***@example.com\",\n  \"h\": \"***\",\n  \"seen\": \"a***@example.com\"\n}",
		"<b>Visser</b> c-0815, key s3cret, you@example.com,you@example.com\x1b[31m":    "<b>***</b> ***, key ***, you@example.com,you@example.com [31m",
		"thankyou@example.com and you@example.com.au":                                  "t***@example.com and y***@example.com.au",
		`{"errors":["custom_gift from Dee is too long"],"custom_delivery":"x"}`:        "{\n  \"custom_delivery\": \"***\",\n  \"errors\": [\n    \"custom_gift *** is too long\"\n  ]\n}",
		"sessionId=abc-123&x=1":   "sessionId=***&x=1",
		`"` + "\x00own\x00" + `"`: `" own "`,
	} {
		if got := r.answer([]byte(answer), true); got != want {
			t.Errorf("%q is told as %q, want %q", answer, got, want)
		}
	}
	long := r.answer([]byte(strings.Repeat("é", 10_000)), true)
	if len(long) > maxAnswerShown+100 || !strings.Contains(long, "20000 bytes in all") {
		t.Errorf("%d bytes of a long answer are shown: ...%s", len(long), long[max(0, len(long)-60):])
	}
}

// TestAgreed: only a yes is one.
func TestAgreed(t *testing.T) {
	for said, want := range map[string]bool{"yes\n": true, " Y \n": true, "no\n": false, "": false, "yes please\n": false, "\n": false} {
		if got, err := agreed(t.Context(), strings.NewReader(said)); got != want || err != nil {
			t.Errorf("%q counts as %v, %v", said, got, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if yes, err := agreed(ctx, blocked{t.Context().Done()}); yes || err == nil {
		t.Errorf("an interruption counts as %v, %v", yes, err)
	}
}

// blocked is a terminal at which nobody types.
type blocked struct{ until <-chan struct{} }

func (b blocked) Read([]byte) (int, error) {
	<-b.until
	return 0, context.Canceled
}
