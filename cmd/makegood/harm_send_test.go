package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"makegood/config"
	"makegood/reconcile"
)

// wiretap stands before the platforms and keeps every byte that comes.
type wiretap struct {
	mu   sync.Mutex
	came bytes.Buffer
}

func (s *shop) tapped() *wiretap {
	tap := &wiretap{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what there is of it
		r.Body = io.NopCloser(bytes.NewReader(body))
		dump, _ := httputil.DumpRequest(r, true)
		tap.mu.Lock()
		tap.came.Write(dump)
		tap.mu.Unlock()
		s.sim.ServeHTTP(w, r)
	}))
	s.Cleanup(server.Close)
	s.url = server.URL
	return tap
}

func (w *wiretap) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.came.String()
}

// quietLedger wants no canary in what the ledger keeps of a send.
func (s *shop) quietLedger() {
	s.Helper()
	db, err := sqlx.Open("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro")
	check(s.T, err)
	defer db.Close()
	for _, table := range []string{"entries", "attempts", "journal", "runs", "shops"} {
		if s.quietRows(db, table) == 0 {
			s.Errorf("%s is empty", table)
		}
	}
}

// sends carries out a send and wants its exit code.
func (s *shop) sends(code int, args ...string) string {
	s.Helper()
	got, out, errs := makegood(s.T, append(append([]string{"send"}, args...), "--yes", "-c", filepath.Join(s.dir, "makegood.yaml"))...)
	if got != code {
		s.Fatalf("send %v: exit %d, want %d\n%s%s", args, got, code, out, errs)
	}
	return out + errs
}

// TestHarmSendToSelfTakesNobodyAlong: the customer's whole row is full of what
// names them; of a test nothing of it leaves, nor stays in the ledger, whatever
// the destination.
func TestHarmSendToSelfTakesNobodyAlong(t *testing.T) {
	header := usualHeader + ",customer,firstname,lastname,phone,birthdate,postcode,city,newsletter,custom_card,custom_note,web,cart_used"
	row := "77," + ago(10*time.Minute) + "," + canaryAddress + ",MUG,1,20," + strings.Repeat(canaryPerson+",", 4) + "1980-01-01," + canaryPerson + "," + canaryPerson + ",yes," +
		canaryPerson + "," + canaryPerson + ",W77,yes"
	mapped := with(usual, fields{"customer": "customer", "firstname": "firstname", "lastname": "lastname", "phone": "phone", "birthdate": "birthdate",
		"postcode": "postcode", "city": "city", "newsletter": "newsletter", "custom_card": "custom_card", "custom_note": "custom_note", "custom_web": "web", "cart_used": "cart_used"})
	for name, open := range map[string]func(s *shop, mode string){
		"squeezely": func(s *shop, mode string) {
			s.activate("there", fields{"mode": mode, "profile_fields": "always", "order_id": "= custom_web", "api_key": canaryKey})
		},
		"squeezely, hashed": func(s *shop, mode string) {
			s.activate("there", fields{"mode": mode, "email": "sha256", "profile_fields": "always"})
		},
		"collect": func(s *shop, mode string) {
			s.collect("there", fields{"mode": mode, "cart": fields{"in_store": fields{"known_by": "column", "column": "cart_used"}}})
		},
		"collect, hashed": func(s *shop, mode string) {
			s.collect("there", fields{"mode": mode, "identity": "email_sha256", "send": []string{"purchase"}, "cart": nil})
		},
		"rokt_ads": func(s *shop, mode string) {
			s.roktAds("there", fields{"mode": mode, "from": []string{"tills"}, "timeout": nil, "identities": []string{"email", "email_sha256"}})
		},
	} {
		for _, mode := range []string{"shadow", "trial", "live"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				s := newShop(t)
				tap := s.tapped()
				s.tills("tills", fields{"columns": mapped})
				s.csv("tills.csv", header, row)
				open(s, mode)
				s.file()
				said := s.sends(exitDone, "--order", "77", "--to-self", "you@example.com")
				came := tap.all()
				if !strings.Contains(came, "TEST-") || !strings.Contains(came, "you@example.com") && !strings.Contains(name, "hashed") {
					t.Errorf("no test arrived: %s\n%s", came, said)
				}
				if name == "squeezely" && !strings.Contains(came, `"TEST-W77"`) {
					t.Errorf("it has not the number that the platform would know: %s", came)
				}
				if name == "collect" && !strings.Contains(came, `"clear_cart":true`) {
					t.Errorf("one's own cart is not cleared: %s", came)
				}
				s.quietAll("what was said", said)
				s.quietAll("what arrived", strings.ReplaceAll(came, canaryKey, "KEY")) // the login is due there
				s.quietState("makegood.yaml", "tills.csv")
				s.quietLedger()
				if plans, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*")); len(plans) > 0 {
					t.Errorf("what was planned is still there: %v", plans)
				}
			})
		}
	}
}

