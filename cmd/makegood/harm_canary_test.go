package main

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"
)

// writings are the ways in which a text may be written: as it is, percent
// encoded, in base64 wherever it begins, in hexadecimal.
func writings(text string) []string {
	percent := ""
	for _, b := range []byte(text) {
		percent += fmt.Sprintf("%%%02X", b)
	}
	all := []string{text, url.QueryEscape(text), percent, strings.ToLower(percent), hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for before := range 3 {
		for _, coding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			whole := coding.EncodeToString(append(make([]byte, before), text...))
			whole = strings.TrimRight(whole[[]int{0, 2, 3}[before]:], "=")
			all = append(all, whole[:len(whole)-1]) // its last sign may depend on what follows
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// quietAll wants no canary, however written, in what was said.
func (s *shop) quietAll(what, said string) {
	s.Helper()
	s.quiet(what, said)
	for _, canary := range []string{canaryKey, canaryPerson} {
		for _, text := range writings(canary) {
			if at := strings.Index(said, text); at >= 0 {
				s.Errorf("%s holds %q: ...%.160q", what, text, said[max(0, at-60):])
				return
			}
		}
	}
}

// quietState wants no canary in any file but plans and what lies beside them,
// which hold addresses and are their owner's alone, and the files that the shop
// itself wrote.
func (s *shop) quietState(own ...string) {
	s.Helper()
	check(s.T, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(own, d.Name()) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".decisions") {
			text = unpacked(text)
		}
		if filepath.Base(filepath.Dir(path)) == "plans" {
			if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 || bytes.Contains(text, []byte(canaryKey)) {
				s.Errorf("plan %s: mode %v, %v, or it holds the key", d.Name(), info.Mode(), err)
			}
			return nil
		}
		s.quietAll(d.Name(), string(text))
		return nil
	}))
}

func unpacked(text []byte) []byte {
	all, _ := io.ReadAll(flate.NewReader(bytes.NewReader(text))) // what there is of it
	return all
}

// quietTables reads every row of every table of a ledger, its journal unpacked.
func (s *shop) quietTables(driver, place, tables string, least int) {
	s.Helper()
	db, err := sqlx.Open(driver, place)
	check(s.T, err)
	defer db.Close()
	var names []string
	check(s.T, db.Select(&names, tables))
	cells := 0
	for _, name := range names {
		cells += s.quietRows(db, name)
	}
	if len(names) < 8 || cells < least {
		s.Errorf("%d tables with %d cells were looked at", len(names), cells)
	}
}

func (s *shop) quietRows(db *sqlx.DB, table string) (cells int) {
	s.Helper()
	rows, err := db.Queryx("SELECT * FROM " + table)
	check(s.T, err)
	defer rows.Close()
	for rows.Next() {
		row := map[string]any{}
		check(s.T, rows.MapScan(row))
		for column, cell := range row {
			text := fmt.Sprint(cell)
			if raw, is := cell.([]byte); is {
				text = string(raw)
			}
			if table == "journal" && column == "changes" {
				if text = string(unpacked([]byte(text))); !strings.ContainsAny(text[:min(1, len(text))], "[{") {
					s.Errorf("the journal was not unpacked: %.40q", text)
				}
			}
			cells++
			s.quietAll(table+"."+column, text)
		}
	}
	check(s.T, rows.Err())
	return cells
}

// commandNames lists every command that can be carried out.
func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Name() == "completion" {
			continue // cobra's own: they know the commands alone
		}
		names = append(names, strings.TrimPrefix(sub.CommandPath(), "makegood "))
		names = append(names, commandNames(sub)...)
	}
	return names
}

