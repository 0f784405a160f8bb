package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"makegood/config"
	"makegood/sources"
	"makegood/sources/proposal"
)

func (a *app) initCommand() *cobra.Command {
	var from, preset, output string
	var systemd, kubernetes bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration, from a file of orders if there is one",
		Long: `Writes makegood.yaml. With --from it looks at a CSV file or a workbook, recognises
the exports of known shops, else proposes by names and values which column is
what. What it is not sure of is marked "# ?": look at those lines. The
destination is in shadow: nothing is sent before you say so. A file that is
there already is never overwritten.

With --systemd or --kubernetes it writes the files instead with which these run
makegood, by its own clock or by theirs, into the folder --output (default: this
one).`,
		GroupID: "setup",
		Args:    arguments(cobra.NoArgs),
		Example: "  makegood init --from exports/orders.csv\n  makegood init --from orders.xlsx --output shop.yaml\n" +
			"  makegood init --from orders_export.csv --preset shopify\n  makegood init --systemd --output units\n  makegood init --kubernetes",
		RunE: func(c *cobra.Command, _ []string) error {
			if systemd || kubernetes {
				if from+preset != "" {
					return &usageError{command: "makegood init", err: errors.New("--systemd and --kubernetes write no configuration: --from and --preset do not go with them")}
				}
				dir := "."
				if c.Flags().Changed("output") {
					dir = output
				}
				var names []string
				if systemd {
					names = append(names, systemdUnits...)
				}
				if kubernetes {
					names = append(names, kubernetesUnits...)
				}
				return a.writeUnits(names, dir)
			}
			d := draft{from: from, preset: preset, output: output}
			if err := a.propose(c.Context(), &d); err != nil {
				return err
			}
			return a.writeDraft(d)
		},
	}
	c.Flags().StringVar(&from, "from", "", "a `FILE` of orders to look at")
	c.Flags().StringVar(&preset, "preset", "", "the export that it is: "+strings.Join(config.PresetNames(), ", "))
	c.Flags().StringVar(&output, "output", defaultConfig, "the `FILE` to write; it must not exist yet")
	c.Flags().BoolVar(&systemd, "systemd", false, "write units for systemd: a service by makegood's own clock, and a timer")
	c.Flags().BoolVar(&kubernetes, "kubernetes", false, "write manifests for Kubernetes: a deployment by makegood's own clock, a CronJob, and a deployment of workers")
	return c
}

// draft is a configuration that is being written.
type draft struct {
	from, preset, output string
	kind                 string
	proposal.Proposal
	lines  []string
	doubts int
}

