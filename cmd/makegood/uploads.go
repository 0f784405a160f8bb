package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// uploadPages opens the pages of serve.uploads.
func (a *app) uploadPages(ctx context.Context, cfg *config.Config) (*upload.Pages, error) {
	u := cfg.Serve.Uploads
	if missing := cfg.Missing(); len(missing) > 0 {
		return nil, notReady(missing)
	}
	o := upload.Options{
		Core: processes{a}, Brake: brake{a, cfg}, Counter: byDays{a, cfg}, Destinations: slices.Sorted(maps.Keys(cfg.Targets)), Dir: filepath.Join(cfg.StateDir, "uploads"), Users: u.Users, Targets: u.Targets, Zone: cfg.Zone.Location,
		MaxSize: int64(u.MaxSize), SecondPerson: u.SecondPerson, Keep: time.Duration(u.Keep) * 24 * time.Hour, Log: a.log, Clock: a.clock,
	}
	for currency, amount := range u.SecondPersonAbove {
		most, err := reconcile.ParseDecimal(string(amount))
		if err != nil {
			return nil, &configError{fmt.Errorf("serve.uploads.second_person_above.%s: %w", currency, err)}
		}
		if o.Above == nil {
			o.Above = map[string]reconcile.Decimal{}
		}
		o.Above[currency] = most
	}
	if mayShare(cfg) == nil {
		o.Overseer = overseer{a, cfg}
	}
	if u.Proxy != nil {
		o.Header, o.Proxies = u.Proxy.Header, u.Proxy.Allowed()
	}
	free, err := ownUploads(ctx, o.Dir, handOver)
	if err != nil {
		return nil, err
	}
	o.Ended = free
	pages, err := upload.New(o)
	if err != nil {
		free()
		return nil, &configError{fmt.Errorf("open serve.uploads: %w", err)}
	}
	return pages, nil
}

// handOver is how long a service waits for the one before it to end.
const handOver = 20 * time.Second

// ownUploads makes sure that no other service works on the uploads: it would take
// what this one receives and sends for what an earlier one has left. It waits for
// so long for the other one to end. free gives them back.
func ownUploads(ctx context.Context, dir string, wait time.Duration) (free func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for uploads: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	got, err := lock.TryLockContext(waiting, 100*time.Millisecond)
	switch {
	case got:
		return func() { _ = lock.Close() }, nil // it goes with the process in any case
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("take the uploads over: %w", err)
	}
	return nil, fmt.Errorf("another makegood serve works on the uploads in %s: stop that one first, or give this one a state_dir of its own", dir)
}

// processes is the core of the upload page: makegood itself, in a process for
// each step, so that a file that takes too much ends that process alone.
type processes struct{ *app }

var _ upload.Core = processes{}

// Look implements upload.Core.
func (p processes) Look(ctx context.Context, folder string) (look upload.Look, err error) {
	text, err := p.start(ctx, func(string) {}, "look", folder)
	if err == nil {
		err = json.Unmarshal(text, &look)
	}
	return look, err
}

// Plan implements upload.Core.
func (p processes) Plan(ctx context.Context, folder string, said func(string)) (reports.Report, error) {
	return p.report(p.start(ctx, said, "plan", folder))
}

// Apply implements upload.Core.
func (p processes) Apply(ctx context.Context, folder string, a upload.Approval, said func(string)) (reports.Report, error) {
	return p.report(p.start(ctx, said, "apply", folder, "--plan", a.Path, "--digest", a.Digest, "--by", a.By))
}

func (p processes) report(text []byte, err error) (reports.Report, error) {
	if err != nil {
		return reports.Report{}, err
	}
	return reports.Read(bytes.NewReader(text))
}

// Bounds of a process: what it may say, and how long it may take to end after
// it was asked to.
const (
	maxAnswer = 64 << 20
	endWithin = 5 * time.Minute
)