// canarySteps are command lines for every command, in an order in which they
// find something to do. PLAN is the newest plan, CONFIG the configuration.
func canarySteps() [][]string {
	person := canaryAddress
	return [][]string{
		{"version"}, {"ledger"}, {"check"}, {"check", "--json"}, {"check", "--like", "request.txt"}, {"check", "--like", "request.txt", "--json"}, {"check", "--like", "tills.csv"}, {"run", "--json", "--html", "report.html"}, {"run"}, {"plan"}, {"plan", "--json"}, {"plan", "--canonical"},
		{"run", "--report", "night.csv", "--report", "night.html"}, {"runs"}, {"runs", "--json"}, {"report"}, {"report", "--format", "md"}, {"report", "--format", "junit"}, {"report", "--out", "again.csv"}, {"report", "--format", "html"}, {"report", person},
		{"approve", "PLAN", "--by", "operator", "--note", "looked at"}, {"approve", "PLAN", "--by", person, "--note", "asked " + person, "--json"},
		{"resolve", "--receipt", "s-1", "--note", "seen", "S1-1"}, {"resolve", "--receipt", "s-1", "--note", "seen", person},
		{"apply", "PLAN"}, {"apply", "PLAN", "--json"}, {"resolve"}, {"resolve", "--json"}, {"resolve", "--sent", "--all", "--note", "asked " + person},
		{"resolve", "--sent", "--note", "seen", person}, {"resolve", "--not-sent", "--all", "--note", "seen"}, {"resolve", "--reopen", "--all", "--note", "seen"},
		{"adopt", "live_log", "--target", "activate", "--dry-run"}, {"adopt", "live_log", "--target", "activate", "--unseen"},
		{"adopt", "live_log", "--target", "activate", "--json"}, {"adopt", "live_log", "--target", "activate", "--complete-until", time.Now().Format("2006-01-02 15:04")},
		{"resolve", "--by", "live_log", "--target", "activate"}, {"resolve", "--ask"}, {"resolve", "--lost", "--target", "activate", "--note", "gone", "S1-1"},
		{"explain", "S1-1", "S1-3", "S1-10"}, {"explain", "S1-1", "--read"}, {"explain", person, "--read", "--json"}, {"explain", "S1-4", "S1-5", "--read", "--json"},
		{"compare", "--target", "activate", "--export", "export.csv"}, {"compare", "--target", "activate", "--export", "export.csv", "--json"}, {"compare", "--target", "activate", "--export", "export.csv", "--order-column", person}, {"compare", "--target", "activate", "--export", "headless.csv"},
		{"backfill", "--plan", "--from", ago(48 * time.Hour)[:10]}, {"backfill", "--from", ago(48 * time.Hour)[:10], "--parallel", "2"}, {"backfill", "--from", ago(48 * time.Hour)[:10], "--json", "--accept-evidence", "live_log", "--note", "said by " + person}, {"backfill", "--from", person},
		{"backfill", "--from", ago(48 * time.Hour)[:10], "--workers", "--detach", "--accept-evidence", "live_log", "--note", "said by " + person}, {"worker", "--until-empty", "--name", person}, {"worker", "--until-empty", "--name", "first"}, {"worker", "--only", person}, {"backfill", "--workers", "--cancel"},
		{"gaps", "--from", "2020-01-01"}, {"gaps", "--from", "2020-01-01", "--json"}, {"gaps", "--target", person}, {"gaps", "--from", person},
		{"compare", "rokt_cart"}, {"compare", "rokt_cart", "--json"}, {"compare", person}, {"compare", "--target", "activate", "--counts", "counts.csv"}, {"compare", "--target", "activate", "--counts", "counts.csv", "--json"}, {"compare", "--target", person, "--counts", "counts.csv"}, {"compare", "--target", "activate", "--counts", "headless.csv"}, {"verify"}, {"verify", "--json"}, {"verify", "--from", "2020-01-01"}, {"pause", "activate", "--note", "asked " + person}, {"pause", "activate", "--until", "2099-01-01", "--note", "seen"}, {"pause"}, {"pause", "--json"}, {"status"}, {"status", "--json"}, {"resume", person, "--note", "seen"}, {"resume", "all", "--note", "seen"},
		{"send", "--order", "S1-1", "--target", "activate", "--yes"}, {"send", "--order", "S1-2", "--target", "activate", "--yes", "--json"}, {"send", "--order", "S1-1", "--target", "stores", "--yes"}, {"send", "--order", "S1-1", "--target", "activate", "--again", "--yes"},
		{"send", "--order", "S1-1", "--target", "activate", "--yes", "--to-self", "you@example.com"}, {"send", "--order", "S1-3", "--target", "stores", "--yes", "--to-self", "you@example.com", "--json"}, {"send", "--order", "S1-1", "--target", "ads", "--yes", "--to-self", "you@example.com"},
		{"send", "--order", person, "--target", "activate", "--yes"}, {"send", "--order", "S1-1", "--target", person, "--yes"}, {"send", "--order", "S1-1", "--target", "activate", "--yes", "--to-self", "you@example.com", "--again"},
		{"decide", "merges-repeats", "yes", "--target", "activate", "--note", "asked " + person}, {"decide", "merges-repeats", "no", "--target", "activate", "--note", "seen twice"}, {"decide", person, "no", "--note", "seen"}, {"decide"}, {"decide", "--json"},
		{"key", "own.key"}, {"key", "own.key", "--json"}, {"key", "nowhere/" + person}, {"plan", "--key", "own.key"}, {"approve", "PLAN", "--key", "own.key", "--note", "asked " + person}, {"apply", "PLAN"}, {"plan", "--key", person},
		{"user", person, "--role", "analyst"}, {"user", "ann", "--role", person}, {"upload", "look", person}, {"upload", "plan", person}, {"upload", "apply", person, "--plan", person, "--by", person},
		{"accept"}, {"accept", "--json"}, {"accept", person, "--note", "seen"}, {"accept", "--all", "--note", "asked " + person}, {"accept", "--all", "--note", "seen"},
		{"audit", "--from", "2020-01-01"}, {"audit", "--from", "2020-01-01", "--json", "--lines", "lines.csv"}, {"audit", "--from", "2020-01-01", "--lines", "-"}, {"ledger", "check"}, {"ledger", "check", "--json"}, {"ledger", "export"},
		{"ledger", "migrate"}, {"ledger", "rename-shop", "main", "web"}, {"ledger", "rename-shop", "web", "main"}, {"ledger", "prune", "--before", "2021-01-01"},
		{"notify"}, {"notify", "--json"}, {"notify", "--test"}, {"metrics"}, {"metrics", "--alerts"}, {"ledger", "backup", "backup.db"}, {"init", "--from", "tills.csv", "--output", "first.yaml"}, {"init", "--from", "headless.csv", "--output", "second.yaml"},
		{"run", "--accept-evidence", "live_log", "--note", "said by " + person}, {"run", "--target", "stores"}, {"forget", "--email", person}, {"forget", "--order", "S1-1"}, {"run"},
		{"ledger", "copy", "--to", "moved.db"},
	}
}