// TestSendToSelfCart: an order of yesterday does to one's own cart, filled an hour
// ago, what a checkout of now would: the rest of it stays.
func TestSendToSelfCart(t *testing.T) {
	s := newShop(t)
	tap := s.tapped()
	s.tills("tills", nil)
	s.orders("tills", "77,"+ago(20*time.Hour)+",ann@example.com,MUG,1,20")
	s.collect("stores", fields{"mode": "shadow"})
	s.csv("carts.csv", "email,sku,n,price,at", "you@example.com,MUG,1,20,"+ago(time.Hour), "ann@example.com,MUG,1,20,"+ago(30*time.Hour))
	earlier := time.Now().Add(-time.Minute)
	check(t, os.Chtimes(filepath.Join(s.dir, "carts.csv"), earlier, earlier))
	s.file()
	said := s.sends(exitLeft, "--order", "77", "--to-self", "you@example.com")
	s.contains(said, "The same command goes on from here")
	s.contains(said, "TEST-77, cart at stores.test: still to send: the open carts are older")
	s.database("carts.db", "CREATE TABLE carts (email TEXT, sku TEXT, n INT, price TEXT, at TEXT); INSERT INTO carts VALUES ('you@example.com', 'MUG', 1, '20', '"+ago(time.Hour)+
		"'), ('you@example.com', 'KETTLE', 1, '40', '"+ago(time.Hour)+"');")
	s.set("carts", "open", fields{"type": "sql", "dsn": "carts.db", "query": "SELECT * FROM carts", "zone": "UTC",
		"columns": fields{"email": "email", "sku": "sku", "quantity": "n", "price": "price", "last_activity": "at"}})
	s.file()
	said = s.sends(exitDone, "--order", "77", "--to-self", "you@example.com")
	s.contains(said, "TEST-77, cart at stores.test: accepted by the platform")
	s.contains(said, "TEST-77, purchase at stores.test: sent before")
	s.orders("tills", "77,"+ago(20*time.Hour)+",ann@example.com,MUG,1,20", "78,"+ago(19*time.Hour)+",ann@example.com,SPOON,1,20")
	if came := tap.all(); !strings.Contains(came, "KETTLE") || strings.Contains(came, "ann@") || strings.Index(came, "track_conversion") > strings.Index(came, "track_cart") {
		t.Errorf("arrived: %s", came)
	}
	s.contains(s.sends(exitDone, "--order", "78", "--to-self", "me@example.com"), "put what an order bought into the shop's cart, with your address; after 16 minutes")
	said = s.sends(exitDone, "--order", "77", "--to-self", "you@example.com", "--again")
	if n := strings.Count(tap.all(), "track_cart"); n != 1 || strings.Count(tap.all(), "track_conversion") != 3 {
		t.Errorf("the repeat is not of the purchase alone: %s\n%s", said, tap.all())
	}
}

