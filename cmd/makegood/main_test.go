package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"makegood/sinks/simulator"
)

// The test binary plays makegood itself when it is started with this variable,
// so that processes can be killed and measured.
const playVariable = "MAKEGOOD_TEST_PLAY"

// raceOptions keep a played makegood that the race detector watches from waiting
// for a second before it ends.
const raceOptions = "atexit_sleep_ms=10"

// peakVariable names a file that a played makegood leaves its peak memory in.
const peakVariable = "MAKEGOOD_TEST_PEAK"

// largestVariable is how large any file of a played makegood may become, in
// bytes: a disk that is full. userVariable is the user that it plays as.
const (
	largestVariable = "MAKEGOOD_TEST_LARGEST"
	userVariable    = "MAKEGOOD_TEST_USER"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(bareVariable); path != "" {
		os.Exit(playBare(path))
	}
	if os.Getenv(playVariable) != "" {
		if err := confine(os.Getenv(largestVariable), os.Getenv(userVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		}
		code := playMain()
		if path := os.Getenv(peakVariable); path != "" {
			_ = os.WriteFile(path, []byte(peakMemory()), 0o600)
		}
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){"makegood": func() { os.Exit(playMain()) }})
}

// confine takes freedom from this process: the size of files, the user's
// power. What is "" stays as it is.
func confine(largest, user string) error {
	if largest != "" {
		size, err := strconv.ParseUint(largest, 10, 64)
		if err != nil {
			return err
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			return err
		}
	}
	if user != "" {
		id, err := strconv.Atoi(user)
		if err != nil {
			return err
		}
		return errors.Join(syscall.Setgid(id), syscall.Setuid(id))
	}
	return nil
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the process's largest resident size so far, in kB.
func peakMemory() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	if m := highWater.FindSubmatch(status); m != nil {
		return string(m[1])
	}
	return ""
}

// play makes a command that runs makegood in a process of its own.
func play(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), playVariable+"=1", "GORACE="+raceOptions)
	return cmd
}

// makegood runs a command line in this process.
func makegood(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, os.LookupEnv, stdio{strings.NewReader(""), &out, &errs})
	return code, out.String(), errs.String()
}

// money is the JSON form of an amount by currency.
type money map[string]string

type countJSON struct {
	Orders, Events int
	Money          money
}

type balanceJSON struct {
	NotForTarget countJSON `json:"not_for_target"`
	Eligible     countJSON `json:"eligible"`
	Sent         countJSON `json:"sent"`
	AlreadySent  countJSON `json:"already_sent"`
	HeldBack     countJSON `json:"held_back"`
	Refused      countJSON `json:"refused"`
	InDoubt      countJSON `json:"in_doubt"`
	Left         countJSON `json:"left"`
	Holds        bool      `json:"holds"`
}

type reasonJSON struct {
	Bucket, Reason string
	Orders, Events int
	Money          money
}

type sourceJSON struct {
	Source        string
	Rows          int
	OrdersRead    int `json:"orders_read"`
	OutsideWindow int `json:"outside_window"`
	LeftOut       []struct {
		Reason string
		Orders int
	} `json:"left_out"`
	Bad              int
	Merged           int
	Orders           int
	RowsWithoutOrder int `json:"rows_without_order"`
}

type reportJSON struct {
	Schema  int
	Run     string
	Command string
	Sources []sourceJSON
	Targets []struct {
		Target  string
		Balance balanceJSON
		Reasons []reasonJSON
		Stopped string
	}
	Plan struct{ Path, Digest string }
}

func (r reportJSON) balance(t *testing.T, target string) balanceJSON {
	t.Helper()
	for _, tr := range r.Targets {
		if tr.Target == target {
			return tr.Balance
		}
	}
	t.Fatalf("the report has no target %s", target)
	return balanceJSON{}
}

// report runs a command with --json and reads what it prints.
func report(t *testing.T, wantCode int, args ...string) reportJSON {
	t.Helper()
	code, out, errs := makegood(t, append(args, "--json")...)
	if code != wantCode {
		t.Fatalf("makegood %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, wantCode, errs, out)
	}
	return readReport(t, out)
}

func readReport(t *testing.T, out string) reportJSON {
	t.Helper()
	var r reportJSON
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("read the report: %v\n%s", err, out)
	}
	for _, tr := range r.Targets {
		if !tr.Balance.Holds {
			t.Errorf("the balance of %s does not hold: %+v", tr.Target, tr.Balance)
		}
	}
	return r
}

// simulate starts the platforms on loopback.
func simulate(t *testing.T, faults ...string) (*simulator.Simulator, string) {
	t.Helper()
	sim, url := simulateWith(t, simulator.Options{Seed: 1, KeepRequests: 4_000_000})
	setFaults(t, sim, faults...)
	return sim, url
}

