package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// explainedBad are orders that cannot be read.
var explainedBad = situations{
	"cells": func(w witness) {
		at := ago(time.Hour)
		w.source("shop", fields{"channel": nil, "order_unique": "always", "columns": columns(fields{"channel": "channel"})})
		long := strings.Repeat("7", 201)
		w.csv("shop.csv", usualHeader+",channel", "1,"+at+",ann@example.com,MUG,one,5,online", "2,"+at+",bob@example.com,MUG,1,5,",
			"3,"+at+",cas@example.com,MUG,1,5,online", "3,"+at+",dee@example.com,MUG,1,5,online", "1.9143E+18,"+at+",eve@example.com,MUG,1,5,online",
			long+","+at+",fay@example.com,MUG,1,5,online", "hue@example.com,"+at+",hue@example.com,MUG,1,5,online", "6,"+at+",gus@example.com,MUG,1,5,fax")
		w.night()
		w.tells("1", "bad_value")
		w.tells("2", "missing_value")
		w.tells("3", "conflict")
		w.tells("1.9143E+18", "damaged_id")
		w.tells(long, "bad_order_id")
		w.tells("hue@example.com", "order_is_address")
		w.tells("6", "bad_channel")
	},
	"rows to fix that nobody has corrected": func(w witness) {
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,one,5", "1,"+ago(time.Hour)+",ann@example.com,CUP,1,5")
		w.night("--marked", filepath.Join(w.dir, "back"))
		text, err := os.ReadFile(filepath.Join(w.dir, "back", "shop.fix.csv"))
		if err != nil {
			w.Fatal(err)
		}
		var kept []string // the row that is wrong was only taken out
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, ",one,") {
				kept = append(kept, line)
			}
		}
		write(w.T, w.dir, "shop.csv", strings.Join(kept, ""))
		w.night()
		w.tells("1", "not_corrected")
	},
	"an hour that the clocks skipped": func(w witness) {
		w.source("shop", fields{"zone": "Europe/Amsterdam"})
		w.orders("shop", "1,2025-03-30 02:30:00,ann@example.com,MUG,1,5")
		w.night("--from", "2025-03-01")
		w.tells("1", "no_such_time")
	},
	"a customer who stands twice": func(w witness) {
		w.source("shop", fields{"columns": columns(fields{"email": nil, "customer": "email"}),
			"join": []fields{{"path": "people.csv", "on": fields{"customer": "id"}, "take": fields{"email": "mail"}}}})
		w.csv("people.csv", "id,mail", "c1,ann@example.com", "c1,bob@example.com")
		w.orders("shop", "1,"+ago(time.Hour)+",c1,MUG,1,5")
		w.night()
		w.tells("1", "ambiguous_join")
	},
	"tills that restart": func(w witness) {
		w.conf["sources"] = fields{}
		restartingTills(w.shop, "always")
		w.night()
		w.tells("1", "order_not_unique")
		w.tells("99", "order_not_unique")
	},
	"two versions": func(w witness) {
		w.source("shop", fields{"path": "exports/*.csv"})
		check(w.T, os.Mkdir(filepath.Join(w.dir, "exports"), 0o700))
		for i, name := range []string{"exports/a.csv", "exports/b.csv"} {
			w.csv(name, usualHeader, fmt.Sprintf("1,%s,ann@example.com,MUG,%d,5", ago(time.Hour), i+1))
		}
		w.night()
		w.tells("1", "versions")
	},
	"upgrades": func(w witness) {
		at := ago(time.Hour)
		w.source("shop", fields{"columns": columns(fields{"session": "session", "parent_session": "parent", "replaces": "replaces", "paid": "done", "test_order": "test"})})
		w.csv("shop.csv", usualHeader+",session,parent,replaces,done,test",
			"1,"+at+",ann@example.com,918325,1,100,s1,,,yes,no", "1,"+at+",ann@example.com,918446,1,120,s1,,918325,yes,no", "1,"+at+",ann@example.com,918447,1,140,s1,,918325,yes,no",
			"2,"+at+",bob@example.com,918325,1,100,s2,,,no,no", "3,"+at+",cas@example.com,918325,1,100,s3,,,pending,no", "4,"+at+",dee@example.com,918325,1,100,s4,,,yes,yes")
		w.night()
		w.tells("1", "bad_upgrade")
		w.tells("2", "unpaid")
		w.tells("3", "payment_pending")
		w.tells("4", "test_order")
	},
}

