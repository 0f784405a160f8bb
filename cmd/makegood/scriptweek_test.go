package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"makegood/sinks/simulator"
)

// clockVariable sets the time at which a makegood of a transcript starts, as RFC
// 3339; from then on its clock goes as every clock does.
const clockVariable = "MAKEGOOD_TEST_CLOCK"

// playMain is Main by the clock of the transcript.
func playMain() int {
	text := os.Getenv(clockVariable)
	if text == "" {
		return Main()
	}
	start, err := time.Parse(time.RFC3339, text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ahead := time.Until(start)
	a := &app{env: os.LookupEnv, io: stdio{os.Stdin, os.Stdout, os.Stderr}, clock: func() time.Time { return time.Now().Add(ahead) }}
	return a.carryOut(ctx, os.Args[1:])
}

// itIs DATE TIME sets the clock of the transcript, in UTC.
func itIs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: itis DATE TIME")
	}
	at, err := time.Parse("2006-01-02 15:04", args[0]+" "+args[1])
	ts.Check(err)
	ts.Setenv(clockVariable, at.Format(time.RFC3339))
}

// shopDay DATE ORDERS writes a day of a shop into orders.csv: so many orders,
// evenly over the day, each by another person. The live integration sends nine of
// ten a second later, and writes them into sent.csv.
func shopDay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shopday DATE ORDERS")
	}
	day, err := time.Parse(time.DateOnly, args[0])
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	orders, sent := "", ""
	for i := range n {
		at := day.Add(24 * time.Hour / time.Duration(n) * time.Duration(i))
		id := day.Format("0102") + fmt.Sprintf("%04d", i)
		orders += fmt.Sprintf("%s,%s,p%s@example.com,MUG,%d,%d.50\n", id, at.Format(time.DateTime), id, 1+i%3, 10+i%7)
		if i%10 != 3 {
			sent += fmt.Sprintf("%s,%s\n", id, at.Add(time.Second).Format(time.DateTime))
		}
	}
	addRows(ts, "orders.csv", "order_id,paid_at,email,sku,quantity,price\n", orders)
	addRows(ts, "sent.csv", "id,at\n", sent)
}

func addRows(ts *testscript.TestScript, name, header, rows string) {
	path := ts.MkAbs(name)
	have, err := os.ReadFile(path)
	if err != nil {
		have = []byte(header)
	}
	ts.Check(os.WriteFile(path, append(have, rows...), 0o600))
}

// killed N ARG... starts makegood and kills it, as nothing can be cleaned up
// after, once the platforms have accepted N messages.
func killed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: killed N ARG...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self, args[1:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), playVariable+"=1", clockVariable+"="+ts.Getenv(clockVariable), "SIM="+ts.Getenv("SIM"))
	sim := ts.Value(simKey{}).(*simulator.Simulator)
	var accepted atomic.Int64
	ts.Check(cmd.Start())
	sim.OnAccept(func(simulator.Accepted) { // before the client can learn of it
		if accepted.Add(1) == int64(n) {
			_ = cmd.Process.Kill()
		}
	})
	defer sim.OnAccept(nil)
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		ts.Fatalf("makegood %s came to its end (%v) after %d messages", strings.Join(args[1:], " "), err, accepted.Load())
	}
}

// arrived FILE ACCOUNT writes the numbers of the purchases that the platform has,
// sorted, one on each line.
func arrived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: arrived FILE ACCOUNT")
	}
	var numbers []string
	for _, p := range ts.Value(simKey{}).(*simulator.Simulator).Purchases(args[1]) {
		numbers = append(numbers, p.OrderID+"\n")
	}
	slices.Sort(numbers)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(numbers, "")), 0o600))
}
