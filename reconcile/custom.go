package reconcile

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
)

// CustomField is a custom field of a source's orders, and what stands in it.
type CustomField struct {
	Name   string `json:"name"`
	Filled int    `json:"filled"` // orders
	// Sample is the value that most people share. One that fewer than three
	// share may be personal: its letters and digits are masked.
	Sample string `json:"sample"`
}

// Bounds of what is looked at.
const (
	sampledFields = 64
	sampledValues = 64
	sampledRunes  = 40
	sharedBy      = 3 // persons, that a value is not one person's
)

// sampler looks at the custom fields of one source.
type sampler struct {
	seed   maphash.Seed
	fields map[string]*sampled
}

type sampled struct {
	filled int
	values map[string]map[uint64]bool // persons by value
	first  string
}

func newSampler() *sampler {
	return &sampler{seed: maphash.MakeSeed(), fields: map[string]*sampled{}}
}

// sample looks at the custom fields of a source's heads, where that is wanted.
func (p *planner) sample(source string, heads []Head) {
	if p.samples == nil {
		return
	}
	if p.samples[source] == nil {
		p.samples[source] = newSampler()
	}
	for _, h := range heads {
		p.samples[source].look(h)
	}
}

func (s *sampler) look(h Head) {
	for name, value := range h.Fields {
		if !strings.HasPrefix(name, "custom_") || value == "" {
			continue
		}
		f := s.fields[name]
		if f == nil {
			if len(s.fields) == sampledFields {
				continue
			}
			f = &sampled{values: map[string]map[uint64]bool{}, first: value}
			s.fields[name] = f
		}
		f.filled++
		persons := f.values[value]
		if persons == nil {
			if len(f.values) == sampledValues {
				continue
			}
			persons = map[uint64]bool{}
			f.values[value] = persons
		}
		if len(persons) < sampledValues {
			persons[maphash.String(s.seed, string(PersonOf(h)))] = true
		}
	}
}

// found gives the fields by their names.
func (s *sampler) found() []CustomField {
	var list []CustomField
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		f := s.fields[name]
		best := f.first
		for _, value := range slices.Sorted(maps.Keys(f.values)) {
			if len(f.values[value]) > len(f.values[best]) {
				best = value
			}
		}
		sample := []rune(best)
		if len(f.values[best]) < sharedBy {
			sample = []rune(shapeOf(best))
		}
		if len(sample) > sampledRunes {
			sample = append(sample[:sampledRunes], []rune("...")...)
		}
		list = append(list, CustomField{Name: name, Filled: f.filled, Sample: string(sample)})
	}
	return list
}