// explainedOrders are orders that are no purchases, or not for a destination.
var explainedOrders = situations{
	"statuses and credit notes": func(w witness) {
		at := ago(3 * time.Hour)
		w.source("shop", fields{"completed_when": []string{"paid"}, "not_completed": []string{"pending"}, "zero_total": "hold", "match_reversals": "hold",
			"columns": columns(fields{"status": "status", "reverses": "of", "total": "total"})})
		w.csv("shop.csv", usualHeader+",status,of,total", "1,"+at+",ann@example.com,MUG,1,5,pending,,5", "2,"+at+",bob@example.com,MUG,1,5,on hold,,5",
			"3,"+at+",cas@example.com,MUG,1,0,paid,,0", "4,"+at+",dee@example.com,PAN,1,30,paid,,30", "R4,"+ago(time.Hour)+",dee@example.com,PAN,-1,30,paid,4,-30",
			"5,"+at+",eve@example.com,MUG,-2,5,paid,,-10", "6,"+at+",fay@example.com,MUG,-1,5,paid,,15", "6,"+at+",fay@example.com,POT,1,20,paid,,15",
			"7,"+at+",gus@example.com,MUG,0,5,paid,,0", "8,"+at+",hal@example.com,MUG,2,5,paid,,7")
		w.night()
		for order, want := range map[string]string{"1": "status_not_complete", "2": "status_unknown", "3": "zero_total", "4": "reversed", "R4": "reversal",
			"5": "return", "6": "exchange", "7": "no_goods", "8": "total_mismatch"} {
			w.tells(order, want)
		}
	},
	"not for this destination": func(w witness) {
		w.activate("activate", fields{"channels": []string{"in_store"}})
		w.activate("stores", fields{"when": `order == "9"`})
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,2019-06-01 10:00:00,ann@example.com,MUG,1,5", "9,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		w.tells("1", "channel, no_destination, when", "--read")
		w.tells("2", "before_since, channel", "--read", "--from", "2019-01-01")
		w.tells("9", "sent_here")
		w.tells("9", "channel", "--read")
	},
	"languages, and numbers that come to nothing": func(w witness) {
		w.activate("activate", fields{"language": "nl-NL", "order_id": `= trimPrefix(order, "2")`})
		w.source("shop", fields{"columns": columns(fields{"language": "lang"})})
		w.csv("shop.csv", usualHeader+",lang", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5,Dutch", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5,nl")
		w.night()
		w.tells("1", "no_language")
		w.tells("2", "cannot_compose")
	},
	"too early and too late": func(w witness) {
		w.activate("activate", fields{"max_age": "30d"})
		w.orders("shop", "1,"+ago(40*24*time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(-2*time.Hour)+",bob@example.com,MUG,1,5")
		w.night("--from", time.Now().AddDate(0, 0, -50).Format(time.DateOnly), "--to", time.Now().AddDate(0, 0, 2).Format(time.DateOnly))
		w.tells("1", "too_old")
		w.tells("2", "future_time")
	},
	"before the record begins": func(w witness) {
		w.activate("activate", fields{"nothing_else_sends": nil, "already_sent": []string{"live_log"}, "min_age": "30min"})
		w.evidence(fields{"covers_from": time.Now().AddDate(0, 0, -3).Format(time.DateOnly), "trust": "assumed"})
		w.csv("sent.csv", "order_id,sent_at", "2,"+ago(2*time.Minute))
		w.orders("shop", "1,"+day(5)+",ann@example.com,MUG,1,5", "2,"+ago(time.Hour)+",bob@example.com,MUG,1,5", "3,"+ago(time.Minute)+",cas@example.com,MUG,1,5")
		w.night()
		w.tells("1", "no_evidence")
		w.tells("2", "assumed")
		w.tells("3", "too_young")
	},
	"in shadow, or only planned": func(w witness) {
		w.activate("activate", fields{"mode": "shadow"})
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		w.tells("1", "shadow")
		w.tells("1", "shadow", "--read")
		w.activate("activate", nil)
		w.tells("1", "shadow_period", "--read")
	},
	"only planned": func(w witness) {
		w.orders("shop", "2,"+ago(time.Minute)+",ann@example.com,MUG,1,5")
		w.tells("2", "planned", "--read")
	},
	"named by a record that names it no longer": func(w witness) {
		w.evidence(fields{"fresh_within": "100h"})
		w.activate("activate", fields{"mode": "shadow", "nothing_else_sends": nil, "already_sent": []string{"live_log"}})
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5", "2,"+ago(2*time.Hour)+",bob@example.com,MUG,1,5")
		w.csv("sent.csv", "order_id,sent_at", "1,"+ago(time.Hour), "2,"+ago(2*time.Hour))
		w.night()
		w.csv("sent.csv", "order_id,sent_at", "2,"+ago(2*time.Hour))
		w.night()
		w.tells("1", "was_sent")
	},
}

// explainedPeople are orders of people to whom nothing goes.
var explainedPeople = situations{
	"addresses": func(w witness) {
		at := ago(3 * time.Hour)
		w.source("shop", fields{"may_send": `consent == "yes"`, "columns": usual})
		write(w.T, w.dir, "erased.csv", "gus@example.com\n")
		w.conf["suppress"] = []string{"erased.csv"}
		w.csv("shop.csv", usualHeader+",consent", "1,"+at+",,MUG,1,5,yes", "2,"+at+",ann@example,MUG,1,5,yes", "3,"+at+",geen@email.nl,MUG,1,5,yes",
			"4,"+at+",deleted-4711@example.com,MUG,1,5,yes", "5,"+at+",x7f3@marketplace.amazon.de,MUG,1,5,yes", "6,"+at+",fay@example.com,MUG,1,5,no",
			"7,"+at+",gus@example.com,MUG,1,5,yes")
		w.night()
		for order, want := range map[string]string{"1": "no_email", "2": "bad_email", "3": "placeholder", "4": "anonymised", "5": "marketplace",
			"6": "not_permitted", "7": "suppressed"} {
			w.tells(order, want)
		}
	},
	"one address for everybody": func(w witness) {
		w.conf["sources"] = fields{}
		w.tills("tills", nil)
		var rows []string
		for i := range 45 {
			rows = append(rows, fmt.Sprintf("%d,%s,counter@example.com,MUG,1,5", i, day(1)))
		}
		w.orders("tills", rows...)
		w.night()
		w.tells("7", "shared_address")
	},
}

// explainedNumbers are orders whose number is not what it seems.
var explainedNumbers = situations{
	"a number that comes back": func(w witness) {
		w.conf["sources"] = fields{}
		w.tills("tills", fields{"columns": columns(fields{"store": "store"})})
		w.csv("tills.csv", usualHeader+",store", "7,"+ago(50*time.Hour)+",ann@example.com,MUG,1,5,S1")
		w.night()
		w.csv("tills.csv", usualHeader+",store", "7,"+ago(2*time.Hour)+",bob@example.com,KETTLE,1,40,S2")
		w.night()
		w.tells("7", "id_reused, sent_here")
	},
	"one number in two sources": func(w witness) {
		w.source("shop", fields{"shop": "main"})
		w.source("web", fields{"shop": "main"})
		w.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
		w.orders("web", "1,"+ago(time.Hour)+",eve@example.com,KETTLE,1,40")
		w.night()
		w.tells("1", "id_collision")
	},
	"an edit": func(w witness) {
		w.orders("shop", "1001,"+ago(5*time.Hour)+",ann@example.com,MUG,1,5")
		w.night()
		w.orders("shop", "1001-1,"+ago(3*time.Hour)+",ann@example.com,MUG,2,5")
		w.night()
		w.tells("1001-1", "edited_suffix")
		w.source("shop", fields{"edited_suffix": "same_order"})
		w.night()
		w.tells("1001-1", "edited")
		w.tells("1001", "sent_here")
	},
	"the same purchase twice": func(w witness) {
		at := ago(time.Hour)
		w.source("shop", fields{"shop": "main"})
		w.tills("tills", fields{"shop": "tills"})
		w.orders("shop", "1001,"+ago(30*time.Hour)+",ann@example.com,MUG,2,5")
		w.orders("tills", "77,"+at+",ann@example.com,MUG,2,5")
		w.night()
		w.tells("77", "possible_twin")
	},
}
