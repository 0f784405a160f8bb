package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"makegood/reconcile"
)

// Finding is one row of a ledger that is not what its history says.
type Finding struct {
	Table string   `json:"table"`
	Key   []string `json:"key"`
	What  string   `json:"what"` // altered, gone, unknown or broken
	Text  string   `json:"text"`
}

// String names the row.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s: %s", f.Table, strings.Join(f.Key, " "), f.What, f.Text)
}

// What can be found.
const (
	FoundAltered = "altered"
	FoundGone    = "gone"
	FoundUnknown = "unknown"
	FoundBroken  = "broken"
)

// Check follows the journal from its beginning, folds it, and compares the
// fold with every row of every table: whatever was altered, deleted, added or
// doubled behind the ledger's back is found and named, the journal's own rows
// included. It reads one moment of the ledger, and keeps what does not fit
// into memory in dir. It needs the person key.
func (v *view) Check(ctx context.Context, dir string) (findings []Finding, err error) {
	err = v.read(ctx, "check the ledger", func(c *conn) (err error) {
		begin, end := c.db.moment()
		if _, err := c.ExecContext(ctx, begin); err != nil {
			return err
		}
		defer func() {
			_, ended := c.ExecContext(context.WithoutCancel(ctx), end)
			err = errors.Join(err, ended)
		}()
		check := checker{conn: c, seal: v.seal, oldest: micros(v.clock().Add(-receiptsKept))}
		findings, err = check.all(ctx, dir)
		return err
	})
	slices.SortStableFunc(findings, func(a, b Finding) int {
		if a.Table != b.Table {
			return strings.Compare(a.Table, b.Table)
		}
		return slices.Compare(a.Key, b.Key)
	})
	return findings, err
}

// checker compares the journal with the tables.
type checker struct {
	*conn
	seal     seal
	oldest   int64 // receipts of earlier times are forgotten
	parts    *parts
	findings []Finding
}

func (c *checker) found(table string, key []string, what, text string) {
	c.findings = append(c.findings, Finding{table, key, what, text})
}

// perPart is about how many entries are compared in memory at a time.
const perPart = 20_000

func (c *checker) all(ctx context.Context, dir string) (_ []Finding, err error) {
	var entries int
	if err := c.GetContext(ctx, &entries, `SELECT count(*) FROM entries`); err != nil {
		return nil, err
	}
	if c.parts, err = newParts(dir, 1+entries/perPart); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.parts.close()) }()
	if err := c.follow(ctx); err != nil {
		return nil, err
	}
	for _, example := range folded {
		err := c.each(ctx, example, func(row any) error {
			d, _ := c.seal.changed(zeroOf(row), row)
			is := d.row()
			return c.parts.add(is, true)
		})
		if err != nil {
			return nil, err
		}
	}
	return c.findings, c.parts.each(c.compare)
}

// journalRow is one row of the journal.
type journalRow struct {
	Sequence int64 `db:"sequence" json:"sequence" journal:"key"`
	At       int64 `db:"at" json:"at"`
	Changes  blob  `db:"changes" json:"changes"`
	Hash     blob  `db:"hash" json:"hash"`
}

// journalAtOnce is how many rows of the journal are read at a time.
const journalAtOnce = 50

// follow walks the chain and hands every change on.
func (c *checker) follow(ctx context.Context) error {
	chain := link{checker: c}
	for {
		var rows []journalRow
		query := fmt.Sprintf(`SELECT * FROM journal WHERE sequence > ? ORDER BY sequence LIMIT %d`, journalAtOnce)
		if err := c.SelectContext(ctx, &rows, query, chain.sequence); err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		for _, r := range rows {
			if err := chain.next(r); err != nil {
				return err
			}
		}
		if len(rows) < journalAtOnce {
			break
		}
	}
	var meta metaRow
	if err := c.GetContext(ctx, &meta, `SELECT * FROM meta`); err != nil {
		return fmt.Errorf("read the ledger's head: %w", err)
	}
	chain.end(meta)
	return nil
}

// link is the place up to which the chain was followed.
type link struct {
	*checker
	sequence int64
	hash     blob
	begun    bool
	lost     bool // the row before is not known
}

func (l *link) next(r journalRow) error {
	name := []string{fmt.Sprint(r.Sequence)}
	text, broken := inflate(r.Changes)
	if !l.begun {
		l.hash, l.lost = beginning(text)
		l.lost = l.lost && r.Sequence != 1
		if l.lost {
			l.found("journal", []string{fmt.Sprint(r.Sequence - 1)}, FoundGone, "the journal's beginning is missing")
		}
		l.sequence, l.begun = r.Sequence-1, true
	}
	if r.Sequence > l.sequence+1 {
		gone := fmt.Sprint(l.sequence + 1)
		if r.Sequence > l.sequence+2 {
			gone += fmt.Sprint(" to ", r.Sequence-1)
		}
		l.found("journal", []string{gone}, FoundGone, "the journal has a gap")
		l.lost = true
	}
	if !l.lost && !bytes.Equal(r.Hash, chain(l.hash, r.Sequence, r.At, r.Changes)) {
		l.found("journal", name, FoundAltered, "its hash does not follow from the row before it")
	}
	l.sequence, l.hash, l.lost = r.Sequence, r.Hash, false
	if broken != nil {
		l.found("journal", name, FoundAltered, "it cannot be unpacked: "+broken.Error())
		return nil
	}
	for line := range bytes.Lines(text) {
		var one change
		if err := json.Unmarshal(line, &one); err != nil {
			l.found("journal", name, FoundAltered, "it holds no changes: "+err.Error())
			return nil
		}
		if one.Table == baseTable {
			continue
		}
		if err := l.parts.add(one, false); err != nil {
			return err
		}
	}
	return nil
}