// start gives what a step wrote to standard output. A step that wrote a result
// has done its work, whatever its exit code tells of the orders.
func (p processes) start(ctx context.Context, said func(string), step, folder string, more ...string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start makegood upload: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"upload", step, folder, "-c", p.file, "--log-format", logJSON}, more...)...)
	cmd.Args[0] = "makegood"
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endWithin
	ownGroup(cmd)
	heard := stepLog{log: p.log, upload: filepath.Base(folder), said: said}
	lines, writer := io.Pipe()
	cmd.Stderr = writer
	over := make(chan struct{})
	go func() { defer close(over); heard.listen(lines) }()
	out := &limitedBuffer{most: maxAnswer}
	cmd.Stdout = out
	err = cmd.Run()
	_ = writer.Close() // never fails
	<-over
	switch {
	case out.over:
		return nil, fmt.Errorf("makegood upload %s said more than %d MiB", step, maxAnswer>>20)
	case out.Len() > 0:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, heard.failed(step, err)
}

// limitedBuffer keeps what fits, and notes that there was more.
type limitedBuffer struct {
	bytes.Buffer
	most int
	over bool
}

func (b *limitedBuffer) Write(text []byte) (int, error) {
	if b.Len()+len(text) > b.most {
		b.over = true
		return len(text), nil
	}
	return b.Buffer.Write(text)
}

// stepLog hears what a step logs: all of it goes to the log, how far it is and
// what it ended with to the page.
type stepLog struct {
	log      *slog.Logger
	upload   string
	said     func(string)
	complain []string
}

func (l *stepLog) listen(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 256<<10)
	for lines.Scan() {
		l.line(lines.Bytes())
	}
	_, _ = io.Copy(io.Discard, in) // beside a line that is too long, so that nobody waits
}

// line takes one line of the log. Others are traces of a process that broke.
func (l *stepLog) line(text []byte) {
	var fields map[string]any
	if json.Unmarshal(text, &fields) != nil {
		return
	}
	message, _ := fields["msg"].(string)
	named, _ := fields["level"].(string)
	var level slog.Level
	_ = level.UnmarshalText([]byte(named)) // info
	if level >= slog.LevelError && len(l.complain) < 5 {
		l.complain = append(l.complain, message)
	}
	if far := howFar(message, fields); far != "" {
		l.said(far)
		level = min(level, slog.LevelDebug) // said every second
	}
	attributes := []any{"upload", l.upload}
	for key, value := range fields {
		if key != "msg" && key != "level" && key != "time" {
			attributes = append(attributes, key, value)
		}
	}
	l.log.Log(context.Background(), level, message, attributes...)
}

// howFar says how far a stage is, "" when the line is about something else.
func howFar(stage string, fields map[string]any) string {
	if n, is := fields["rows"].(float64); is {
		return fmt.Sprintf("%s: %.0f rows", sentenceOf(stage), n)
	}
	n, is := fields["done"].(float64)
	if of, whole := fields["of"].(float64); is && whole {
		return fmt.Sprintf("%s: %.0f of %.0f", sentenceOf(stage), n, of)
	}
	return ""
}

// ofTheFile takes out what an uploaded file is called here, which nobody knows.
var ofTheFile = strings.NewReplacer("open workbook orders.xlsx: ", "the workbook ", "read workbook orders.xlsx: ", "the workbook cannot be read: ",
	"give the source's password, or save it without one", "save a copy of it without a password, and upload that",
	"orders.xlsx", "the workbook", "orders.csv", "the file")

// failed says why a step gave no result. What is wrong in the configuration is
// nobody's who uploads a file.
func (l *stepLog) failed(step string, err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return fmt.Errorf("makegood upload %s: %w", step, err)
	}
	switch {
	case ended.ExitCode() == exitConfig:
		return fmt.Errorf("makegood upload %s: the configuration cannot be used: %s", step, strings.Join(l.complain, "; "))
	case len(l.complain) > 0:
		return &upload.Refused{Text: sentenceOf(ofTheFile.Replace(reports.Mask(strings.Join(l.complain, "; "))))}
	case step == "apply":
		return fmt.Errorf("makegood upload apply: %w", err)
	}
	return &upload.Refused{Text: "Reading this file takes more memory than a file may take. Upload a smaller one, or save it anew as CSV."}
}

func sentenceOf(text string) string {
	if text == "" {
		return text
	}
	if !strings.ContainsAny(text[len(text)-1:], ".?!") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