// simulateWith runs platforms that answer the open questions in a way of their
// own.
func simulateWith(t *testing.T, options simulator.Options) (*simulator.Simulator, string) {
	t.Helper()
	sim := simulator.New(options)
	server := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); server.Close() })
	return sim, server.URL
}

func setFaults(t *testing.T, sim *simulator.Simulator, faults ...string) {
	t.Helper()
	var parsed []simulator.Fault
	for _, text := range faults {
		f, err := simulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	if err := sim.SetFaults(parsed...); err != nil {
		t.Fatal(err)
	}
}

// write puts a file into a folder and returns its path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// projectFile finds a path seen from the project's root.
func projectFile(t testing.TB, path string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, path)
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("go.mod is not above the working directory")
	return ""
}

// retail finds a file of the Online Retail data, or skips.
func retail(t testing.TB, name string) string {
	t.Helper()
	path := projectFile(t, filepath.Join("..", "shared", "data", "online_retail", name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the Online Retail data is not there: %v", err)
	}
	return path
}

func TestTranscripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			sim := simulator.New(simulator.Options{Seed: 1})
			server := httptest.NewServer(sim)
			e.Defer(func() { sim.Close(); server.Close() })
			e.Setenv("SIM", server.URL)
			e.Setenv("GORACE", raceOptions)
			e.Setenv("FREE", freeAddress())
			e.Values[simKey{}] = sim
			hook := listen()
			e.Defer(hook.Close)
			e.Setenv("HOOK", hook.URL)
			e.Values[listeningKey{}] = hook
			if strings.HasSuffix(e.WorkDir, "script-worker") {
				_, place := ownSchema(t, "postgres")
				e.Setenv("POSTGRES", place)
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "postgres" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return reachable(t, "postgres", "127.0.0.1:5432"), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":       exits,
			"platforms":   platforms,
			"faults":      scriptFaults,
			"cart":        cart,
			"newplan":     newPlan,
			"paidcart":    paidCart,
			"charged":     charged,
			"conversions": conversions,
			"http":        scriptHTTP,
			"heard":       heard,
			"answers":     answers,
			"itis":        itIs,
			"shopday":     shopDay,
			"killed":      killed,
			"arrived":     arrived,
		},
	})
}

type simKey struct{}

// exits CODE ARG... runs makegood and wants that exit code; what it prints can
// be looked at by the scripts' stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARG...")
	}
	err := ts.Exec("makegood", args[1:]...)
	code := "0"
	if exit, ok := err.(*exec.ExitError); ok {
		code = fmt.Sprint(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("run makegood: %v", err)
	}
	if code != args[0] {
		ts.Fatalf("makegood %s: exit %s, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// platforms NAME ORDERS REPEATS MONEY says what the simulator must hold.
func platforms(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: platforms NAME ORDERS REPEATS MONEY")
	}
	totals := ts.Value(simKey{}).(*simulator.Simulator).Counts().Platforms[args[0]]
	var amounts []string
	for currency, amount := range totals.Money {
		amounts = append(amounts, amount+currency)
	}
	got := fmt.Sprintf("%d %d %s", totals.Orders, totals.Repeats, strings.Join(amounts, "+"))
	if want := strings.TrimSpace(strings.Join(args[1:], " ")); strings.TrimSpace(got) != want {
		ts.Fatalf("%s holds %q (orders, repeats, money), want %q", args[0], got, want)
	}
}

// cart PERSON SKU:QUANTITY... says what the person's cart at Collect holds.
func cart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: cart PERSON SKU:QUANTITY...")
	}
	c, _ := ts.Value(simKey{}).(*simulator.Simulator).Cart("123456", args[0])
	var lines []string
	for _, l := range c.Lines {
		lines = append(lines, l.Item+":"+l.Quantity)
	}
	if got, want := strings.Join(lines, " "), strings.Join(args[1:], " "); got != want {
		ts.Fatalf("the cart of %s holds %q, want %q", args[0], got, want)
	}
}

// conversions N says how many purchases Collect holds, none of them twice.
func conversions(ts *testscript.TestScript, neg bool, args []string) {
	all := ts.Value(simKey{}).(*simulator.Simulator).Conversions("123456")
	for _, c := range all {
		if c.Count != 1 {
			ts.Fatalf("%s was received %d times", c.OrderNumber, c.Count)
		}
	}
	if neg || len(args) != 1 || fmt.Sprint(len(all)) != args[0] {
		ts.Fatalf("Collect holds %d purchases, want %v", len(all), args)
	}
}

// faults TEXT... switches faults on.
func scriptFaults(ts *testscript.TestScript, neg bool, args []string) {
	var parsed []simulator.Fault
	for _, text := range args {
		f, err := simulator.ParseFault(text)
		ts.Check(err)
		parsed = append(parsed, f)
	}
	ts.Check(ts.Value(simKey{}).(*simulator.Simulator).SetFaults(parsed...))
}