// beginning gives the hash that a journal goes on from; missing is true when
// the row is no beginning, or the first of all.
func beginning(text []byte) (after blob, missing bool) {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	var one change
	if json.Unmarshal(first, &one) != nil || one.Table != baseTable || len(one.Key) != 1 {
		return nil, true
	}
	after, err := hex.DecodeString(one.Key[0])
	return after, err != nil
}

// end compares the last row with the ledger's head.
func (l *link) end(meta metaRow) {
	switch {
	case meta.Sequence > l.sequence:
		l.found("journal", []string{fmt.Sprintf("%d to %d", l.sequence+1, meta.Sequence)}, FoundGone, "the journal's end is missing")
	case meta.Sequence < l.sequence:
		l.found("journal", []string{fmt.Sprintf("%d to %d", meta.Sequence+1, l.sequence)}, FoundUnknown, "the ledger's head is before the journal's end")
	case !bytes.Equal(meta.Hash, l.hash):
		l.found("journal", []string{fmt.Sprint(l.sequence)}, FoundAltered, "the ledger's head has another hash")
	}
}

// compare folds one part and compares it with the rows that are there.
func (c *checker) compare(changes, rows []change) {
	fold := map[string]change{}
	for _, one := range changes {
		one.foldInto(fold)
	}
	made := map[string][]map[string]string{}
	for _, is := range rows {
		key := is.id()
		was, known := fold[key]
		if !known {
			c.found(is.Table, is.Key, FoundUnknown, "the journal knows nothing of this row")
		} else if text := c.differs(was, is); text != "" {
			c.found(is.Table, is.Key, FoundAltered, text)
		}
		delete(fold, key)
		if is.Table == "attempts" {
			about := is.Whole["target"] + "\x00" + is.Whole["event"]
			made[about] = append(made[about], is.Whole)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fold)) {
		c.found(fold[key].Table, fold[key].Key, FoundGone, "the journal knows this row, the table does not")
	}
	for _, is := range rows {
		if is.Table == "entries" {
			c.attempted(is, made[strings.Join(is.Key, "\x00")])
		}
	}
}

// differs tells in which columns a row is not what the journal says.
func (c *checker) differs(was, is change) string {
	var names []string
	for name := range maps.Keys(was.Whole) {
		names = append(names, name)
	}
	for name := range maps.Keys(is.Whole) {
		if _, both := was.Whole[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var text []string
	for _, name := range names {
		then, now := was.Whole[name], is.Whole[name]
		if then == now || c.mayDiffer(is, name, then, now) {
			continue
		}
		text = append(text, fmt.Sprintf("%s is %q, the journal says %q", name, short(now), short(then)))
	}
	return strings.Join(text, "; ")
}

// mayDiffer tells what is not in the journal: that a receipt was forgotten in
// time, and the beats of a run that goes on.
func (c *checker) mayDiffer(is change, name, then, now string) bool {
	switch {
	case name == "receipt":
		return now == "" && number(is.Whole["at"]) < c.oldest
	case is.Table == "runs" && name == "beat":
		return is.Whole["finished"] == "" && number(now) >= number(then)
	}
	return false
}

// number reads what textOf made of one.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func short(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// attempted makes sure that an entry is what came of its attempts.
func (c *checker) attempted(e change, made []map[string]string) {
	wire, late, sent, doubt := 0, 0, false, false
	for _, a := range made {
		switch {
		case a["verdict"] == reconcile.Retryable.String() && a["status"] == "": // it never left
		case a["late"] != "":
			late++ // counted only where it ended a doubt
		default:
			wire++
		}
		sent = sent || a["verdict"] == reconcile.Sent.String()
		doubt = doubt || a["verdict"] != reconcile.Retryable.String() && a["verdict"] != reconcile.Rejected.String()
	}
	if have := number(e.Whole["attempts"]); have < int64(wire) || have > int64(wire+late) {
		c.found("entries", e.Key, FoundBroken, fmt.Sprintf("it counts %d attempts, %d are kept", have, wire+late))
	}
	state, by := reconcile.State(e.Whole["state"]), reconcile.By(e.Whole["done_by"])
	switch {
	case state == reconcile.StateDone && by == reconcile.BySentHere && !sent:
		c.found("entries", e.Key, FoundBroken, "it was sent here, and no attempt was accepted")
	case state == reconcile.StateDoubtful && !doubt:
		c.found("entries", e.Key, FoundBroken, "it is in doubt, and no attempt is")
	}
}

// id is the row that a change is about.
func (c change) id() string { return c.Table + "\x00" + strings.Join(c.Key, "\x00") }

// foldInto applies a change.
func (c change) foldInto(fold map[string]change) {
	id := c.id()
	switch {
	case c.Gone:
		delete(fold, id)
	case c.Set == nil:
		if c.Whole == nil {
			c.Whole = map[string]string{}
		}
		maps.DeleteFunc(c.Whole, func(_, text string) bool { return text == "" })
		fold[id] = c
	default:
		was := fold[id]
		if was.Whole == nil {
			was = change{Table: c.Table, Key: c.Key, Whole: map[string]string{}}
		}
		maps.Copy(was.Whole, c.Set)
		maps.DeleteFunc(was.Whole, func(_, text string) bool { return text == "" })
		fold[id] = was
	}
}
