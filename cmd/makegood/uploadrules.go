package main

import (
	"fmt"
	"regexp"
	"strings"

	"makegood/cmd/makegood/upload"
	"makegood/config"
	"makegood/reports"
	"makegood/sources"
)

// Names of columns that say whether prices are with VAT, and that people agreed
// to something.
var (
	withoutVAT = regexp.MustCompile(`(?i)\b(excl|ex\.? ?(vat|btw|tax)|net|netto|zonder btw|ohne mwst|hors taxe|ht)\b`)
	withVAT    = regexp.MustCompile(`(?i)\b(incl|inkl|gross|brutto|bruto|with (vat|tax)|ttc)`)
	consent    = regexp.MustCompile(`(?i)newsletter|nieuwsbrief|opt.?in|consent|toestemming|einwilligung|marketing|subscribed`)
	perStore   = regexp.MustCompile(`(?i)\b(store|shop|winkel|filiaal|filiale|till|kassa|kasse|branch)`)
)

// rulesOf are the questions that have no default. The configuration answers
// them for every file; who uploads one sees whether that is so of theirs.
func rulesOf(cfg *config.Config, seen sources.Seen) []upload.Rule {
	u := cfg.Serve.Uploads
	s := cfg.Sources[u.Source]
	rules := []upload.Rule{vatRule(s, seen.Columns), uniqueRule(s, seen.Columns)}
	for _, name := range u.Targets {
		if t := cfg.Targets[name]; t != nil {
			rules = append(rules, elseRule(name, t))
		}
	}
	return append(rules, permissionRule(s, seen.Columns))
}

// named gives the first column whose name fits.
func named(columns []string, form *regexp.Regexp) string {
	for _, c := range columns {
		if form.MatchString(c) {
			return shownCell(c)
		}
	}
	return ""
}

func vatRule(s *config.Source, columns []string) upload.Rule {
	r := upload.Rule{Question: "Are its prices with VAT?", Answer: map[string]string{
		"included": "Yes, with VAT.", "excluded": "No, without VAT.", "": "Nobody has said it: they are sent as they stand in the file."}[s.Vat]}
	with, without := named(columns, withVAT), named(columns, withoutVAT)
	switch {
	case with != "" && without != "":
		r.File = fmt.Sprintf("It has both: the column %q looks like prices with VAT, %q like prices without. Choose the right one below.", with, without)
		r.Doubt = true
	case with != "":
		r.File, r.Doubt = fmt.Sprintf("The column %q looks like prices with VAT.", with), s.Vat == "excluded"
	case without != "":
		r.File, r.Doubt = fmt.Sprintf("The column %q looks like prices without VAT.", without), s.Vat == "included"
	default:
		r.File = "The names of its columns do not tell. Compare one price with the shop."
	}
	return r
}

func uniqueRule(s *config.Source, columns []string) upload.Rule {
	r := upload.Rule{Question: "Does an order number stand for one order?", Answer: map[string]string{
		"always": "Yes, always.", "per_store": "Together with its store.", "per_store_and_day": "Together with its store and the day.",
		"per_till_and_day": "Together with its till and the day.", "": "Yes: nobody has said that stores or tills begin anew."}[s.OrderUnique]}
	if column := named(columns, perStore); column != "" {
		r.File = fmt.Sprintf("It has the column %q: stores and tills often begin their numbers anew.", column)
		r.Doubt = s.OrderUnique == "" || s.OrderUnique == "always"
	} else {
		r.File = "It names no stores and no tills."
	}
	return r
}

func elseRule(name string, t *config.Target) upload.Rule {
	r := upload.Rule{Question: "Who else sends such orders to " + name + "?"}
	switch {
	case t.NothingElseSends:
		r.Answer = "Nobody: whatever was not sent from here is new there."
	case len(t.AlreadySent) > 0:
		r.Answer = "Others, too. What they sent is looked up in: " + reports.Mask(strings.Join(t.AlreadySent, ", ")) + "."
	default:
		r.Answer, r.Doubt = "Nobody has said it.", true
	}
	r.File = "A file cannot tell. The preview counts those of its orders that were sent before."
	return r
}

func permissionRule(s *config.Source, columns []string) upload.Rule {
	r := upload.Rule{Question: "May these customers be written about to a marketing platform?"}
	switch {
	case s.MaySend == nil:
		r.Answer, r.Doubt = "Nobody stands for it.", true
	case s.MaySend.All:
		r.Answer = "Yes, all of them: " + reports.Mask(s.MaySend.Reason) + "."
	default:
		r.Answer = "Those for whom this holds: " + reports.Mask(s.MaySend.When) + "."
	}
	if column := named(columns, consent); column != "" {
		r.File = fmt.Sprintf("It has the column %q: some customers may have said no.", column)
		r.Doubt = r.Doubt || s.MaySend != nil && s.MaySend.All
	} else {
		r.File = "It has no column that looks like a permission."
	}
	return r
}
