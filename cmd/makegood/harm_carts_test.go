package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// checkout is a row of tills.csv: an order number, an age, a person, an
// article.
func checkout(order string, age time.Duration, person, sku string) string {
	return fmt.Sprintf("%s,%s,%s@example.com,%s,1,10", order, ago(age), person, sku)
}

// open is a row of carts.csv.
func open(age time.Duration, person, sku string) string {
	return fmt.Sprintf("%s@example.com,%s,1,10,%s", person, sku, ago(age))
}

const cartsHeader = "email,sku,n,price,at"

// cartNight is one night at stores, a destination with carts.
type cartNight struct {
	name      string
	target    fields
	source    fields
	checkouts []string
	open      []string
	fill      map[string][]string // what the page put into carts at the platform
	code      int
	want      string
	carts     map[string]string // what the platform holds then
}

func TestHarmToCarts(t *testing.T) {
	const h = time.Hour
	used := fields{"columns": columns(fields{"cart_used": "used"})}
	byColumn := fields{"cart": fields{"in_store": fields{"known_by": "column", "column": "cart_used"}}}
	mobile := fields{"channel": "mobile", "order_unique": nil}
	always := fields{"channels": []string{"mobile"}, "cart": fields{"mobile": fields{"known_by": "always"}}}
	for _, c := range []cartNight{{
		name:      "paid in the store 11:00, fills the web cart 20:00, run 02:30",
		checkouts: []string{checkout("1", 15*h+h/2, "ann", "KETTLE")},
		open:      []string{open(6*h+h/2, "ann", "KETTLE"), open(6*h+h/2, "ann", "MUG")},
		fill:      map[string][]string{"ann": {"KETTLE", "MUG"}},
		want:      "held_back cart_newer 1, sent 1",
		carts:     map[string]string{"ann": "KETTLE:1 MUG:1"},
	}, {
		name:   "paid in the store 11:00, fills the web cart 20:00, and nobody knows the cart",
		target: byColumn, source: used,
		checkouts: []string{checkout("1", h/2, "ann", "KETTLE") + ",no", checkout("2", h/2, "bob", "KETTLE") + ",", checkout("3", h/2, "cas", "KETTLE") + ",yes"},
		fill:      map[string][]string{"ann": {"KETTLE"}, "bob": {"KETTLE"}, "cas": {"KETTLE"}},
		want:      "held_back cart_unknown 2, sent 4",
		carts:     map[string]string{"ann": "KETTLE:1", "bob": "KETTLE:1", "cas": ""},
	}, {
		name:      "bought one thing of three in the synced cart",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE")},
		open:      []string{open(30*h, "ann", "KETTLE"), open(30*h, "ann", "MUG"), open(30*h, "ann", "TOWEL")},
		fill:      map[string][]string{"ann": {"KETTLE", "MUG", "TOWEL"}},
		want:      "sent 2",
		carts:     map[string]string{"ann": "MUG:1 TOWEL:1"},
	}, {
		name:      "bought one thing of three, and the destination takes no updates",
		target:    fields{"send": []string{"purchase", "cart_clear"}},
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE")},
		open:      []string{open(30*h, "ann", "KETTLE"), open(30*h, "ann", "MUG")},
		fill:      map[string][]string{"ann": {"KETTLE", "MUG"}},
		want:      "held_back cart_not_sent 1, sent 1",
		carts:     map[string]string{"ann": "KETTLE:1 MUG:1"},
	}, {
		// The till says 20 minutes later than it is: at 12:00 it says 12:20.
		name:      "till clock 20 min wrong, ahead",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE"), checkout("2", 3*h, "bob", "KETTLE")},
		open:      []string{open(3*h+10*time.Minute, "ann", "MUG"), open(3*h+18*time.Minute, "bob", "MUG")},
		fill:      map[string][]string{"ann": {"MUG"}, "bob": {"MUG"}},
		want:      "held_back cart_newer 1, held_back cart_unrelated 1, sent 2",
		carts:     map[string]string{"ann": "MUG:1", "bob": "MUG:1"},
	}, {
		name:      "till clock 20 min wrong, ahead, a margin of 30 min",
		target:    fields{"clock_margin": "30min"},
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE"), checkout("2", 3*h, "bob", "KETTLE")},
		open:      []string{open(3*h+18*time.Minute, "ann", "KETTLE"), open(3*h+35*time.Minute, "bob", "KETTLE")},
		fill:      map[string][]string{"ann": {"KETTLE"}, "bob": {"KETTLE"}},
		want:      "held_back cart_newer 1, sent 3",
		carts:     map[string]string{"ann": "KETTLE:1", "bob": ""},
	}, {
		// At 12:20 the till says 12:00; the cart was filled in between.
		name:      "till clock 20 min wrong, behind",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE")},
		open:      []string{open(3*h-10*time.Minute, "ann", "KETTLE"), open(3*h-10*time.Minute, "ann", "MUG")},
		fill:      map[string][]string{"ann": {"KETTLE", "MUG"}},
		want:      "held_back cart_newer 1, sent 1",
		carts:     map[string]string{"ann": "KETTLE:1 MUG:1"},
	}, {
		name:      "two people, one address",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE"), checkout("2", 3*h, "bob", "KETTLE")},
		open:      []string{open(30*h, "ann", "MUG"), open(30*h, "bob", "KETTLE"), open(30*h, "bob", "MUG")},
		fill:      map[string][]string{"ann": {"MUG"}, "bob": {"KETTLE", "MUG"}},
		want:      "held_back cart_unrelated 1, sent 3",
		carts:     map[string]string{"ann": "MUG:1", "bob": "MUG:1"},
	}, {
		name:      "two people, one address, both in the store on one day",
		checkouts: []string{checkout("1", 5*h, "ann", "KETTLE"), checkout("2", 3*h, "ann", "MUG")},
		open:      []string{open(30*h, "ann", "KETTLE"), open(30*h, "ann", "MUG"), open(30*h, "ann", "TOWEL")},
		fill:      map[string][]string{"ann": {"KETTLE", "MUG", "TOWEL"}},
		want:      "held_back superseded 1, sent 3",
		carts:     map[string]string{"ann": "TOWEL:1"},
	}, {
		name:      "two of a thing in the cart, one bought",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE")},
		open:      []string{fmt.Sprintf("ann@example.com,KETTLE,2,10,%s", ago(30*h))},
		fill:      map[string][]string{"ann": {"KETTLE", "KETTLE"}},
		want:      "sent 2",
		carts:     map[string]string{"ann": "KETTLE:1"},
	}, {
		name:      "a cart whose last activity is not known, or a day only",
		checkouts: []string{checkout("1", 3*h, "ann", "KETTLE"), checkout("2", 3*h, "bob", "KETTLE")},
		open:      []string{"ann@example.com,KETTLE,1,10,", "bob@example.com,KETTLE,1,10," + ago(72 * h)[:10]},
		fill:      map[string][]string{"ann": {"KETTLE"}, "bob": {"KETTLE"}},
		want:      "held_back cart_order_unknown 2, sent 2",
		carts:     map[string]string{"ann": "KETTLE:1", "bob": "KETTLE:1"},
	}, {
		name:   "a mobile checkout older than an hour",
		source: mobile, target: always,
		checkouts: []string{checkout("1", 2*h, "ann", "KETTLE"), checkout("2", h/2, "bob", "KETTLE")},
		fill:      map[string][]string{"ann": {"MUG"}, "bob": {"KETTLE"}},
		want:      "held_back too_old 1, sent 3",
		carts:     map[string]string{"ann": "MUG:1", "bob": ""},
	}, {
		name:      "a store checkout of the day before yesterday",
		checkouts: []string{checkout("1", 30*h, "ann", "KETTLE"), checkout("2", 50*h, "bob", "KETTLE")},
		open:      []string{open(40*h, "ann", "KETTLE"), open(60*h, "bob", "KETTLE")},
		fill:      map[string][]string{"ann": {"KETTLE"}, "bob": {"KETTLE"}},
		want:      "held_back too_old 3, sent 1",
		carts:     map[string]string{"ann": "KETTLE:1", "bob": "KETTLE:1"},
	}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			header := usualHeader
			if c.target != nil && c.target["cart"] != nil && c.source["columns"] != nil {
				header += ",used"
			}
			s.tills("tills", c.source)
			s.collect("stores", c.target)
			s.csv("tills.csv", header, c.checkouts...)
			s.csv("carts.csv", cartsHeader, c.open...)
			for person, skus := range c.fill {
				s.fill(person+"@example.com", skus...)
			}
			s.wants(s.run(c.code), "stores", c.want)
			for person, want := range c.carts {
				s.wantsCart(person+"@example.com", want)
			}
			before := s.requests()
			s.run(c.code)
			if n := s.requests() - before; n != 0 {
				t.Errorf("the next run sent %d more messages", n)
			}
		})
	}
}

