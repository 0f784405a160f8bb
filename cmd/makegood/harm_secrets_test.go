package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What must be found nowhere: a key, and the address of a person.
const (
	canaryKey     = "canary-key-7f3a91"
	canaryPerson  = "canary.person"
	canaryAddress = canaryPerson + "@example.com"
)

// canaryShop sends a person's orders to both kinds of platforms, and reads
// rows in which the address has slipped into every other column.
func canaryShop(t *testing.T) *shop {
	s := newShop(t)
	s.activate("activate", fields{"api_key": canaryKey, "from": []string{"tills"}, "timeout": "300ms"})
	s.collect("stores", fields{"timeout": "300ms"})
	s.tills("tills", fields{"order_unique": "per_store", "may_send": `int(flag) == 1`, "columns": columns(fields{"customer": "customer", "store": "store", "custom_note": "flag"})})
	at, slipped := ago(time.Hour), canaryAddress
	s.csv("tills.csv", usualHeader+",customer,store,flag",
		"1,"+at+","+slipped+",MUG,1,5,c1,S1,1", "2,"+at+","+slipped+",KETTLE,1,40,c1,S1,1",
		"3,"+slipped+",,MUG,1,5,c1,S1,1", "4,"+at+",,MUG,"+slipped+",5,c1,S1,1", "5,"+at+",,MUG,1,"+slipped+",c1,S1,1",
		slipped+",never,,MUG,1,5,c1,S1,1", "7,"+at+",,MUG,1,5,"+slipped+",S1,1", "7,"+at+",,MUG,1,5,c2,S1,1",
		"8,"+at+",,MUG,1,5,c1,"+slipped+",1", "8,"+at+",,MUG,1,5,c1,S2,1", "9,"+at+",,MUG,1,5,c1,S1,"+slipped,
		"10,"+at+","+slipped+";other@example.com,MUG,1,5,c1,S1,1", "11,"+at+","+slipped+",MUG,1,5,c1,S1,1", "11,"+at+",other@example.com,MUG,1,5,c1,S1,1")
	s.csv("carts.csv", cartsHeader, slipped+",MUG,1,5,"+ago(30*time.Hour))
	return s
}

// quiet wants no canary in what was said.
func (s *shop) quiet(what, said string) {
	s.Helper()
	sum := sha256.Sum256([]byte(canaryAddress))
	for _, canary := range []string{canaryKey, canaryPerson, string(sum[:]), hex.EncodeToString(sum[:])} {
		if at := strings.Index(said, canary); at >= 0 {
			s.Errorf("%s holds %q: ...%.120q", what, canary, said[max(0, at-40):])
		}
	}
}

// quietFiles wants no canary in any file but those that the shop itself wrote.
func (s *shop) quietFiles(own ...string) {
	s.Helper()
	found := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(own, d.Name()) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found++
		s.quiet(d.Name(), string(text))
		return nil
	})
	if err != nil || found < 4 { // ledger, head, key, report
		s.Errorf("%d files were looked at, %v", found, err)
	}
}

func TestHarmSecretsAndAddressesAreNotTold(t *testing.T) {
	own := []string{"makegood.yaml", "tills.csv", "carts.csv"}
	faults := []string{"none", "drop", "garbage", "status=401", "status=403", "status=500", "status=422", "empty", "redirect", "refuse", "hang", "gone"}
	if testing.Short() {
		faults = faults[:3]
	}
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := canaryShop(t)
			switch fault {
			case "none":
			case "gone": // nobody listens there
				s.activate("activate", fields{"api_key": canaryKey, "from": []string{"tills"}, "url": "http://127.0.0.1:1/v1/track"})
			default:
				setFaults(t, s.sim, fault)
			}
			runs := [][]string{{"run", "--json", "--html", filepath.Join(s.dir, "report.html")}, {"plan", "--json", "--strict"}, {"plan", "--strict"}}
			if fault != "gone" && fault != "hang" { // they take their time
				runs = append(runs, []string{"run", "--strict"})
			}
			config := s.file()
			for _, args := range runs {
				code, out, errs := makegood(t, append(args, "-c", config)...)
				if code == exitDone || code > exitFailed {
					t.Errorf("%v: exit %d, but there are bad rows", args, code)
				}
				s.quiet(strings.Join(args, " "), out)
				s.quiet(strings.Join(args, " ")+" (errors)", errs)
				if slices.Contains(args, "--html") { // no plan was made yet
					s.quietFiles(own...)
				}
			}
			s.guardedPlans()
			if fault == "none" && s.platform("activate") != "S1-1 5 EUR, S1-2 40 EUR" {
				t.Errorf("the platform holds %q: what was to be hidden was not there", s.platform("activate"))
			}
		})
	}
}

// guardedPlans: a plan holds addresses, so that only its owner may read it. It
// holds no key.
func (s *shop) guardedPlans() {
	s.Helper()
	plans, err := filepath.Glob(filepath.Join(s.dir, ".makegood", "plans", "*"))
	if err != nil || len(plans) == 0 {
		s.Errorf("there are no plans: %v", err)
	}
	for _, path := range append(plans, filepath.Join(s.dir, "makegood.db"), filepath.Join(s.dir, ".makegood", "person.key")) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			s.Errorf("%s: mode %v, %v", filepath.Base(path), info.Mode(), err)
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.Contains(text, []byte(canaryKey)) {
			s.Errorf("%s holds the key (%v)", filepath.Base(path), err)
		}
	}
	if info, err := os.Stat(filepath.Join(s.dir, ".makegood")); err != nil || info.Mode().Perm() != 0o700 {
		s.Errorf("state_dir: %v, %v", info.Mode(), err)
	}
}

// TestHarmSecretsInAWrongConfiguration: what is wrong with a configuration is
// told without what stands in it.
func TestHarmSecretsInAWrongConfiguration(t *testing.T) {
	for name, over := range map[string]fields{
		"a key with a line break":          {"api_key": canaryKey + "\n"},
		"a password in the address":        {"url": "https://user:" + canaryKey + "@example.com/v1/track"},
		"a variable that is not set":       {"api_key": "${" + canaryPerson + "}"},
		"a file of a secret that is gone":  {"api_key": "file:gone"},
		"a key under an unknown name":      {"api_kee": canaryKey},
		"a list instead of a key":          {"api_key": []string{canaryKey}},
		"a secret where a duration is due": {"timeout": "file:secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.source("shop", nil)
			s.orders("shop", "1,"+ago(time.Hour)+",ann@example.com,MUG,1,5")
			s.activate("activate", over)
			write(t, s.dir, "secret", canaryKey+"\n")
			code, out, errs := makegood(t, "run", "-c", s.file())
			if code != exitConfig {
				t.Errorf("exit %d\n%s", code, errs)
			}
			if strings.Contains(out+errs, canaryKey) {
				t.Errorf("the key is told: %s", errs)
			}
			if s.requests() != 0 {
				t.Error("something was sent")
			}
		})
	}
}

// TestHarmAddressInABrokenFeed: what is logged while sending holds no address.
func TestHarmAddressInABrokenFeed(t *testing.T) {
	t.Parallel()
	s := cartShop(t)
	plan := s.makegood(exitLeft, "plan")
	s.csv("carts.csv", cartsHeader, "ann@example.com,MUG,"+canaryAddress+",5,"+ago(30*time.Hour))
	code, out, errs := makegood(t, "apply", plan.Plan.Path, "-c", s.file())
	if code > exitFailed || !strings.Contains(errs+out, "carts.csv") {
		t.Errorf("exit %d: %s", code, errs)
	}
	s.quiet("apply", out+errs)
}
