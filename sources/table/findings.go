package table

import (
	"slices"

	"makegood/reconcile"
)

// findings keeps the first problems of a source in reading order, whatever
// order they are found in.
type findings struct {
	at   []place
	list []reconcile.RowProblem
}

func (f *findings) add(headers []*Header, p problem) { f.put(p.at, rowProblem(headers, p)) }

func (f *findings) put(at place, p reconcile.RowProblem) {
	i, _ := slices.BinarySearchFunc(f.at, at, func(a, b place) int {
		if b.before(a) {
			return 1
		}
		return -1 // behind those of the same row
	})
	if i >= reconcile.MaxProblems {
		return
	}
	f.at = slices.Insert(f.at, i, at)
	f.list = slices.Insert(f.list, i, p)
	if len(f.list) > reconcile.MaxProblems {
		f.at, f.list = f.at[:reconcile.MaxProblems], f.list[:reconcile.MaxProblems]
	}
}

// blame tells what is wrong with the row at hand, in the first pass.
func (p *pass) blame() {
	if p.src.options.Blame == nil || p.seek != nil || p.look != nil {
		return
	}
	for _, one := range p.row.list {
		p.src.options.Blame(rowProblem(p.headers, one))
	}
}
