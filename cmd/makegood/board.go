package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"text/template"
	"time"

	"makegood/config"
	"makegood/reports/notice"
)

// audience are those who are told of runs.
type audience struct {
	checks []notice.HealthCheck
	board  notice.Board
}

// openAudience makes of the configuration who is told.
func (a *app) openAudience(cfg *config.Config) (audience, error) {
	all := audience{board: notice.Board{Shop: cfg.Environment, Clock: a.clock}}
	if cfg.Notify == nil {
		return all, nil
	}
	all.board.ReportURL = cfg.Notify.ReportURL
	for _, name := range slices.Sorted(maps.Keys(cfg.Notify.To)) {
		n := cfg.Notify.To[name]
		if n.Type == "health_check" {
			check := notice.HealthCheck{Name: name, URL: n.URL.Reveal()}
			if n.Failure == "fail" {
				check.Fail = n.Failure
			}
			all.checks = append(all.checks, check)
			continue
		}
		notifier, err := openNotifier(n)
		if err != nil {
			return audience{}, &configError{fmt.Errorf("open notify.to.%s: %w", name, err)}
		}
		all.board.Members = append(all.board.Members, notice.Member{Name: name, MissingOver: n.MissingOver, Notifier: notifier})
	}
	return all, nil
}

func openNotifier(n *config.Notice) (notice.Notifier, error) {
	switch n.Type {
	case "slack":
		return notice.Slack{URL: n.URL.Reveal()}, nil
	case "teams":
		return notice.Teams{URL: n.URL.Reveal()}, nil
	case "email":
		return notice.Mail{Host: n.Host, Port: n.Port, TLS: n.TLS, Username: n.Username, Password: n.Password.Reveal(), From: n.From, To: n.To}, nil
	case "webhook":
		hook := notice.Webhook{URL: n.URL.Reveal(), Method: n.Method, Header: n.HeaderOf()}
		if n.Template == "" {
			return hook, nil
		}
		var err error
		if hook.Template, err = template.New("template").Funcs(config.TemplateFuncs()).Option("missingkey=error").Parse(n.Template); err != nil {
			return nil, err
		}
		return hook, hook.Check()
	}
	return nil, fmt.Errorf("type %q is not known", n.Type)
}

// lane names runs that are compared with each other: of the same destinations,
// and, where a person named a period, of the same one. A plan is carried out
// once: what that leaves is compared with nothing.
func lane(cfg *config.Config, f *runFlags, command string) string {
	if command != "run" {
		return ""
	}
	lane := command
	if f.schedule != "" {
		lane += " of " + f.schedule
	}
	if f.from != "" || f.to != "" {
		lane += " from " + cmp.Or(f.from, "the beginning") + " to " + cmp.Or(f.to, "its end")
	}
	for _, name := range destinations(cfg, f) {
		lane += " " + name
	}
	return lane
}

// destinations are those of a run, sorted.
func destinations(cfg *config.Config, f *runFlags) []string {
	names := slices.Clone(f.targets)
	for name, t := range cfg.Targets {
		if len(f.targets) == 0 && t.Mode != config.ModeOff {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// recordsKept is how many records are looked through for what was told last.
// One has all that was known when it was made; hosts that end runs at the same
// moment do not know of each other's.
const recordsKept = 50

// keepWithin is how long reading or writing down what was told may take.
const keepWithin = 10 * time.Second
