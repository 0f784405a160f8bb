// Package config reads makegood.yaml: one file, strict, and typed.
//
// A key that is not known, a key given twice, a value of the wrong form and a name that leads nowhere are errors, each
// with file, line and column, and all of them are reported at once (Errors). ${NAME} and file:PATH in values are
// expanded after parsing, so that no value can bring keys with it. What a live target lacks is no error of the file:
// Config.Missing lists it.
//
// The package is a leaf: it knows no source, no sink and no rule of sending.
package config

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// maxFile is the size in bytes up to which a configuration is read.
const maxFile = 1 << 20

// Config is a whole configuration, checked, with every default filled in and every relative path made absolute.
type Config struct {
	// Zone is the zone of dates on the command line, in the schedule and in reports. It has no default.
	Zone Zone `yaml:"zone" required:"write the zone that your dates are in, such as zone: Europe/Amsterdam"`
	// Environment is stamped into a new ledger; a target goes live only in the environment of its ledger.
	Environment string `yaml:"environment"`
	// Ledger is an absolute path, or a URL such as postgres://... that may hold a password: for messages, LedgerName.
	Ledger string `yaml:"ledger" default:"makegood.db"`
	// StateDir is the absolute path of the folder for plans, spill, caches, locks and head.json.
	StateDir string `yaml:"state_dir" default:".makegood"`
	// Lookback is what a run reads again, in calendar days of Zone.
	Lookback Days `yaml:"lookback" default:"7d"`
	// ReachBack is how far a run goes back at most for an unsettled order, in calendar days of Zone.
	ReachBack Days `yaml:"reach_back" default:"60d"`
	// Suppress are absolute paths of files with addresses, customer ids and order numbers that nothing is sent about.
	Suppress []string `yaml:"suppress"`

	Sources  map[string]*Source        `yaml:"sources"`
	Evidence map[string]*Evidence      `yaml:"evidence"`
	Carts    map[string]*CartSource    `yaml:"carts"`
	Messages map[string]*MessageSource `yaml:"messages"`
	Targets  map[string]*Target        `yaml:"targets"`
	Schedule []ScheduleEntry           `yaml:"schedule"`
	Serve    *Serve                    `yaml:"serve"`
	Notify   *Notify                   `yaml:"notify"`
	Metrics  *Metrics                  `yaml:"metrics"`
	Plans    *Plans                    `yaml:"plans"`
	// Catalog is that of every target which names none of its own.
	Catalog *Catalog `yaml:"catalog"`

	// Dir is the absolute folder of the file, which relative paths start from.
	Dir string `yaml:"-"`
	// Settings is every value that may decide what is sent, as the file has it,
	// by its path, such as targets.activate.since. Secrets are not told, and of
	// the value of ${NAME} a mark.
	Settings map[string]string `yaml:"-"`
}

// Load reads and checks the file at path. env answers for the variables of ${NAME}; nil knows none. A file that cannot
// be read gives an error that unwraps to the cause, a file with faults gives Errors.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return Parse(data, path, env)
}

// Parse checks data as the contents of the file called name, whose folder relative paths start from, and returns the
// configuration or Errors. It reads no file but those that a value names with file:.
func Parse(data []byte, name string, env func(string) (string, bool)) (*Config, error) {
	c := &Config{Dir: filepath.Dir(name)}
	if dir, err := filepath.Abs(c.Dir); err == nil {
		c.Dir = dir
	}
	d := newDocument(name, c.Dir, env)
	if root := d.parse(data); root != nil {
		d.decode("", root, reflect.ValueOf(c).Elem(), "")
		d.fill(c)
		d.check(c)
		c.anchor()
		c.Settings = d.settings
	}
	if len(d.problems) > 0 {
		d.alsoMissing(c)
		return nil, d.problems.sorted()
	}
	return c, nil
}

// LedgerName is Ledger for messages: without the password that a URL may hold.
func (c *Config) LedgerName() string { return PlaceName(c.Ledger) }

// PlaceName is a file or a URL for messages: without the password that a URL
// may hold.
func PlaceName(place string) string {
	if !strings.Contains(place, "://") {
		return place
	}
	u, err := url.Parse(place)
	if err != nil {
		return hidden
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}

// readFile reads at most one byte more than maxFile, so that Parse can tell a file that is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// fill puts names where they belong, and the defaults that depend on other keys.
func (d *document) fill(c *Config) {
	for name, s := range c.Sources {
		s.Name, s.ShopGiven = name, d.given("sources."+name+".shop")
		s.fill(&c.Zone)
	}
	for name, e := range c.Evidence {
		e.Name = name
		e.inherit(&c.Zone)
	}
	for name, s := range c.Carts {
		s.Name = name
		s.inherit(&c.Zone)
	}
	if c.Notify != nil {
		for name, n := range c.Notify.To {
			n.Name = name
		}
	}
	for name, m := range c.Messages {
		m.Name = name
		m.inherit(&c.Zone)
	}
	for name, t := range c.Targets {
		t.Name = name
		if t.Catalog == nil {
			t.Catalog = c.Catalog
		}
		t.fill(func(key string) bool { return d.given("targets." + name + "." + key) }, sortedKeys(c.Sources))
	}
}

// anchor makes relative paths absolute.
func (c *Config) anchor() {
	c.Ledger, c.StateDir = c.absolute(c.Ledger), c.absolute(c.StateDir)
	if c.Metrics != nil {
		c.Metrics.TextFile = c.absolute(c.Metrics.TextFile)
	}
	if c.Serve != nil && c.Serve.Uploads != nil {
		c.Serve.Uploads.Users = c.absolute(c.Serve.Uploads.Users)
	}
	if c.Plans != nil {
		c.Plans.Key = c.absolute(c.Plans.Key)
	}
	catalogs := map[*Catalog]bool{}
	for _, t := range c.Targets {
		t.Path = c.absolute(t.Path)
		if t.Catalog != nil && !catalogs[t.Catalog] {
			catalogs[t.Catalog] = true // several targets may share one
			t.Catalog.anchor(c)
		}
	}
	for i, path := range c.Suppress {
		c.Suppress[i] = c.absolute(path)
	}
	for _, s := range c.Sources {
		s.anchor(c)
		for i := range s.Join {
			s.Join[i].anchor(c)
		}
	}
	for _, e := range c.Evidence {
		e.anchor(c)
	}
	for _, s := range c.Carts {
		s.anchor(c)
	}
	for _, m := range c.Messages {
		m.anchor(c)
	}
}

// absolute is path seen from the folder of the file; what has a scheme is no path and stays.
func (c *Config) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) || strings.Contains(path, "://") {
		return path
	}
	return filepath.Join(c.Dir, path)
}