// cartShop is a shop with one checkout in a store of all that lay in the cart.
func cartShop(t *testing.T) *shop {
	s := newShop(t)
	s.tills("tills", nil)
	s.collect("stores", nil)
	s.csv("tills.csv", usualHeader, checkout("1", 3*time.Hour, "ann", "KETTLE"))
	s.csv("carts.csv", cartsHeader, open(30*time.Hour, "ann", "KETTLE"))
	s.fill("ann@example.com", "KETTLE")
	return s
}

func TestHarmConversionRefusedAndTheCartIsStillJudged(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	setFaults(t, s.sim, "status=422@/c2/123456/track_conversion")
	s.wants(s.run(exitPerson), "stores", "refused rejected 1, sent 1")
	s.wantsCart("ann@example.com", "")
}

func TestHarmConversionWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	setFaults(t, s.sim, "drop@/c2/123456/track_conversion")
	s.wants(s.run(exitPerson), "stores", "in_doubt no_answer 1, sent 1")
	s.wantsCart("ann@example.com", "")
	setFaults(t, s.sim)
	s.wants(s.run(exitPerson), "stores", "already_sent sent_here 1, in_doubt no_answer 1")
	if got := s.conversions(); got != "1 10" {
		t.Errorf("Collect holds %q", got)
	}
}

