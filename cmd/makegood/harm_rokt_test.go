package main

import (
	"fmt"
	"testing"
	"time"

	"makegood/sinks/simulator"
)

// roktAds adds a live destination of type rokt_ads.
func (s *shop) roktAds(name string, over fields) {
	s.set("targets", name, with(fields{
		"type": "rokt_ads", "mode": "live", "environment": "production", "url": s.url + "/v2/bulkevents", "api_key": "key", "api_secret": "secret",
		"from": []string{"shop"}, "channels": []string{"online", "in_store"}, "send": []string{"purchase"}, "since": "2020-01-01", "nothing_else_sends": true,
		"rate": "10000/s", "probe_after": []string{"1ms", "2ms", "4ms"}, "timeout": "300ms",
	}, over))
}

// TestHarmOneBadConversion: one stale order, one without a customer and one
// that the platform does not want take no other one with them.
func TestHarmOneBadConversion(t *testing.T) {
	for _, api := range []string{"events", "conversions"} {
		s := newShop(t)
		s.source("shop", fields{"currency": nil, "columns": columns(fields{"currency": "currency"})})
		s.roktAds("ads", map[string]fields{"events": {}, "conversions": {"api": "conversions", "environment": nil,
			"account": "1", "url": s.url + "/v1/conversions"}}[api])
		var rows []string
		for i := range 250 {
			rows = append(rows, fmt.Sprintf("%d,%s,p%d@example.com,MUG,1,5,EUR", i, ago(time.Hour), i))
		}
		rows = append(rows, "old,"+ago(400*24*time.Hour)+",old@example.com,MUG,1,5,EUR", "nobody,"+ago(time.Hour)+",,MUG,1,5,EUR")
		s.csv("shop.csv", usualHeader+",currency", rows...)
		got := s.run(exitDone, "--from", "2020-01-01")
		if b := got.target(t, "ads").Balance; b.Sent.Events != 250 || b.HeldBack.Events != 2 {
			t.Errorf("%s: %+v", api, b)
		}
		if p := s.sim.Counts().Platforms[simulator.RoktAds]; p.Orders != 250 || p.Repeats != 0 || p.Money["EUR"] != "1250" {
			t.Errorf("%s: the platform counts %+v", api, p)
		}
	}
}

// TestHarmLostConversions: an answer that never came is sent again only where
// somebody says that Rokt counts it once.
func TestHarmLostConversions(t *testing.T) {
	for merges, repeats := range map[bool]uint64{false: 0, true: 1} {
		s := newShop(t, "drop,first=1")
		s.source("shop", nil)
		s.roktAds("ads", fields{"merges_repeats": merges})
		s.orders("shop", "1,"+ago(time.Hour)+",a@example.com,MUG,1,5")
		s.run(map[bool]int{false: exitPerson, true: exitLeft}[merges])
		s.run(map[bool]int{false: exitPerson, true: exitDone}[merges])
		if p := s.sim.Counts().Platforms[simulator.RoktAds]; p.Orders != 1 || p.Repeats != repeats || p.Money["EUR"] != "5" {
			t.Errorf("merges %v: the platform counts %+v", merges, p)
		}
	}
}
