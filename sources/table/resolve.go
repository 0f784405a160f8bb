package table

import (
	"fmt"
	"strings"

	"makegood/reconcile"
)

// place is a row of a source: headers are numbered in reading order.
type place struct {
	header int32
	row    int32
}

func (p place) before(o place) bool {
	return p.header < o.header || p.header == o.header && p.row < o.row
}

// fault is something wrong with a value of the order.
type fault struct {
	label  string
	reason reconcile.Reason
	text   string
}

// resolved is what the kept columns of an order come to.
type resolved struct {
	values    []string // by mapping.fields
	leftOut   reconcile.Reason
	hold      reconcile.Reason
	permitted bool
	faults    []fault
}

func (r *resolved) fault(label string, reason reconcile.Reason, text string) {
	r.faults = append(r.faults, fault{label, reason, text})
}

// resolve works out the order's values from its kept columns: what stands in
// the rows, then what joins add, then what is made of joined names, and then
// the rules. number is the order number that the rows show.
func (m *mapping) resolve(kept []string, number string) *resolved {
	r := &resolved{values: make([]string, len(m.fields)), permitted: m.permitAll}
	for i := range m.fields {
		if !m.fields[i].late {
			m.value(r, i, kept)
		}
	}
	for _, j := range m.joins {
		j.apply(m, r, number)
	}
	for i := range m.fields {
		if m.fields[i].late {
			m.value(r, i, kept)
		}
	}
	m.judge(r, kept)
	return r
}

// value works out one field. A joined value that is there already gives way
// to one that an expression makes.
func (m *mapping) value(r *resolved, i int, kept []string) {
	f := &m.fields[i]
	switch {
	case f.kept >= 0:
		r.values[i] = kept[f.kept]
	case f.eval != nil:
		text, err := f.eval.text(m.gather(f.args, r, kept))
		if err != nil {
			r.fault(f.label, reconcile.ReasonBadValue, err.Error())
		} else if text != "" {
			r.values[i] = text
		}
	case f.literal != "":
		r.values[i] = f.literal
	}
	if f.id && damaged(r.values[i]) {
		r.fault(f.label, reconcile.ReasonDamagedID, damageText(f.label))
	}
}

// gather lists the values that an expression reads.
func (m *mapping) gather(args []int, r *resolved, kept []string) []string {
	values := make([]string, len(args))
	for i, at := range args {
		if at < 0 {
			values[i] = r.values[^at]
		} else {
			values[i] = kept[at]
		}
	}
	return values
}

// judge applies leave_out and may_send. The first rule that fits counts.
func (m *mapping) judge(r *resolved, kept []string) {
	for _, rule := range m.rules {
		yes, err := rule.eval.holds(m.gather(rule.args, r, kept))
		if err != nil {
			r.fault(rule.key, reconcile.ReasonBadValue, err.Error())
		}
		if yes && r.leftOut == "" {
			r.leftOut = rule.reason
		}
	}
	if at, ok := m.index["refers_to"]; ok && r.leftOut == "" && r.values[at] != "" {
		r.leftOut = reasonClickAndCollect
	}
	if at, ok := m.index["reverses"]; ok && r.leftOut == "" && r.values[at] != "" {
		r.leftOut = reconcile.ReasonReversal
	}
	m.judgeTest(r)
	if m.permit != nil {
		yes, err := m.permit.eval.holds(m.gather(m.permit.args, r, kept))
		if err != nil {
			r.fault(m.permit.key, reconcile.ReasonBadValue, err.Error())
		}
		r.permitted = yes
	}
}

// judgeStatus applies RULES R8 to the order's own status: an order counts by the list of statuses, and
// one that nobody has spoken of is held back until somebody has.
func (m *mapping) judgeStatus(r *resolved) {
	at, ok := m.index["status"]
	if m.statuses == nil || !ok || r.leftOut != "" && r.leftOut != reconcile.ReasonReversal {
		return
	}
	switch complete, known := m.statuses[strings.ToLower(r.values[at])]; {
	case !known && r.leftOut == "":
		r.hold = reconcile.ReasonStatusUnknown
	case known && !complete: // nor does a credit note undo anything
		r.leftOut = reconcile.ReasonStatusNotComplete
	}
}

// reasonClickAndCollect leaves out the till ticket of a web order (RULES R3).
const reasonClickAndCollect reconcile.Reason = "click_and_collect"

// compare names what another row of the same order says otherwise; row is
// where the order's own values stand.
func (m *mapping) compare(own, other *resolved, row int32) []fault {
	faults := other.faults
	add := func(label, text string) {
		faults = append(faults, fault{label, reconcile.ReasonConflict, fmt.Sprintf("%s in row %d of the same order", text, row)})
	}
	for i := range m.fields {
		f := &m.fields[i]
		if a, b := own.values[i], other.values[i]; m.differ(f, a, b) {
			text := f.name + " is another than"
			if f.conflict && f.name != "customer" && f.name != "email" {
				text = fmt.Sprintf("%s is %s here and %s", f.name, shape(b), shape(a))
			}
			add(f.label, text)
		}
	}
	if own.leftOut != other.leftOut {
		add("leave_out", "the rules that leave orders out say something else than")
	}
	if own.permitted != other.permitted {
		add("may_send", "may_send says something else than")
	}
	return faults
}

// differ reports whether two values of a field contradict each other.
func (m *mapping) differ(f *orderField, a, b string) bool {
	if a == b || a == "" || b == "" || !f.conflict && f.eval == nil {
		return false
	}
	switch f.name {
	case "email", "currency":
		return !strings.EqualFold(a, b)
	case "total", "shipping", "discount":
		x, errX := m.numbers.parse(a)
		y, errY := m.numbers.parse(b)
		return errX != nil || errY != nil || x.Cmp(y) != 0
	}
	return true
}

func damageText(label string) string {
	if strings.ContainsAny(label, " -") {
		return fmt.Sprintf(`looks like a number that a spreadsheet made of an id; map it with '= trimSuffix(row[%q], ".0")' `+
			"where only that was added, else export the column as text", label)
	}
	return fmt.Sprintf(`looks like a number that a spreadsheet made of an id; map it with '= trimSuffix(%s, ".0")' `+
		"where only that was added, else export the column as text", label)
}