// inFolder names the files of a step in the shop's folder, and its plan.
func (s *shop) inFolder(step []string, plan string) []string {
	args := slices.Clone(step)
	for i, a := range args {
		switch {
		case a == "PLAN":
			args[i] = plan
		case filepath.IsAbs(a):
		case strings.HasSuffix(a, ".html"), strings.HasSuffix(a, ".csv"), strings.HasSuffix(a, ".yaml"), strings.HasSuffix(a, ".db"), strings.HasSuffix(a, ".key"):
			args[i] = filepath.Join(s.dir, a)
		}
	}
	return append(args, "-c", filepath.Join(s.dir, "makegood.yaml"))
}

// said carries out a step and wants no canary in what it says.
func (s *shop) said(step ...string) (code int, out string) {
	s.Helper()
	plans, _ := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*.plan")) // none yet
	plan := "none.plan"
	if len(plans) > 0 {
		plan = plans[len(plans)-1]
	}
	code, out, errs := makegood(s.T, s.inFolder(step, plan)...)
	what := strings.ReplaceAll(strings.Join(step, " "), canaryAddress, "PERSON")
	if slices.Contains(step, "--canonical") {
		out = "" // that is the plan itself
	}
	s.quietAll(what, out)
	s.quietAll(what+" (errors)", errs)
	return code, out
}

// canaryFiles are the shop's own, and the one that keeps who was forgotten: it
// holds addresses as SHA-256.
var canaryFiles = []string{"makegood.yaml", "tills.csv", "carts.csv", "sent.csv", "headless.csv", "forgotten.csv", "said.jsonl", "request.txt", "counts.csv", "export.csv"}

