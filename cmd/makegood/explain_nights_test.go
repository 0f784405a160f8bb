package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"makegood/sinks/simulator"
)

// explainedCarts are checkouts whose cart is left as it is.
var explainedCarts = situations{
	"carts": func(w witness) {
		const h = time.Hour
		w.conf["targets"], w.conf["sources"] = fields{}, fields{}
		w.tills("tills", nil)
		w.collect("stores", fields{"send": []string{"purchase", "cart_clear"}})
		w.csv("tills.csv", usualHeader, checkout("1", 3*h, "ann", "KETTLE"), checkout("2", 3*h, "bob", "KETTLE"), checkout("3", 3*h, "cas", "KETTLE"),
			checkout("4", 3*h, "dee", "KETTLE"), checkout("5", 5*h, "eve", "KETTLE"), checkout("6", 3*h, "eve", "MUG"), checkout("7", 3*h, "fay", "KETTLE"))
		w.csv("carts.csv", cartsHeader, open(h, "ann", "KETTLE"), open(30*h, "bob", "MUG"), "cas@example.com,KETTLE,1,10,", open(30*h, "dee", "KETTLE"), open(30*h, "dee", "MUG"),
			open(30*h, "eve", "KETTLE"), open(30*h, "eve", "MUG"))
		w.night()
		for order, want := range map[string]string{"1": "cart_newer", "2": "cart_unrelated", "3": "cart_order_unknown", "4": "cart_not_sent", "7": "no_cart"} {
			w.tells(order, want+", sent_here")
		}
		w.tells("5", "sent_here, superseded")
		w.tells("6", "sent_here")
	},
	"a cart that nobody knows": func(w witness) {
		w.conf["targets"], w.conf["sources"] = fields{}, fields{}
		w.tills("tills", fields{"columns": columns(fields{"cart_used": "used"})})
		w.collect("stores", fields{"cart": fields{"in_store": fields{"known_by": "column", "column": "cart_used"}}})
		w.csv("tills.csv", usualHeader+",used", checkout("1", time.Hour/2, "ann", "KETTLE")+",")
		w.night()
		w.tells("1", "cart_unknown, sent_here")
	},
	"open carts that cannot be read": func(w witness) {
		w = w.at(cartShop(w.T))
		write(w.T, w.dir, "carts.csv", "")
		w.night()
		w.tells("1", "sent_here, source_failed")
	},
	"open carts of this morning": func(w witness) {
		w = w.at(cartShop(w.T))
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(w.dir, "carts.csv"), old, old); err != nil {
			w.T.Fatal(err)
		}
		w.night()
		w.tells("1", "carts_stale, sent_here")
	},
	"known by customer id": func(w witness) {
		w.conf["targets"], w.conf["sources"] = fields{}, fields{}
		w.tills("tills", fields{"columns": columns(fields{"customer": "loyalty"})})
		w.collect("stores", fields{"identity": "contact_key", "send": []string{"purchase"}})
		w.csv("tills.csv", usualHeader+",loyalty", checkout("1", time.Hour, "ann", "KETTLE")+",", checkout("2", time.Hour, "bob", "KETTLE")+",K-7")
		w.night()
		w.tells("1", "no_contact_key")
		w.tells("2", "sent_here")
	},
	"filled again between plan and apply": func(w witness) {
		w = w.at(cartShop(w.T))
		plan := w.makegood(exitLeft, "plan")
		w.csv("carts.csv", cartsHeader, open(time.Hour, "ann", "KETTLE"))
		w.makegood(exitDone, "apply", plan.Plan.Path)
		w.tells("1", "cart_newer, sent_here")
	},
	"erased between plan and apply": func(w witness) {
		w = w.at(cartShop(w.T))
		write(w.T, w.dir, "erased.csv", "")
		w.conf["suppress"] = []string{"erased.csv"}
		plan := w.makegood(exitLeft, "plan")
		write(w.T, w.dir, "erased.csv", "ann@example.com\n")
		w.makegood(exitDone, "apply", plan.Plan.Path)
		w.tells("1", "suppressed")
	},
	"the purchase must go first": func(w witness) {
		w = w.at(cartShop(w.T))
		setFaults(w.T, w.sim, "status=503,retry_after=600@/c2/123456/track_conversion")
		w.night()
		w.tells("1", "retryable, waits")
		w.night()
		w.tells("1", "retry_later, waits")
	},
}

