package main

import "strings"

// explainedCharges are carts that customers are charged for, and why they are
// not.
var explainedCharges = situations{
	"what is due": func(w witness) {
		w.charging(nil)
		shop := w.conf["sources"].(fields)["shop"].(fields)
		shop["columns"] = with(shop["columns"].(fields), fields{"line_total": "total"})
		w.csv("shop.csv", chargeHeader+",total", cartRow("1 918325 100 - - yes -")+",", cartRow("2 918325 200 - - no 200")+",", cartRow("3 918325 100 - - no 99")+",",
			cartRow("4 918325 100 - - no 100")+",", cartRow("5 918325 100 - - no 100")+",90")
		w.night()
		for order, want := range map[string]string{"1": "nothing_due", "2": "over_max_charge", "3": "charge_mismatch", "4": "needs_approval", "5": "discounted_cart"} {
			w.tells(order, want)
		}
	},
	"a customer's cart in a trial": func(w witness) {
		w.charging(fields{"mode": "trial"})
		w.csv("shop.csv", chargeHeader, chained("1", "s-00000001", [3]string{"yes", "no", "no"}, [3]string{"-", "20", "20"})...)
		w.night()
		w.tells("1", "nothing_due, real_session")
	},
	"one that was refused": func(w witness) {
		w.charging(nil)
		w.newChain()
		setFaults(w.T, w.sim, "status=400,first=1")
		w.approved(exitPerson)
		w.tells("1", "rejected, waits_for_held_back, waits_for_refused")
	},
	"one without an answer": func(w witness) {
		w.charging(nil)
		w.newChain()
		setFaults(w.T, w.sim, "drop,first=1")
		w.approved(exitPerson)
		w.tells("1", "fuse, no_answer")
		w.night()
		w.tells("1", "no_answer, waits_for_doubtful, waits_for_held_back")
		if code, out, errs := makegood(w.T, "resolve", "--sent", "--note", "seen", "1", "-c", w.file()); code != exitDone {
			w.Fatalf("resolve: exit %d\n%s%s", code, errs, out)
		}
		w.night()
		w.tells("1", "assumed, waits_for_held_back, waits_for_receipt")
	},
	"a chain that changed": func(w witness) {
		w.charging(nil)
		w.newChain()
		w.approved(exitDone)
		rows := chained("1", "-", [3]string{"yes", "no", "no"}, [3]string{"-", "20", "20"})
		w.csv("shop.csv", chargeHeader, rows[0], strings.Replace(rows[1], "918446,1,120", "918446,1,125", 1), rows[2],
			cartRow("1 918448 160 - 918447 no 20"))
		w.night()
		w.tells("1", "chain_changed, sent_here")
	},
}

// charging makes the witness's shop one whose carts are charged, and nothing
// else.
func (w witness) charging(over fields) {
	w.conf["targets"], w.conf["sources"] = fields{}, fields{}
	w.charges("charges", over)
}

// newChain is a cart that is still to be made, with two upgrades.
func (w witness) newChain() {
	w.csv("shop.csv", chargeHeader, chained("1", "-", [3]string{"no", "no", "no"}, [3]string{"100", "20", "20"})...)
}
