package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// marking is a shop with two destinations whose files come back with marks.
type marking struct {
	*testing.T
	dir, config string
	accepted    func() int
}

const markingHead = "id,paid,email,sku,n,price,channel\n"

func newMarking(t *testing.T, source string) *marking {
	t.Helper()
	m := &marking{T: t, dir: t.TempDir()}
	sim, url := simulate(t)
	m.accepted = func() int { return int(sim.Counts().Platforms["squeezely"].Accepted) }
	targets := ""
	for _, name := range []string{"activate", "stores"} {
		targets += fmt.Sprintf(`
  %s:
    type: squeezely
    mode: live
    url: %s/v1/track
    account: %[1]s
    api_key: key
    from: [shop]
    channels: [%[3]s]
    send: [purchase]
    since: 2026-01-01
    nothing_else_sends: true
    rate: 1000/s`, name, url, map[string]string{"activate": "online, in_store", "stores": "in_store"}[name])
	}
	m.config = write(t, m.dir, "makegood.yaml", fmt.Sprintf(`
zone: Europe/Amsterdam
environment: test
sources:
  shop:
%s
    currency: EUR
    stable_for: 0s
    order_unique: always
    may_send: {all: true, reason: "a test"}
    columns: {order: id, completed_at: paid, email: email, sku: sku, quantity: n, price: price, channel: channel}
targets:%s
`, indent(source), targets))
	return m
}

// make runs a command over the first days of November.
func (m *marking) make(exit int, command string, more ...string) (out, errs string) {
	m.Helper()
	args := append([]string{command, "-c", m.config}, more...)
	if command != "apply" {
		args = append(args, "--from", "2026-11-01", "--to", "2026-11-03")
	}
	code, out, errs := makegood(m.T, args...)
	if code != exit {
		m.Fatalf("%s: exit %d, want %d\n%s\n%s", command, code, exit, out, errs)
	}
	return out, errs
}

// back reads what came back.
func (m *marking) back(name string) string {
	m.Helper()
	text, err := os.ReadFile(filepath.Join(m.dir, "back", name))
	check(m.T, err)
	return string(text)
}

func (m *marking) into() []string { return []string{"--marked", filepath.Join(m.dir, "back")} }

func markingRow(order, email, n, channel string) string {
	return fmt.Sprintf("%s,2026-11-01 10:00:00,%s,MUG,%s,1.00,%s\n", order, email, n, channel)
}

// TestMarkedPlanAndApply: a plan says what it would send, and what it was
// carried out says what became of that, by destination where they differ.
func TestMarkedPlanAndApply(t *testing.T) {
	m := newMarking(t, "type: csv\npath: orders.csv")
	write(t, m.dir, "orders.csv", markingHead+markingRow("1", "ann@example.com", "1", "online")+markingRow("2", "", "1", "in_store")+
		markingRow("3", "bob@example.com", "x", "in_store")+markingRow("4", "eve@example.com", "1", "in_store")+markingRow("5", "eve@example.com", "1", "b2b"))
	m.make(exitPerson, "plan", m.into()...)
	for _, want := range []string{
		"1,2026-11-01 10:00:00,ann@example.com,MUG,1,1.00,online,still to send,at activate: would be sent by this plan,\n",
		"2,2026-11-01 10:00:00,,MUG,1,1.00,in_store,not sent on purpose,no address on the order,\n",
		",x,1.00,in_store,fix this row,", "b2b,not for any destination,\"by its channel, or by the destinations' rules\",\n",
	} {
		if !strings.Contains(m.back("orders.csv"), want) {
			t.Errorf("the plan lacks %q:\n%s", want, m.back("orders.csv"))
		}
	}
	if m.accepted() > 0 {
		t.Error("the plan sent something")
	}
	plans, err := filepath.Glob(filepath.Join(m.dir, ".makegood", "plans", "*.plan"))
	check(t, err)
	m.make(exitPerson, "apply", append(m.into(), plans[0])...)
	for _, want := range []string{"online,accepted by the platform,,\n", "b2b,not in this plan,", "2,2026-11-01 10:00:00,,MUG,1,1.00,in_store,not sent on purpose,no address on the order,\n",
		"in_store,accepted by the platform,,\n", "fix this row"} {
		if !strings.Contains(m.back("orders.csv"), want) {
			t.Errorf("what was carried out lacks %q:\n%s", want, m.back("orders.csv"))
		}
	}
}

// TestMarkedParts: an order that is cut across files is never given back in
// half.
func TestMarkedParts(t *testing.T) {
	m := newMarking(t, "type: csv\npath: orders-*.csv\nfiles: parts")
	write(t, m.dir, "orders-1.csv", markingHead+markingRow("1", "ann@example.com", "x", "online")+markingRow("2", "ann@example.com", "x", "online"))
	write(t, m.dir, "orders-2.csv", markingHead+markingRow("1", "ann@example.com", "1", "online"))
	m.make(exitPerson, "run", m.into()...)
	if got := m.back("orders-1.fix.csv"); strings.Contains(got, "\n1,") || !strings.Contains(got, "\n2,") {
		t.Errorf("rows to fix:\n%s", got)
	}
	if got := m.back("orders-1.csv"); strings.Count(got, "its rows stand in several files") != 1 {
		t.Errorf("the file is\n%s", got)
	}
	if got := m.back("orders-2.csv"); !strings.Contains(got, "to fix with its order") {
		t.Errorf("the other file is\n%s", got)
	}
}