// explainedNights are orders that a night left for the next one.
var explainedNights = situations{
	"evidence": func(w witness) {
		s, recorded := evidenceShop(w.T, nil)
		w = w.at(s)
		w.csv("sent.csv", "order_id,sent_at")
		w.night()
		w.tells("1003", "evidence_stale")
		other := make([]string, len(recorded))
		for i := range recorded {
			other[i] = "W" + recorded[i]
		}
		w.csv("sent.csv", "order_id,sent_at", other...)
		w.night()
		w.tells("1003", "evidence_unmet")
		w.csv("sent.csv", "order_id,sent_at", recorded...)
		w.night()
		w.tells("1003", "proven")
		w.tells("1024", "sent_here")
	},
	"two runs at the same time": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		var once sync.Once
		w.sim.OnAccept(func(simulator.Accepted) {
			once.Do(func() {
				w.tells("1", "busy")
				w.night()
				w.tells("1", "busy")
			})
		})
		w.night()
		w.tells("1", "sent_here")
	},
	"a run that was stopped": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5", "3,"+ago(time.Hour)+",cas@example.com,MUG,1,5")
		ctx, stop := context.WithCancel(w.Context())
		w.sim.OnAccept(func(simulator.Accepted) { stop() })
		var said bytes.Buffer
		if code := run(ctx, []string{"run", "-c", w.file()}, os.LookupEnv, stdio{strings.NewReader(""), &said, &said}); code != exitLeft {
			w.Fatalf("exit %d\n%s", code, said.String())
		}
		w.tells("3", "interrupted")
	},
	"orders that move": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5")
		plan := w.makegood(exitLeft, "plan")
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,2,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5")
		w.makegood(exitLeft, "apply", "--skip-moved", plan.Plan.Path)
		w.tells("1", "moved")
	},
	"a ledger that takes no claim": func(w witness) {
		w.orders("shop", "0,2019-06-01 10:00:00,ann@example.com,MUG,1,5")
		w.night()
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.alter("makegood.db", "CREATE TRIGGER broken BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END")
		w.night()
		w.alter("makegood.db", "DROP TRIGGER broken")
		w.tells("1", "ledger_failed")
	},
	"more changes than are believed": func(w witness) {
		w = w.at(changingShop(w.T, 30))
		w.priced(30, "7")
		w.night()
		w.tells("1007", "many_changes, sent_here")
	},
	"what was forgotten": func(w witness) {
		before := func(days int) string { return time.Now().AddDate(0, 0, -days).Format(time.DateOnly) }
		w.orders("shop", "1,"+day(200)+",ann@example.com,MUG,1,5")
		w.night("--from", before(210))
		code, out, errs := makegood(w.T, "ledger", "prune", "--before", before(100), "-c", w.file())
		w.contains(fmt.Sprint(code, out, errs), "activate: 1 messages forgotten")
		w.night("--from", before(210))
		w.tells("1", "pruned")
	},
	"a change that may not go on": func(w witness) {
		w = w.at(changingShop(w.T, 1))
		w.priced(1, "7")
		setFaults(w.T, w.sim, "status=503,retry_after=600")
		w.night()
		w.tells("1000", "retryable, sent_here")
		w.activate("activate", nil)
		w.night()
		w.tells("1000", "change_not_sent, sent_here")
	},
}