// canaryFolder is the canary shop with the live integration's record, in which
// the address has slipped, too.
func canaryFolder(t *testing.T) *shop {
	s := canaryShop(t)
	s.evidence(fields{"fresh_within": nil, "shop": "main"})
	s.set("messages", "rokt_cart", fields{"path": "said.jsonl", "from": []string{"tills"}, "order": "number"})
	said := `{"session":"` + canaryAddress + `","at":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `","attributes":{"number":"` + canaryAddress + `"},` +
		`"body":{"cartItem":{"cartItemId":"1","catalogItemId":"` + canaryAddress + `","name":"` + canaryAddress + `"},"oldCartItem":null}}`
	write(s.T, s.dir, "said.jsonl", said+"\n"+canaryAddress+"\n"+strings.Replace(said, canaryAddress, "s2", 1)+"\n"+said[:90])
	s.roktAds("ads", fields{"api_key": "key", "api_secret": canaryKey, "from": []string{"tills"}})
	s.csv("sent.csv", "order_id,sent_at", "S1-2,"+ago(time.Hour), canaryAddress+","+ago(time.Hour), "9%9,"+ago(time.Hour))
	write(s.T, s.dir, "request.txt", `curl 'https://nova.collect.igodigital.com/c2/123456/track_conversion?key=`+canaryKey+`' -d '{"payload":{"title":"`+canaryAddress+
		`","order_number":"`+canaryAddress+`","cart":[{"item":"`+canaryAddress+`"}],"user_info":{"email":"`+canaryAddress+`","details":{"name":"`+canaryAddress+`"}}}}'`)
	s.notices()
	s.csv("counts.csv", "day,count,"+canaryAddress, "2026-11-01,3,", canaryAddress+",4,", "2026-11-02,"+canaryAddress+",", "2026-11-03,1,"+canaryAddress)
	s.csv("export.csv", "order_id,received_at,value,"+canaryAddress, "S1-1,"+ago(time.Hour)+",5,", canaryAddress+","+ago(time.Hour)+",5,", "S1-2,"+canaryAddress+",5,",
		"S1-3,"+ago(time.Hour)+","+canaryAddress+",", "S1-4,"+ago(time.Hour)+",9,"+canaryAddress, canaryAddress+","+ago(2*time.Hour)+",5,")
	s.csv("headless.csv", canaryAddress+",MUG,1,5,"+ago(time.Hour), canaryAddress+",KETTLE,1,40,"+ago(time.Hour))
	s.file()
	return s
}

