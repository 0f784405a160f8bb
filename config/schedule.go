package config

import (
	"regexp"
	"strings"
)

// ScheduleEntry is a run by the clock of Config.Zone. Empty lists mean everything.
type ScheduleEntry struct {
	Name string `yaml:"name" required:"reports and the list of runs show it"`
	// Cron has five fields (minute, hour, day, month, weekday) or is one of @hourly, @daily and so on.
	Cron     string   `yaml:"cron" required:"five fields, as in \"30 2 * * *\""`
	Targets  []string `yaml:"targets"`
	Send     []string `yaml:"send" enum:"purchase cart_update cart_clear cart_create cart_upgrade cart_confirm"`
	Sources  []string `yaml:"sources"`
	Channels []string `yaml:"channels" enum:"online mobile in_store telephone marketplace b2b subscription other"`
	// Lookback is what the run reads again; the zero Span: Config.Lookback.
	Lookback Span `yaml:"lookback"`
}

var cronFields = regexp.MustCompile(`^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9A-Za-z*?/,-]+( +[0-9A-Za-z*?/,-]+){4})$`)

func (c *Config) checkSchedule(d *document) {
	names := map[string]bool{}
	for i, e := range c.Schedule {
		path := at("schedule", i)
		if names[e.Name] && e.Name != "" {
			d.fail(path+".name", "%s.name: %s stands twice", path, d.quote(path+".name"))
		}
		names[e.Name] = true
		if e.Cron != "" && !cronFields.MatchString(strings.TrimSpace(e.Cron)) {
			d.fail(path+".cron", "%s.cron: %s is no schedule; write five fields (minute, hour, day, month, weekday) in the zone of "+
				"this file, as in \"30 2 * * *\"", path, d.quote(path+".cron"))
		}
		refer(d, path+".targets", e.Targets, c.Targets, "target")
		refer(d, path+".sources", e.Sources, c.Sources, "source")
	}
}
