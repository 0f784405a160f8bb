package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reports"
)

// completeUntil reads a time in the configured zone; "" is none.
func completeUntil(cfg *config.Config, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	var d config.Date
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("--complete-until %s: %w", text, err)
	}
	return d.In(cfg.Zone.Location), nil
}

// tellLacking lists what counts as sent and is not in the evidence, and names
// the way to send it again.
func (s *session) tellLacking(evidence string, all []reconcile.Contradicted) error {
	var list []reconcile.Lacking
	found, confirmed := 0, 0
	for _, c := range all {
		list, found, confirmed = append(list, c.Lacking...), found+c.LackingFound, confirmed+c.Confirmed
	}
	if found == 0 {
		return nil
	}
	fmt.Fprintf(s.io.out, "\n%d count as sent, and %s, which should have them, does not:\n", found, evidence)
	w := tabwriter.NewWriter(s.io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ORDER\tDESTINATION\tMONEY\tWHO SAID THAT IT WAS SENT\tWHEN")
	for _, l := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", reports.Mask(l.Order), l.Target, cmp.Or(strings.TrimSpace(l.Amount+" "+l.Currency), "-"),
			saidBy(l), l.At.In(s.Zone).Format("2006-01-02 15:04 MST"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if found > len(list) {
		fmt.Fprintf(s.io.out, "and %d more\n", found-len(list))
	}
	if confirmed < found {
		fmt.Fprintf(s.io.out, "It has %d of the %d that it should: are its numbers the same as here? Else correct its columns.order first.\n", confirmed, confirmed+found)
	}
	_, err := fmt.Fprintf(s.io.out, "\nLook at the platform whether they are really missing. Those that are go with the next run after:\n"+
		"  %s --lost --target %s --note \"not in the platform's order list\" %s\n", s.called("resolve"), list[0].Target, quotedArgument(list[0].Order))
	return err
}

// saidBy tells in words who said that something was sent.
func saidBy(l reconcile.Lacking) string {
	if l.By == reconcile.BySentHere {
		return "makegood: accepted by the platform"
	}
	return strings.TrimSuffix("assumed: "+l.Who, ": ")
}

// called is how a command is called with this configuration.
func (a *app) called(command string) string {
	if a.named() == "" {
		return "makegood " + command
	}
	return "makegood " + command + " -c " + quotedArgument(a.named())
}
