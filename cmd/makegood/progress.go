package main

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"makegood/reconcile"
)

// progress shows bars to a person at a terminal and writes a log line every ten
// seconds elsewhere.
func (a *app) progress() (reconcile.Progress, func()) {
	if !a.terminal(a.io.err) || a.logFormat == logJSON || a.logLevel == logDebug {
		every := logEvery
		if a.upload != nil { // somebody looks at its page
			every = time.Second
		}
		return logProgress{a.log, every}, func() {}
	}
	bars := mpb.New(mpb.WithOutput(a.io.err), mpb.WithWidth(40), mpb.WithAutoRefresh())
	return barProgress{bars}, bars.Shutdown
}

// rowCounter brings the rows that a source has read to the meter of the stage
// that is under way.
type rowCounter struct {
	mu    sync.Mutex
	meter reconcile.Meter
	last  int
}

func (c *rowCounter) watch(m reconcile.Meter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.meter, c.last = m, 0
}

func (c *rowCounter) count(_ string, rows int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.meter != nil && rows > c.last {
		c.meter.Add(rows - c.last)
	}
	c.last = rows
}

type barProgress struct{ bars *mpb.Progress }

// Begin adds a bar; one without a total counts only.
func (p barProgress) Begin(stage string, total int) reconcile.Meter {
	name := decor.Name(stage, decor.WC{W: 28, C: decor.DindentRight})
	if total == 0 {
		return barMeter{p.bars.New(0, mpb.SpinnerStyle(), mpb.PrependDecorators(name, decor.CurrentNoUnit("%d")))}
	}
	return barMeter{p.bars.New(int64(total), mpb.BarStyle(),
		mpb.PrependDecorators(name, decor.CountersNoUnit("%d / %d")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))}
}

type barMeter struct{ bar *mpb.Bar }

func (m barMeter) Add(n int) { m.bar.IncrBy(n) }
func (m barMeter) End()      { m.bar.SetTotal(-1, true) }

// logEvery is how often a stage says how far it is.
const logEvery = 10 * time.Second

type logProgress struct {
	log   *slog.Logger
	every time.Duration
}

// Begin starts a stage that is logged as long as it lasts, and at its end for
// whoever looks closely.
func (p logProgress) Begin(stage string, total int) reconcile.Meter {
	m := &logMeter{end: make(chan struct{})}
	begun := time.Now()
	m.over = func() {
		p.log.Debug(stage+" has ended", "done", m.n.Load(), "took", time.Since(begun).Round(time.Millisecond))
	}
	ticker := time.NewTicker(p.every)
	m.saying.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-m.end:
				return
			case <-ticker.C:
				p.say(stage, int(m.n.Load()), total)
			}
		}
	})
	return m
}

func (p logProgress) say(stage string, n, total int) {
	if total > 0 {
		p.log.Info(stage, "done", n, "of", total)
		return
	}
	p.log.Info(stage, "rows", n)
}

type logMeter struct {
	n      atomic.Int64
	end    chan struct{}
	saying sync.WaitGroup
	over   func()
}

func (m *logMeter) Add(n int) { m.n.Add(int64(n)) }

// End returns when nothing more is said.
func (m *logMeter) End() {
	close(m.end)
	m.saying.Wait()
	m.over()
}