// TestHarmCanaryThroughEveryCommand lets the key and the address go through
// every command there is, over platforms that answer in every way, on both
// ledgers. A new command fails it until it has a step.
func TestHarmCanaryThroughEveryCommand(t *testing.T) {
	t.Run("each has a step", func(t *testing.T) {
		elsewhere := []string{"demo", "simulate", "serve"} // the tests below, and harm_serve_test.go
		for _, name := range commandNames((&app{env: os.LookupEnv}).root()) {
			has := func(step []string) bool { return strings.HasPrefix(strings.Join(step, " ")+" ", name+" ") }
			if !slices.ContainsFunc(canarySteps(), has) && !slices.Contains(elsewhere, name) {
				t.Errorf("makegood %s has no step", name)
			}
		}
	})
	faults, severalHosts := []string{"drop,first=2", "none", "status=422", "status=500", "status=401", "garbage", "redirect", "refuse"}, []string{"drop,first=2", "status=422"}
	if testing.Short() {
		faults, severalHosts = faults[:1], severalHosts[:1]
	}
	for _, fault := range faults {
		t.Run("SQLite, "+fault, func(t *testing.T) {
			t.Parallel()
			s := canaryFolder(t)
			s.afterFault(fault)
			s.quietTables("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro", `SELECT name FROM sqlite_schema WHERE type = 'table'`, 200)
		})
	}
	for _, fault := range severalHosts {
		t.Run("PostgreSQL, "+fault, func(t *testing.T) {
			t.Parallel()
			owner, dsn := ownSchema(t, "postgres")
			if owner == nil {
				t.Skip("there is no PostgreSQL")
			}
			s := canaryFolder(t)
			s.conf["ledger"] = strings.Replace(dsn, "postgres@", "postgres:"+canaryKey+"@", 1) // anybody is trusted there
			s.file()
			s.afterFault(fault)
			s.quietTables("pgx", dsn, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`, 200)
			s.quietTables("pgx", dsn+"_queue", `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`, 50)
		})
	}
}

// afterFault carries out every step, the first ones with a fault.
func (s *shop) afterFault(fault string) {
	s.Helper()
	if fault != "none" {
		setFaults(s.T, s.sim, fault)
	}
	done := 0
	for i, step := range canarySteps() {
		if i == len(canarySteps())/2 {
			setFaults(s.T, s.sim)
		}
		if code, _ := s.said(step...); code <= exitPerson {
			done++
		}
	}
	if done < len(canarySteps())/2 {
		s.Errorf("%d of %d steps did something", done, len(canarySteps()))
	}
	s.quietState(canaryFiles...)
	s.quietNotices()
	if fault == "none" && s.platform("activate") == "" {
		s.Error("the platform holds nothing: what was to be hidden was not there")
	}
}

// notices has the shop's notices go to a place that hears them, to one that refuses
// them, and to a mail server that is not there. Their addresses are secrets.
func (s *shop) notices() {
	s.hook = listen()
	s.Cleanup(s.hook.Close)
	s.hook.status["refuses"] = 403
	address := func(name string) string { return s.hook.URL + "/" + name + "/" + canaryKey }
	s.conf["notify"] = fields{"to": fields{
		"check": fields{"type": "health_check", "url": address("check")}, "desk": fields{"type": "slack", "url": address("desk"), "missing_over": 1},
		"team": fields{"type": "teams", "url": address("team")}, "refuses": fields{"type": "slack", "url": address("refuses")},
		"hook": fields{"type": "webhook", "url": address("hook"), "headers": fields{"Authorization": canaryKey}, "template": "{{json .}} {{json .Report}}"},
		"mail": fields{"type": "email", "host": "127.0.0.1", "port": "1", "tls": "none", "username": canaryPerson, "password": canaryKey,
			"from": canaryAddress, "to": []string{canaryAddress}},
	}}
	s.conf["metrics"] = fields{"textfile": "makegood.prom", "push": fields{"url": s.hook.URL + "/push", "username": canaryPerson, "password": canaryKey}}
}

// quietNotices wants that notices were told, and no canary in what they said.
func (s *shop) quietNotices() {
	s.Helper()
	s.hook.mu.Lock()
	defer s.hook.mu.Unlock()
	said := strings.Join(s.hook.bodies, "\n")
	if len(s.hook.bodies) < 10 || !strings.Contains(said, "A person is needed") || !strings.Contains(said, "makegood_events") {
		s.Errorf("%d notices were told: %.300s", len(s.hook.bodies), said)
	}
	s.quietAll("the notices", said)
}

// TestHarmCanaryInBrokenPlaces: passwords of databases that cannot be reached
// or do not take them, and files in which the address stands where a header is
// due.
func TestHarmCanaryInBrokenPlaces(t *testing.T) {
	if testing.Short() {
		t.Skip("a long one: a shop for every place")
	}
	sql := func(dsn string) func(s *shop) {
		return func(s *shop) {
			s.tills("tills", fields{"type": "sql", "path": nil, "stable_for": nil, "dsn": dsn, "query": "SELECT * FROM orders"})
		}
	}
	cases := map[string]func(s *shop){
		"a header that is gone":     func(s *shop) { s.csv("tills.csv", canaryAddress+","+ago(time.Hour)+","+canaryAddress+",MUG,1,5") },
		"a quote that never ends":   func(s *shop) { s.csv("tills.csv", usualHeader, `1,"`+canaryAddress+`,MUG,1,5`, canaryAddress) },
		"carts without a header":    func(s *shop) { s.csv("carts.csv", canaryAddress+",MUG,1,5,"+ago(time.Hour)) },
		"evidence without a header": func(s *shop) { s.csv("sent.csv", canaryAddress+","+ago(time.Hour)) },
		"a plan that was damaged":   func(s *shop) { write(s.T, s.dir, "none.plan", canaryAddress+canaryKey) },
		"a ledger that is a list":   func(s *shop) { write(s.T, s.dir, "makegood.db", canaryAddress+canaryKey) },
		"a list that is none":       func(s *shop) { s.conf["suppress"] = []string{"gone.csv"} },
		"a ledger with a password":  func(s *shop) { s.conf["ledger"] = "postgres://nobody:" + canaryKey + "@127.0.0.1:1/shop" },
	}
	for name, dsn := range map[string]string{
		"nobody listens": "postgres://u:KEY@127.0.0.1:1/shop", "not a role": "postgres://nobody_here:KEY@127.0.0.1:5432/test", "no port": "postgres://u:KEY@127.0.0.1:port/shop",
		"not encoded": "postgres://u:KEY%zz@127.0.0.1/shop", "a setting": "postgres://u@127.0.0.1:1/shop?password=KEY&sslmode=perhaps", "no database": "postgres://postgres:KEY@127.0.0.1:5432/gone_x",
		"MySQL refuses": "mysql://nobody_here:KEY@127.0.0.1:3306/test", "MySQL, nobody listens": "mysql://u:KEY@127.0.0.1:1/test", "MySQL, a slip": "mysql://u:K/EY:KEY@host:x/test",
		"SQL Server": "sqlserver://u:KEY@127.0.0.1:1?database=x", "no scheme": "u:KEY@host/db", "another scheme": "oracle://u:KEY@host/db",
	} {
		dsn = strings.ReplaceAll(dsn, "KEY", canaryKey)
		cases["source, "+name] = sql(dsn)
		cases["ledger, "+name] = func(s *shop) { s.conf["ledger"] = dsn }
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := canaryFolder(t)
			spoil(s)
			s.file()
			for _, step := range [][]string{{"check"}, {"run", "--json"}, {"plan"}, {"apply", "PLAN"}, {"verify"}, {"resolve"}, {"explain", "S1-1", "--read"},
				{"adopt", "live_log", "--target", "activate"}, {"ledger", "check"}, {"ledger", "backup", "backup.db"}, {"ledger", "migrate"}} {
				s.said(step...)
			}
			if strings.HasPrefix(name, "ledger, ") {
				s.said("ledger", "copy", "--to", s.conf["ledger"].(string))
			}
			s.quietState(append(canaryFiles, "makegood.db", "none.plan")...)
		})
	}
}

// TestHarmCanaryInACrash kills a run while it sends, and makes another one tell
// what it was doing.
func TestHarmCanaryInACrash(t *testing.T) {
	for _, by := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			s := canaryFolder(t)
			setFaults(t, s.sim, "hang")
			cmd := play(t, "run", "--json", "-c", filepath.Join(s.dir, "makegood.yaml"))
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			check(t, cmd.Start())
			for begun := time.Now(); s.requests() == 0 && time.Since(begun) < 30*time.Second; {
				time.Sleep(time.Millisecond)
			}
			check(t, cmd.Process.Signal(by))
			_ = cmd.Wait() // it was ended
			if by == syscall.SIGQUIT {
				s.contains(said.String(), "goroutine ")
			}
			s.quietAll("the crash", said.String())
			s.quietState(canaryFiles...)
			setFaults(t, s.sim)
			for _, step := range [][]string{{"run"}, {"resolve"}, {"explain", "S1-1"}, {"verify"}} {
				s.said(step...)
			}
			s.quietTables("sqlite3", "file:"+filepath.Join(s.dir, "makegood.db")+"?mode=ro", `SELECT name FROM sqlite_schema WHERE type = 'table'`, 200)
		})
	}
}