// TestHarmSendToSelfAsksAboutTheCustomer: right before a test goes, the question is
// asked about the order that it is made of, not about the test.
func TestHarmSendToSelfAsksAboutTheCustomer(t *testing.T) {
	forgotten := false
	o := &oneOrder{order: "1", toSelf: "you@example.com", cfg: &config.Target{Name: "activate"}, originals: map[reconcile.OrderKey]reconcile.Head{}, suppress: func(h reconcile.Head) (bool, error) {
		return forgotten && h.Key.Order == "1" && h.Email == "ann@example.com" && h.Customer == "c-1", nil
	}}
	theirs := reconcile.Head{Key: reconcile.OrderKey{Shop: "main", Order: "1"}, Email: "ann@example.com", Customer: "c-1"}
	own, err := o.test(theirs)
	check(t, err)
	target := &reconcile.Target{}
	o.dress(target)
	ask := func(number string) reconcile.Reason {
		reason, err := target.Fit(reconcile.Event{ID: reconcile.NewEventID(reconcile.KindPurchase, reconcile.OrderKey{Shop: "main", Order: number})})
		check(t, err)
		return reason
	}
	if reason := ask(own.Key.Order); reason != "" {
		t.Errorf("nobody is forgotten, and it does not go: %s", reason)
	}
	if reason := ask("TEST-2"); reason != reconcile.ReasonSuppressed {
		t.Errorf("nobody knows whose it is, and it goes: %s", reason)
	}
	forgotten = true
	if reason := ask(own.Key.Order); reason != reconcile.ReasonSuppressed {
		t.Errorf("the customer is forgotten, and it goes: %s", reason)
	}
}

// TestHarmSendInShadowStaysShadow: whatever is asked for, no customer's order
// leaves a destination in shadow, and nothing at all one that is off, or a
// configuration of another environment.
func TestHarmSendInShadowStaysShadow(t *testing.T) {
	s := newShop(t)
	s.source("shop", nil)
	s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	in := func(mode string) { s.activate("activate", fields{"mode": mode}); s.file() }
	in("shadow")
	s.contains(s.sends(exitConfig, "--order", "1"), "--to-self you@example.com")
	s.contains(s.sends(exitConfig, "--order", "1", "--again"), "is in shadow")
	in("off")
	for _, args := range [][]string{{}, {"--to-self", "you@example.com"}} {
		s.contains(s.sends(exitConfig, append([]string{"--order", "1", "--target", "activate"}, args...)...), "activate is off")
	}
	in("shadow")
	s.run(exitDone)
	s.conf["environment"] = "production"
	s.file()
	s.contains(s.sends(exitConfig, "--order", "1", "--to-self", "you@example.com"), "belongs to environment")
	delete(s.conf, "environment")
	s.file()
	s.contains(s.sends(exitConfig, "--order", "1", "--to-self", "you@example.com"), "environment is missing")
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests left", n)
	}
}

// TestSendTellsOfItsOrderAlone: the exit code is that of the one order, whatever
// the plan has met of others.
func TestSendTellsOfItsOrderAlone(t *testing.T) {
	s := newShop(t)
	s.source("shop", nil)
	row := func(number, quantity string) string {
		return number + "," + ago(time.Hour) + ",ann@example.com,MUG," + quantity + ",5"
	}
	s.orders("shop", row("1", "1"), row("2", "one"), row("3", "1"))
	s.activate("activate", nil)
	s.file()
	s.contains(s.sends(exitDone, "--order", "1"), "1, purchase at activate: accepted by the platform")
	s.contains(s.sends(exitDone, "--order", "1"), "sent before")
	s.sends(exitDone, "--order", "1", "--to-self", "you@example.com")
	for range 2 {
		s.contains(s.sends(exitPerson, "--order", "2"), "2: a bad order")
	}
	s.sends(exitPerson, "--order", "6")
	setFaults(t, s.sim, "status=422,first=1")
	s.contains(s.sends(exitPerson, "--order", "3"), "3, purchase at activate: refused by the platform")
	for _, c := range []struct {
		place reconcile.Place
		ends  bool
		want  int
	}{
		{reconcile.Place{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}, false, exitPerson},
		{reconcile.Place{Bucket: reconcile.BucketInDoubt, Reason: reconcile.ReasonNoAnswer}, true, exitLeft},
		{reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonTotalMismatch}, false, exitPerson},
		{reconcile.Place{Bucket: reconcile.BucketHeldBack, Reason: reconcile.ReasonNoEmail}, false, exitDone},
		{reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonEvidenceStale}, false, exitPerson},
		{reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonRetryable}, false, exitLeft},
		{reconcile.Place{Bucket: reconcile.BucketLeft, Reason: reconcile.ReasonPaused}, false, exitDone},
	} {
		if got := codeOfEnd(c.place, c.ends); got != c.want {
			t.Errorf("%+v: exit %d, want %d", c.place, got, c.want)
		}
	}
}

