package config

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is something that a target needs before it may send.
type Requirement struct {
	Target  string // empty: the whole configuration
	Source  string // the source that lacks it; empty: the target does
	Key     string
	Why     string // one sentence
	Example string // a line to add
}

// String is a line for people.
func (r Requirement) String() string {
	where := ""
	if r.Target != "" {
		where = "targets." + r.Target + ": "
	}
	if r.Source != "" {
		where += "sources." + r.Source + ": "
	}
	return fmt.Sprintf("%s%s is missing. %s Add: %s", where, r.Key, r.Why, r.Example)
}

// Missing lists what the live and trial targets lack, all of it, sorted by target; nothing may be sent before it is
// empty. What shadow and off need is checked by Parse.
func (c *Config) Missing() []Requirement {
	var all []Requirement
	for _, name := range sortedKeys(c.Targets) {
		if t := c.Targets[name]; t.Sending() {
			if c.Environment == "" && len(all) == 0 {
				all = append(all, environmentAsked)
			}
			all = append(all, t.missing(c)...)
		}
	}
	return all
}

var environmentAsked = Requirement{Key: "environment",
	Why:     "A copy of this file and of the ledger, made for tests, must not send to customers.",
	Example: "environment: production"}

func (t *Target) missing(c *Config) []Requirement {
	var all []Requirement
	ask := func(lacking bool, key, why, example string) {
		if lacking {
			all = append(all, Requirement{Target: t.Name, Key: key, Why: why, Example: example})
		}
	}
	ask(t.Since == nil, "since", "Without it the whole history of the sources is sent.", "since: 2026-11-01")
	ask(len(t.AlreadySent) == 0 && !t.NothingElseSends, "already_sent",
		"What another integration sent already would be sent a second time.",
		"already_sent: [NAME_OF_EVIDENCE], or nothing_else_sends: true")
	needsKey := t.Type == "squeezely" || t.Type == "spotler"
	ask(needsKey && t.Account == "", "account", "The platform asks for the account that events belong to.", "account: ${ACTIVATE_ACCOUNT}")
	ask(needsKey && t.APIKey == "", "api_key", "The platform takes nothing without it.", "api_key: ${ACTIVATE_KEY}")
	if t.Type == "rokt_ads" {
		t.missingRoktAds(ask)
	}
	if t.Type == "emanage" {
		t.missingEmanage(ask)
	}
	if t.Type == "rokt" {
		t.missingRokt(ask)
	}
	if !t.Merges() {
		const why = "The platform is not known to merge repeats, so what goes there has to be written down."
		ask(!t.FromGiven, "from", why, "from: ["+strings.Join(t.From, ", ")+"]")
		ask(!t.ChannelsGiven, "channels", why, "channels: ["+strings.Join(t.Channels, ", ")+"]")
		ask(!t.SendGiven, "send", why, "send: ["+strings.Join(t.Send, ", ")+"]")
	}
	for _, name := range t.From {
		if s := c.Sources[name]; s != nil {
			all = append(all, t.missingOf(s)...)
		}
	}
	return all
}

// missingOf is what a source of the target lacks.
func (t *Target) missingOf(s *Source) []Requirement {
	var all []Requirement
	if s.MaySend == nil {
		all = append(all, Requirement{Target: t.Name, Source: s.Name, Key: "may_send",
			Why:     "Somebody has to stand for sending these people's orders.",
			Example: `may_send: {all: true, reason: "terms of sale 4.2, 2026-11-01"}`})
	}
	inStore := s.Channel == "in_store" || s.Has("channel") && slices.Contains(t.Channels, "in_store")
	if inStore && s.OrderUnique == "" {
		all = append(all, Requirement{Target: t.Name, Source: s.Name, Key: "order_unique",
			Why:     "Tills begin their numbers anew, and a number that returns would be taken for an order that was sent.",
			Example: "order_unique: per_store_and_day"})
	}
	return all
}

// alsoMissing adds what live targets lack to the faults of the file, so that
// everything is known at once.
func (d *document) alsoMissing(c *Config) {
	for _, r := range c.Missing() {
		path := "targets." + r.Target
		if r.Target == "" {
			path = "targets"
		}
		d.fail(path, "%s", r.String())
	}
}
