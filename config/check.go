package config

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// nameText keeps names usable in paths of keys, file names, event ids and commands.
var nameText = regexp.MustCompile(`^[\pL\pN][\pL\pN_-]{0,63}$`)

// check looks at everything that takes more than one key to see.
func (d *document) check(c *Config) {
	for _, name := range sortedKeys(c.Sources) {
		d.name("sources."+name, name)
		c.Sources[name].check(d, "sources."+name)
	}
	c.checkMoves(d)
	for _, name := range sortedKeys(c.Evidence) {
		d.name("evidence."+name, name)
		c.Evidence[name].check(d, "evidence."+name, c.Zone)
	}
	for _, name := range sortedKeys(c.Carts) {
		d.name("carts."+name, name)
		c.Carts[name].check(d, "carts."+name)
	}
	for _, name := range sortedKeys(c.Messages) {
		d.name("messages."+name, name)
		c.Messages[name].check(d, "messages."+name, c)
	}
	if c.Catalog != nil {
		c.Catalog.check(d, "catalog")
	}
	for _, name := range sortedKeys(c.Targets) {
		d.name("targets."+name, name)
		c.Targets[name].check(d, "targets."+name, c)
	}
	c.checkSchedule(d)
	if c.Serve != nil {
		c.Serve.check(d, c)
	}
	if c.Notify != nil {
		c.Notify.check(d, c)
	}
	if c.Metrics != nil {
		c.Metrics.check(d)
	}
	if c.Plans != nil {
		c.Plans.check(d, c)
	}
}

// failed says whether path, or an element of the list at path, has a problem already.
func (d *document) failed(path string) bool {
	return d.faulty[path] || d.broken[d.values[path]]
}

func (d *document) name(path, name string) {
	if !d.failed(path) && !nameText.MatchString(name) {
		d.fail(path, "%s: a name has letters, digits, - and _, at most 64, and begins with a letter or digit", path)
	}
}

// columns reports names that are not in known and not custom_*.
func (d *document) columns(path string, columns map[string]string, known []string) {
	custom := slices.Contains(known, "sku") && slices.Contains(known, "order")
	for _, name := range sortedKeys(columns) {
		if !slices.Contains(known, name) && !(custom && customColumn.MatchString(name)) {
			at := path + "." + name
			d.failAt(d.keys[at], at, "%s: unknown column %s; %s", path, quoted(name), instead(name, known))
			d.slip(path, name, known)
		}
	}
}

// slip notes which key a wrong one was meant to be, so that it is not reported as missing too.
func (d *document) slip(path, word string, known []string) {
	if k, ok := nearest(word, known); ok {
		d.faulty[under(path, k)] = true
	}
}

func (d *document) required(path string, columns map[string]string, names ...string) {
	for _, name := range names {
		if _, ok := columns[name]; !ok && d.given(path+".columns") && !d.failed(path+".columns."+name) {
			d.fail(path+".columns", "%s.columns.%s is missing", path, name)
		}
	}
}

// date reports a wall clock that the zone never shows.
func (d *document) date(path string, date *Date, zone Zone) {
	if date == nil || date.IsZero() {
		return
	}
	loc := zone.Location
	if loc == nil {
		loc = time.UTC
	}
	if _, ok := date.resolve(loc); !ok {
		d.fail(path, "%s: %s does not occur in %s, where clocks are put forward over it", path, d.quote(path), zone)
	}
}

// refer reports names that lead nowhere.
func refer[V any](d *document, path string, names []string, known map[string]V, what string) {
	for i, name := range names {
		if _, ok := known[name]; ok || name == "" {
			continue
		}
		where := path
		if d.given(at(path, i)) {
			where = at(path, i)
		}
		if !d.failed(where) {
			d.fail(where, "%s: there is no %s called %s; %s", path, what, d.quote(where), instead(name, sortedKeys(known)))
		}
	}
}

func at(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
