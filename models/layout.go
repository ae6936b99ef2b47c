package models

import (
	"fmt"
	"slices"
	"strings"
)

// names are a checkpoint format's tensor names; those of blocks have a %d for
// the block, counted from 0. Tensors whose names end in buffer hold no weights.
type names struct {
	embedding, norm, output string

	attnNorm, q, k, v, o    string
	ffnNorm, gate, up, down string

	buffer string
}

// A slot is a tensor that a unit needs: its name and shape, and where it goes.
type slot struct {
	name       string
	rows, cols int
	into       *Tensor
}

// slots lists the tensors of unit u of c, which go into x.
func (n *names) slots(c Config, u int, x *Unit) []slot {
	switch u {
	case 0:
		return []slot{{n.embedding, c.Vocab, c.Dim, &x.Embedding}}
	case c.Layers + 1:
		output := n.output
		if c.Tied {
			output = n.embedding
		}
		return []slot{{n.norm, 1, c.Dim, &x.Norm}, {output, c.Vocab, c.Dim, &x.Output}}
	}
	of := func(name string) string { return fmt.Sprintf(name, u-1) }
	return []slot{
		{of(n.attnNorm), 1, c.Dim, &x.AttnNorm},
		{of(n.q), c.Dim, c.Dim, &x.Q},
		{of(n.k), c.KVDim(), c.Dim, &x.K},
		{of(n.v), c.KVDim(), c.Dim, &x.V},
		{of(n.o), c.Dim, c.Dim, &x.O},
		{of(n.ffnNorm), 1, c.Dim, &x.FFNNorm},
		{of(n.gate), c.Hidden, c.Dim, &x.Gate},
		{of(n.up), c.Hidden, c.Dim, &x.Up},
		{of(n.down), c.Dim, c.Hidden, &x.Down},
	}
}

// match checks that present holds every tensor of c and no others, which could
// be biases or experts that a Llama 2 pass would silently leave out.
func match[V any](n *names, c Config, present map[string]V) error {
	known := make(map[string]bool, len(present))
	for u := range c.Units() {
		for _, s := range n.slots(c, u, new(Unit)) {
			if _, ok := present[s.name]; !ok {
				return fmt.Errorf("tensor %q is missing: want it for %d blocks", s.name, c.Layers)
			}
			known[s.name] = true
		}
	}
	var unexpected []string
	for name := range present {
		if !known[name] && !n.mayIgnore(c, name) {
			unexpected = append(unexpected, name)
		}
	}
	if len(unexpected) > 0 {
		return fmt.Errorf("unexpected tensor %.99q: want only those of %d Llama blocks, without biases or experts", slices.Min(unexpected), c.Layers)
	}
	return nil
}

// mayIgnore tells of tensors that a pass of c does not need: buffers, and the
// output matrix that some writers add to a tied model.
func (n *names) mayIgnore(c Config, name string) bool {
	return n.buffer != "" && strings.HasSuffix(name, n.buffer) || c.Tied && name == n.output
}
