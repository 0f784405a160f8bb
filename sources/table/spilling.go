package table

// flush spills what is in memory.
func (p *pass) flush() error {
	c := &codec{}
	for i, part := range p.order {
		if part == nil {
			continue
		}
		c.buf = c.buf[:0]
		part.walk(c)
		if err := p.spill.write(p.src.hasher.of(part.key), c.buf); err != nil {
			return err
		}
		p.order[i] = nil
	}
	clear(p.groups)
	p.order, p.last, p.used = p.order[:0], nil, 0
	return nil
}

// finish delivers every order, after the last row.
func (p *pass) finish() error {
	if !p.spill.used {
		return p.deliver(p.order)
	}
	if err := p.flush(); err != nil {
		return err
	}
	for _, file := range p.spill.files {
		if file == nil {
			continue
		}
		if err := file.each(p.restore); err != nil {
			return err
		}
		if err := p.deliver(p.order); err != nil {
			return err
		}
		clear(p.groups)
		p.order, p.last = p.order[:0], nil
	}
	return nil
}

// restore reads one spilled partial and joins it to the others of its order,
// which stand in the same partition in reading order.
func (p *pass) restore(record []byte) error {
	c := &codec{buf: record, reading: true, zones: p.located}
	part := &partial{}
	part.walk(c)
	if c.err != nil {
		return c.err
	}
	key := groupKey{part.key, part.file}
	if known := p.groups[key]; known != nil {
		known.merge(p.m, part, p.keep)
		return nil
	}
	p.groups[key] = part
	p.order = append(p.order, part)
	return nil
}