// TestMarkedAndMoved: files that are moved after they were read come back all
// the same; put in the place of what was moved, they are read.
func TestMarkedAndMoved(t *testing.T) {
	m := newMarking(t, "type: csv\npath: in/*.csv\nafter_read: {move_to: in/read}")
	check(t, os.Mkdir(filepath.Join(m.dir, "in"), 0o700))
	write(t, filepath.Join(m.dir, "in"), "orders.csv", markingHead+markingRow("1", "ann@example.com", "x", "online")+markingRow("2", "ann@example.com", "1", "online"))
	m.make(exitPerson, "run", m.into()...)
	if m.accepted() != 1 {
		t.Fatalf("%d were accepted", m.accepted())
	}
	check(t, os.WriteFile(filepath.Join(m.dir, "in", "read", "orders.csv"), []byte(strings.Replace(m.back("orders.csv"), ",x,", ",1,", 1)), 0o600))
	m.make(exitDone, "run")
	if m.accepted() != 2 {
		t.Errorf("%d were accepted after the correction, want 2", m.accepted())
	}
}

// TestMarkedWarns: what cannot be marked is a warning, and changes nothing of
// the run.
func TestMarkedWarns(t *testing.T) {
	t.Run("a password", func(t *testing.T) {
		m := newMarking(t, "type: xlsx\npath: orders.xlsx\npassword: secret")
		b := excelize.NewFile()
		defer b.Close()
		for i, line := range strings.Split(strings.TrimSpace(markingHead+markingRow("1", "ann@example.com", "1", "online")), "\n") {
			cells := strings.Split(line, ",")
			check(t, b.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells))
		}
		check(t, b.SaveAs(filepath.Join(m.dir, "orders.xlsx"), excelize.Options{Password: "secret"}))
		_, errs := m.make(exitDone, "run", m.into()...)
		if !strings.Contains(errs, "protected with a password") || m.accepted() != 1 {
			t.Errorf("%d were accepted:\n%s", m.accepted(), errs)
		}
		m.empty()
	})
	t.Run("two files of one name", func(t *testing.T) {
		m := newMarking(t, "type: csv\npath: \"[ab]/orders.csv\"")
		for i, folder := range []string{"a", "b"} {
			check(t, os.Mkdir(filepath.Join(m.dir, folder), 0o700))
			write(t, filepath.Join(m.dir, folder), "orders.csv", markingHead+markingRow(fmt.Sprint(i), "ann@example.com", "1", "online"))
		}
		_, errs := m.make(exitDone, "run", m.into()...)
		if strings.Count(errs, "another file of the source has the same name") != 2 || m.accepted() != 2 {
			t.Errorf("%d were accepted:\n%s", m.accepted(), errs)
		}
	})
	t.Run("a folder that cannot be written", func(t *testing.T) {
		m := newMarking(t, "type: csv\npath: orders.csv")
		write(t, m.dir, "orders.csv", markingHead+markingRow("1", "ann@example.com", "1", "online"))
		check(t, os.MkdirAll(filepath.Join(m.dir, "back", "orders.csv"), 0o700)) // a folder in its place
		_, errs := m.make(exitDone, "run", m.into()...)
		if !strings.Contains(errs, "a file was not marked") || m.accepted() != 1 {
			t.Errorf("%d were accepted:\n%s", m.accepted(), errs)
		}
	})
}

// empty wants nothing to have come back, and nothing to be left on the way.
func (m *marking) empty() {
	m.Helper()
	for _, folder := range []string{"back", ".makegood/marked", ".makegood/xlsx"} {
		if left, _ := os.ReadDir(filepath.Join(m.dir, folder)); len(left) > 0 {
			m.Errorf("%s holds %v", folder, left)
		}
	}
}

// TestMarkedDamagedNumber: a row whose order number a spreadsheet has damaged
// may be a part of another order; it is no order to give back alone.
func TestMarkedDamagedNumber(t *testing.T) {
	m := newMarking(t, "type: csv\npath: orders.csv")
	rows := markingHead
	for i := range 30 {
		rows += markingRow(fmt.Sprint(536365+i), "ann@example.com", "1", "online")
	}
	write(t, m.dir, "orders.csv", rows+markingRow("5.36365E+05", "ann@example.com", "1", "online")+markingRow("536364.0", "ann@example.com", "1", "online")+
		markingRow("536400", "ann@example.com", "x", "online"))
	m.make(exitPerson, "run", m.into()...)
	fix := m.back("orders.fix.csv")
	if strings.Contains(fix, "E+05") || strings.Contains(fix, "536364") || !strings.Contains(fix, "\n536400,") {
		t.Errorf("rows to fix:\n%s", fix)
	}
	if got := strings.Count(m.back("orders.csv"), "Correct it in the whole file"); got != 2 {
		t.Errorf("%d rows are to be corrected in the whole file, want 2:\n%s", got, m.back("orders.csv"))
	}
}