// TestHarmClearWithoutAnAnswer: whether the cart was cleared is not known, and
// meanwhile the person fills it again. It is left alone.
func TestHarmClearWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	setFaults(t, s.sim, "drop@/c2/123456/track_cart")
	s.wants(s.run(exitPerson), "stores", "in_doubt no_answer 1, sent 1")
	setFaults(t, s.sim)
	s.fill("ann@example.com", "KETTLE")
	s.csv("carts.csv", cartsHeader, open(time.Minute, "ann", "KETTLE"))
	s.wants(s.run(exitPerson), "stores", "already_sent sent_here 1, in_doubt no_answer 1")
	s.wantsCart("ann@example.com", "KETTLE:1")
}

func TestHarmConversionCannotGoNowAndTheCartWaits(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	setFaults(t, s.sim, "status=401@/c2/123456/track_conversion")
	got := s.run(exitPerson)
	if n := got.target(t, "stores").Balance.Left.Events; n != 2 {
		t.Errorf("%d messages are left, want both: %s", n, got.ends(t, "stores"))
	}
	s.wantsCart("ann@example.com", "KETTLE:1")
	setFaults(t, s.sim)
	s.wants(s.run(exitDone), "stores", "sent 2")
	s.wantsCart("ann@example.com", "")
}

func TestHarmOpenCartsUnreadableWhenPlanning(t *testing.T) {
	for name, spoil := range map[string]func(s *shop){
		"gone":       func(s *shop) { remove(s.T, filepath.Join(s.dir, "carts.csv")) },
		"empty":      func(s *shop) { write(s.T, s.dir, "carts.csv", "") },
		"unreadable": func(s *shop) { s.csv("carts.csv", cartsHeader, "ann@example.com,KETTLE,many,10,"+ago(30*time.Hour)) },
		"nobody's":   func(s *shop) { s.csv("carts.csv", cartsHeader, ",KETTLE,1,10,"+ago(30*time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := cartShop(t)
			spoil(s)
			got := s.run(exitFailed)
			s.wants(got, "stores", "left source_failed 1, sent 1")
			s.contains(got.target(t, "stores").Error, "carts.csv")
			s.wantsCart("ann@example.com", "KETTLE:1")
			s.csv("carts.csv", cartsHeader, open(30*time.Hour, "ann", "KETTLE"))
			s.wants(s.run(exitDone), "stores", "already_sent sent_here 1, sent 1")
			s.wantsCart("ann@example.com", "")
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestHarmBetweenPlanAndApply changes the world after a plan was made. Apply
// may send less, never more.
func TestHarmBetweenPlanAndApply(t *testing.T) {
	const h = time.Hour
	for _, c := range []struct {
		name   string
		change func(s *shop)
		code   int
		want   string
		cart   string
	}{
		{"nothing changes", func(*shop) {}, exitDone, "sent 2", ""},
		{"the cart is filled again", func(s *shop) { s.csv("carts.csv", cartsHeader, open(h, "ann", "KETTLE")) }, exitDone, "held_back cart_newer 1, sent 1", "KETTLE:1"},
		{"the cart is emptied", func(s *shop) { s.csv("carts.csv", cartsHeader) }, exitDone, "held_back no_cart 1, sent 1", "KETTLE:1"},
		{"the cart is another", func(s *shop) { s.csv("carts.csv", cartsHeader, open(29*h, "ann", "MUG")) }, exitDone, "held_back cart_order_unknown 1, sent 1", "KETTLE:1"},
		{"erased between plan and apply", func(s *shop) { write(s.T, s.dir, "erased.csv", "Ann@example.com\n") }, exitDone, "held_back suppressed 2", "KETTLE:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := cartShop(t)
			write(t, s.dir, "erased.csv", "")
			s.conf["suppress"] = []string{"erased.csv"}
			plan := s.makegood(exitLeft, "plan")
			s.wants(plan, "stores", "left planned 2")
			before := s.requests()
			c.change(s)
			got := s.makegood(c.code, "apply", plan.Plan.Path)
			s.wants(got, "stores", c.want)
			s.wantsCart("ann@example.com", c.cart)
			if sent := got.target(t, "stores").Balance.Sent.Events; s.requests()-before != sent {
				t.Errorf("%d requests for %d messages", s.requests()-before, sent)
			}
		})
	}
}

func TestHarmOpenCartsUnreadableWhenSending(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	plan := s.makegood(exitLeft, "plan")
	remove(t, filepath.Join(s.dir, "carts.csv"))
	code, out, _ := makegood(t, "apply", plan.Plan.Path, "-c", s.file())
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	s.contains(out, "carts.csv")
	s.wantsCart("ann@example.com", "KETTLE:1")
	s.csv("carts.csv", cartsHeader, open(30*time.Hour, "ann", "KETTLE"))
	s.wants(s.run(exitDone), "stores", "already_sent sent_here 1, sent 1")
	s.wantsCart("ann@example.com", "")
}