// explainedAnswers are orders that a platform answered, or did not.
var explainedAnswers = situations{
	"refused": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		setFaults(w.T, w.sim, "status=422")
		w.night()
		w.tells("1", "rejected")
	},
	"no answer": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		setFaults(w.T, w.sim, "drop")
		w.night()
		w.tells("1", "no_answer")
		setFaults(w.T, w.sim)
		w.night()
		w.tells("1", "sent_here")
	},
	"no answer, night after night": func(w witness) {
		const nights = 30
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		setFaults(w.T, w.sim, "drop")
		for range nights {
			w.night()
		}
		w.tells("1", "no_answer")
		_, text, _ := makegood(w.T, "explain", "1", "-c", w.file())
		for _, part := range []string{"attempt 1 ", "22 more attempts: --json tells them", "attempt 24 ", "attempt 30 "} {
			w.contains(text, part)
		}
	},
	"much more than usual": func(w witness) {
		var rows []string
		for n := range 7 {
			rows = append(rows, fmt.Sprintf("%d,%s,p%[1]d@example.com,MUG,1,5", n, ago(time.Hour)))
			w.orders("shop", rows...)
			w.night()
		}
		for n := range 201 {
			rows = append(rows, fmt.Sprintf("%d,%s,p%[1]d@example.com,MUG,1,5", 100+n, ago(time.Hour)))
		}
		w.orders("shop", rows...)
		w.night()
		w.tells("100", "brake")
	},
	"the catalog lacks it": func(w witness) {
		w.csv("products.csv", "id", "MUG")
		w.activate("activate", fields{"catalog": fields{"path": "products.csv", "sku": "id"}, "unknown_sku": "hold"})
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUGS,1,5")
		w.night()
		w.tells("1", "unknown_sku")
	},
	"a run may send so much": func(w witness) {
		w.activate("activate", fields{"concurrency": 1, "mode": "trial", "trial": fields{"orders": 1},
			"budget": fields{"money": fields{"SEK": "1"}}})
		w.orders("shop", "1,"+ago(3*time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		w.tells("1", "no_budget")
		w.activate("activate", fields{"concurrency": 1, "mode": "trial", "trial": fields{"orders": 1}, "per_run": 1})
		w.orders("shop", "1,"+ago(3*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(2*time.Hour)+",ann@example.com,MUG,1,6",
			"3,"+ago(time.Hour)+",bob@example.com,MUG,1,5")
		w.night()
		w.tells("1", "trial")
		w.activate("activate", nil)
		w.night()
		w.tells("2", "shadow_period")
	},
	"so much for a person, and in all": func(w witness) {
		w.activate("activate", fields{"concurrency": 1, "per_run": 1, "since": "2020-01-02"})
		w.orders("shop", "2,"+ago(2*time.Hour)+",ann@example.com,MUG,1,6", "4,"+ago(time.Hour)+",ann@example.com,MUG,1,7")
		w.night()
		w.tells("4", "per_run")
		w.activate("activate", fields{"concurrency": 1, "budget": fields{"orders": 1}})
		w.orders("shop", "5,"+ago(2*time.Hour)+",ann@example.com,MUG,1,6", "6,"+ago(time.Hour)+",cas@example.com,MUG,1,7")
		w.night()
		w.tells("6", "budget")
	},
	"paused": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		if code, out, errs := makegood(w.T, "pause", "activate", "--note", "stocktaking", "-c", w.file()); code != exitDone {
			w.Fatalf("pause: exit %d\n%s%s", code, out, errs)
		}
		w.orders("shop", "2,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		w.tells("2", "paused")
	},
	"the address is wrong": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5")
		setFaults(w.T, w.sim, "status=404")
		w.night()
		w.tells("1", "retryable")
		w.tells("2", "fuse")
	},
	"a run that was killed": func(w witness) {
		w.conf["targets"], w.conf["sources"] = fields{}, fields{}
		w.tills("tills", nil)
		w.collect("stores", fields{"send": []string{"purchase"}, "cart": nil, "concurrency": 1})
		w.tickets(1)
		setFaults(w.T, w.sim, "hang")
		cmd := play(w.T, "run", "-c", w.file())
		check(w.T, cmd.Start())
		for begun := time.Now(); w.requests() == 0 && time.Since(begun) < 30*time.Second; {
			time.Sleep(time.Millisecond)
		}
		check(w.T, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		w.tells("1", "lost_claim")
		w.night()
		w.tells("1", "lost_claim")
		code, out, errs := makegood(w.T, "resolve", "--sent", "--note", "it is in the list", "1", "-c", w.file())
		w.contains(fmt.Sprint(code, out, errs), "1 ended")
		w.tells("1", "assumed")
	},
}