func (a *app) propose(ctx context.Context, d *draft) error {
	if _, err := os.Lstat(d.output); err == nil {
		return &usageError{command: "makegood init", err: fmt.Errorf("%s is there already and is left as it is: name another file with --output", d.output)}
	}
	if d.preset != "" && config.PresetNamed(d.preset) == nil {
		return &usageError{command: "makegood init", err: fmt.Errorf("there is no preset %q; there are %s", d.preset, strings.Join(config.PresetNames(), ", "))}
	}
	if d.from == "" {
		d.kind, d.from = "csv", "orders.csv"
		d.Missing = []string{"order", "completed_at", "sku", "quantity", "price"}
	} else {
		dir, err := os.MkdirTemp("", "makegood-init-")
		if err != nil {
			return fmt.Errorf("look at %s: %w", d.from, err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it held nothing but what the file holds
		if d.kind, d.Proposal, err = sources.Look(ctx, d.from, dir); err != nil {
			return err
		}
		if slices.ContainsFunc(d.Proposal.Columns, func(c proposal.Column) bool { return strings.Contains(c.From, "@") }) ||
			slices.ContainsFunc(d.Proposal.Unused, func(name string) bool { return strings.Contains(name, "@") }) {
			return fmt.Errorf("look at %s: an address stands where the names of its columns should: export it with a header, or write one above its rows", d.from)
		}
	}
	if d.preset != "" {
		d.Proposal = proposal.Proposal{Preset: d.preset}
	}
	d.compose()
	return nil
}

func (a *app) writeDraft(d draft) error {
	f, err := os.OpenFile(d.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &usageError{command: "makegood init", err: fmt.Errorf("%s is there already and is left as it is", d.output)}
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.WriteString(strings.Join(d.lines, "\n") + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	text := fmt.Sprintf("wrote %s", d.output)
	if p := config.PresetNamed(d.Preset); p != nil {
		text += ": this is " + p.Title
	}
	if d.doubts > 0 {
		text += fmt.Sprintf("\n%d lines are marked \"# ?\": look at them, then take the mark away", d.doubts)
	}
	if d.Refused != "" {
		text += "\nthis export will not do: " + d.Refused
	}
	if len(d.Missing) > 0 {
		text += "\nno column was found for " + strings.Join(d.Missing, ", ") + ": name one in columns before anything else"
	}
	next := "makegood plan"
	if d.output != defaultConfig {
		next += " -c " + quotedArgument(d.output)
	}
	_, err = fmt.Fprintf(a.io.out, "%s\nnext: %s, which sends nothing\n", text, next)
	return err
}

func quotedArgument(s string) string {
	if strings.ContainsAny(s, " '\"$&;()*?<>|\\`") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// line adds a line; doubt marks it.
func (d *draft) line(text, doubt string) {
	if doubt != "" {
		d.doubts++
		text = fmt.Sprintf("%-40s # ? %s", text, doubt)
	}
	d.lines = append(d.lines, text)
}

func (d *draft) compose() {
	preset := config.PresetNamed(d.Preset)
	d.line("# Written by makegood init. Lines with \"# ?\" are doubts: look at them, then take the mark away.", "")
	d.line("zone: Europe/Amsterdam", "of dates on the command line and in reports")
	d.line("environment: test", "a destination goes live only in the environment of its ledger")
	d.line("sources:\n  shop:", "")
	d.line("    type: "+d.kind, "")
	d.line("    path: "+yamlText(d.path()), "")
	d.line("    zone: Europe/Amsterdam", "of times in the file that carry none")
	if !d.has("currency") && (preset == nil || preset.Columns["currency"] == nil) {
		d.line("    currency: EUR", "the file has no column for it")
	}
	if !d.has("channel") && (preset == nil || preset.Columns["channel"] == nil) {
		d.line("    channel: "+cmp.Or(presetChannel(preset), "online"), "online, in_store, mobile ...; stores also need order_unique")
	}
	d.line("    # may_send: {all: true, reason: \"terms of sale, version and day\"}", "who stands for sending to these people")
	if preset != nil {
		d.line("    preset: "+preset.Name+"  # "+preset.Title, "")
	} else {
		d.columns()
	}
	d.target()
}

func presetChannel(p *config.Preset) string {
	if p == nil {
		return ""
	}
	return p.Channel
}

// path is the file as the configuration, wherever it lies, finds it.
func (d *draft) path() string {
	if rel, err := filepath.Rel(filepath.Dir(d.output), d.from); err == nil && !filepath.IsAbs(d.from) {
		return rel
	}
	return d.from
}

func (d *draft) has(name string) bool {
	return slices.ContainsFunc(d.Columns, func(c proposal.Column) bool { return c.Name == name })
}

func (d *draft) columns() {
	if len(d.Statuses) > 0 {
		d.line("    # completed_when: ["+strings.Join(quotedAll(d.Statuses), ", ")+"]", "keep those that mean a completed order; put the others into not_completed")
	}
	d.line("    columns:", "")
	for _, c := range d.Columns {
		d.line(fmt.Sprintf("      %s: %s", c.Name, yamlText(c.From)), c.Doubt)
	}
	if !d.has("email") {
		d.line("      # email:", "no column holds addresses; a join finds them by customer or order: see join in the README")
	}
	for _, name := range d.Missing {
		d.line("      # "+name+":", "no column looks like it")
	}
	if len(d.Unused) > 0 {
		d.line("      # not used: "+strings.Join(d.Unused[:min(len(d.Unused), 60)], ", "), "")
	}
}

func quotedAll(texts []string) []string {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = yamlText(t)
	}
	return list
}

// yamlText writes a text so that YAML reads the same one.
func yamlText(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func (d *draft) target() {
	for _, text := range []string{
		"targets:", "  activate:",
		"    type: squeezely                      # squeezely | spotler | collect | emanage | rokt_ads",
		"    mode: shadow                         # does everything but send; live sends",
		"    url: https://api.squeezely.tech/v1/track",
		"    # account: ${ACTIVATE_ACCOUNT}       # live needs these, and says what else is missing",
		"    # api_key: ${ACTIVATE_KEY}",
		"    # since: 2026-11-01                  # earlier orders are not for this destination",
		"    # already_sent: [live_log]           # what the live integration sent, or nothing_else_sends: true",
	} {
		d.line(text, "")
	}
}
