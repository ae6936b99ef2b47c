package des

// push adds a key to the heap.
func (e *Engine[E]) push(k key) {
	if e.hole {
		e.hole = false
		e.down(root, k)
		return
	}
	if len(e.keys) == 0 {
		e.keys = make([]key, root, 64)
	}
	e.keys = append(e.keys, k)
	i := len(e.keys) - 1
	for i > root {
		parent := i/4 + 2
		if less(&k, &e.keys[parent]) == 0 {
			break
		}
		e.keys[i] = e.keys[parent]
		i = parent
	}
	e.keys[i] = k
}

// settle removes the root's key if its event has been handed out.
func (e *Engine[E]) settle() {
	if !e.hole {
		return
	}
	e.hole = false
	last := len(e.keys) - 1
	k := e.keys[last]
	if e.keys = e.keys[:last]; last > root {
		e.down(root, k)
	}
}

// down puts k at i, or below where smaller keys have to rise.
func (e *Engine[E]) down(i int, k key) {
	keys := e.keys
	for {
		first := 4 * (i - 2)
		if first+4 > len(keys) {
			break
		}
		c := (*[4]key)(keys[first : first+4])
		a := less(&c[1], &c[0])
		b := 2 + less(&c[3], &c[2])
		best := a + (b-a)*less(&c[b&3], &c[a&3])
		if less(&c[best&3], &k) == 0 {
			keys[i] = k
			return
		}
		keys[i] = c[best&3]
		i = first + int(best)
	}
	e.downLast(i, k)
}

// downLast ends down at a node with fewer than four children.
func (e *Engine[E]) downLast(i int, k key) {
	keys := e.keys
	if first := 4 * (i - 2); first < len(keys) {
		best := first
		for c := first + 1; c < len(keys); c++ {
			if less(&keys[c], &keys[best]) == 1 {
				best = c
			}
		}
		if less(&keys[best], &k) == 1 {
			keys[i] = keys[best]
			i = best
		}
	}
	keys[i] = k
}

// sweep drops the keys of cancelled events and makes the heap anew.
func (e *Engine[E]) sweep() {
	e.settle()
	kept := e.keys[:root]
	for _, k := range e.keys[root:] {
		if e.slots[k.id&slotMask].id == k.id {
			kept = append(kept, k)
		}
	}
	e.keys, e.stale = kept, 0
	for i := (len(kept)-1)/4 + 2; i >= root && len(kept) > root; i-- {
		e.down(i, kept[i])
	}
}