// TestHarmCanaryAtTheStandIns: what the platforms' stand-ins and the
// demonstration say on the way holds none, whoever talks to them.
func TestHarmCanaryAtTheStandIns(t *testing.T) {
	t.Parallel()
	s := canaryFolder(t)
	ctx, stop := context.WithCancel(t.Context())
	in, said := io.Pipe()
	var errs bytes.Buffer
	over := make(chan int, 1)
	go func() {
		over <- run(ctx, []string{"simulate", "--listen", "127.0.0.1:0"}, os.LookupEnv, stdio{strings.NewReader(""), said, &errs})
		_ = said.Close() // nobody reads on
	}()
	line := make([]byte, 200)
	n, err := in.Read(line)
	check(t, err)
	_, rest, _ := strings.Cut(string(line[:n]), "http://")
	address, _, _ := strings.Cut(rest, ",")
	s.url = "http://" + address
	s.activate("activate", fields{"api_key": canaryKey, "from": []string{"tills"}})
	s.file()
	s.said("run")
	stop()
	if code := <-over; code != exitDone {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	s.quietAll("simulate", string(line[:n])+errs.String())

	demo := play(t, "demo", "--dir", filepath.Join(s.dir, "demo"))
	demo.Env = append(demo.Env, "ACTIVATE_KEY="+canaryKey, "MAILTO="+canaryAddress)
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.quietAll("demo", string(out))
	s.quietState(canaryFiles...)
}

// TestWritings: each way of writing is found where it stands.
func TestWritings(t *testing.T) {
	for before := range 4 {
		text := strings.Repeat("x", before) + canaryAddress + " and more"
		encoded, _ := json.Marshal([]byte(text)) // base64
		for _, said := range []string{string(encoded), hex.EncodeToString([]byte(text)), url.QueryEscape(text), text} {
			if !slices.ContainsFunc(writings(canaryPerson), func(d string) bool { return strings.Contains(said, d) }) {
				t.Errorf("not found in %s", said)
			}
		}
	}
}