// TestHarmSendAgainOnce: however many ask for a repeat at the same moment, one
// goes.
func TestHarmSendAgainOnce(t *testing.T) {
	s := newShop(t)
	s.source("shop", nil)
	s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.activate("activate", nil)
	s.run(exitDone)
	var all sync.WaitGroup
	codes := make([]int, 4)
	for i := range codes {
		all.Go(func() {
			codes[i], _, _ = makegood(t, "send", "--order", "1", "--again", "--yes", "-c", filepath.Join(s.dir, "makegood.yaml"))
		})
	}
	all.Wait()
	if p := s.sim.Counts().Platforms["squeezely"]; p.Orders != 1 || p.Repeats != 1 {
		t.Errorf("%d orders, %d repeats, exits %v", p.Orders, p.Repeats, codes)
	}
	s.contains(s.sends(exitFailed, "--order", "1", "--again"), "one repeat of an order is all that is sent")
	if got := s.run(exitDone).target(t, "activate").Balance; got.Sent.Events != 0 || got.AlreadySent.Events != 1 {
		t.Errorf("the repeat counts in a run: %+v", got)
	}
	if code, out, errs := makegood(t, "verify", "-c", s.file()); code != exitDone {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}

// TestHarmSendAgainKilled: the process dies between the claim and the answer.
// Nobody knows whether the repeat arrived, and no second one goes.
func TestHarmSendAgainKilled(t *testing.T) {
	s := newShop(t)
	s.source("shop", nil)
	s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
	s.activate("activate", nil)
	s.run(exitDone)
	before := s.requests()
	setFaults(t, s.sim, "hang")
	cmd := play(t, "send", "--order", "1", "--again", "--yes", "-c", filepath.Join(s.dir, "makegood.yaml"))
	check(t, cmd.Start())
	for begun := time.Now(); s.requests() == before && time.Since(begun) < 30*time.Second; {
		time.Sleep(time.Millisecond)
	}
	check(t, cmd.Process.Signal(os.Kill))
	_ = cmd.Wait() // it was ended
	setFaults(t, s.sim)
	sent := s.requests()
	s.contains(s.sends(exitFailed, "--order", "1", "--again"), "nobody knows whether it arrived")
	code, out, errs := makegood(t, "explain", "1", "-c", s.file())
	s.contains(out+errs, "1, purchase at activate.again: sent, answer unknown")
	s.contains(out, "no run sends it again")
	s.run(exitDone)
	if s.requests() != sent || code != exitDone {
		t.Errorf("%d requests after the kill, exit %d", s.requests()-sent, code)
	}
}

// TestHarmSendNeverRepeatsCharges: a destination that charges is sent nothing by
// hand that a plan has not been approved for, and no repeat in any mode.
func TestHarmSendNeverRepeatsCharges(t *testing.T) {
	for _, mode := range []string{"shadow", "trial", "live"} {
		t.Run(mode, func(t *testing.T) {
			s := newShop(t)
			s.charges("crm", fields{"mode": mode})
			s.csv("shop.csv", chargeHeader, cartRow("1 918325 100 - - no 100"))
			s.file()
			s.contains(s.sends(exitConfig, "--order", "1", "--again"), "could charge twice")
			s.contains(s.sends(exitConfig, "--order", "1", "--to-self", "you@example.com"), "no address that could be yours")
			if mode != "trial" {
				s.sends(exitConfig, "--order", "1")
				if n := s.requests(); n != 0 {
					t.Errorf("%d requests left", n)
				}
				return
			}
			said := s.sends(exitDone, "--order", "1")
			s.contains(said, "behaviorId=2")
			s.contains(said, "1, cart create at crm.test: accepted by the platform")
			s.wantsCharged("")
		})
	}
}
