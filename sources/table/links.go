package table

import (
	"context"
	"fmt"
	"strings"

	"makegood/reconcile"
)

// maxLinks bounds the memory for sessions that upgrade another one.
const maxLinks = 1 << 17

// links are the orders that are one because a session of the one upgrades a
// session of the other. Only those that are linked take memory.
type links struct {
	above map[string]string // order to the one that it was joined to
	size  map[string]int    // of the order that stands for all: how many there are
	child map[string]bool   // orders that upgrade another one
}

// of gives the order that a row of an order counts for.
func (l *links) of(order string) string {
	for l.above[order] != "" {
		order = l.above[order]
	}
	return order
}

// joined is how many others have become one with an order.
func (l *links) joined(order string) int { return max(l.size[order]-1, 0) }

// join makes two orders one. The one that upgrades no other stands for both;
// where that does not tell, the one whose number comes first.
func (l *links) join(a, b string) {
	a, b = l.of(a), l.of(b)
	if a == b {
		return
	}
	if l.child[a] && !l.child[b] || l.child[a] == l.child[b] && b < a {
		a, b = b, a
	}
	l.above[b] = a
	l.size[a] = max(l.size[a], 1) + max(l.size[b], 1)
	delete(l.size, b)
}

// link finds out which orders are one, before rows are grouped: once over the
// rows that name a parent session, and once for the orders of those sessions.
// Sources without columns.parent_session pay nothing for it.
func (s *Source) link(ctx context.Context, files []File) error {
	s.links = links{above: map[string]string{}, size: map[string]int{}, child: map[string]bool{}}
	if !s.mapping.rows[rowParent].mapped() {
		return nil
	}
	if len(files) > 1 && !s.parts() {
		return fmt.Errorf("join the carts of several files: columns.parent_session needs files: parts, which says that an order is cut across them")
	}
	heirs := map[string][]string{} // by parent session: the orders that upgrade it
	known := map[[2]string]bool{}
	err := s.saying(ctx, files, rowParent, func(p *pass, parent string) error {
		if known[[2]string{parent, p.id.key}] {
			return nil
		}
		if len(known) == maxLinks {
			return fmt.Errorf("more than %d carts upgrade another one; read a shorter period, or a part of the carts", maxLinks)
		}
		order := strings.Clone(p.id.key)
		parent = strings.Clone(parent)
		known[[2]string{parent, order}], s.links.child[order] = true, true
		heirs[parent] = append(heirs[parent], order)
		return nil
	})
	if err != nil || len(known) == 0 {
		return err
	}
	return s.saying(ctx, files, rowSession, func(p *pass, session string) error {
		for _, heir := range heirs[session] {
			s.links.join(strings.Clone(p.id.key), heir)
		}
		return nil
	})
}

// saying walks all rows whose order is known and that say something in a field.
func (s *Source) saying(ctx context.Context, files []File, field int, do func(p *pass, text string) error) error {
	p := s.newPass(&reconcile.Tally{LeftOut: map[reconcile.Reason]int{}})
	p.look = func(cells []string) error {
		if text := p.row.text(&p.bound.slots[field], cells); text != "" {
			return do(p, text)
		}
		return nil
	}
	for i, f := range files {
		p.at(i)
		if err := p.walk(ctx, f); err != nil {
			return err
		}
	}
	return nil
}
