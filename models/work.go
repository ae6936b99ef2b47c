package models

// Bytes of the things that move between units or stay beside them.
const (
	ActivationElement = 4 // activations travel and rest as f32
	KVElement         = 4 // and so do cached keys and values
	TokenBytes        = 4 // a token id
)

// A Pass is one run of a micro-batch through the model: prefill (Past = 0) or
// one decode step (Tokens = 1).
type Pass struct {
	Batch  int // sequences
	Tokens int // new tokens of each sequence
	Past   int // positions already in each sequence's KV cache
}

// Rows is the number of activation rows of the pass, Batch × Tokens.
func (p Pass) Rows() int64 { return int64(p.Batch) * int64(p.Tokens) }

// attended returns the (query, key) pairs of the pass: token i of a sequence
// attends to Past+i+1 positions.
func (p Pass) attended() int64 {
	t := int64(p.Tokens)
	return int64(p.Batch) * (t*int64(p.Past) + t*(t+1)/2)
}

// matrixElements returns the elements of unit u's matrices, and normElements of its norms.
func (c Config) matrixElements(u int) int64 {
	dim := int64(c.Dim)
	if u == 0 || u == c.Layers+1 {
		return int64(c.Vocab) * dim
	}
	return 2*dim*dim + 2*dim*int64(c.KVDim()) + 3*dim*int64(c.Hidden)
}

func (c Config) normElements(u int) int64 {
	switch u {
	case 0:
		return 0
	case c.Layers + 1:
		return int64(c.Dim)
	}
	return 2 * int64(c.Dim)
}

// Params returns the parameters of unit u.
func (c Config) Params(u int) int64 { return c.matrixElements(u) + c.normElements(u) }

// WeightBytes returns the bytes of unit u's weights: matrices at precision p,
// norms as f32.
func (c Config) WeightBytes(u int, p Precision) int64 {
	return p.Bytes(c.matrixElements(u)) + 4*c.normElements(u)
}

// FLOPs returns the floating-point operations of unit u in a pass, a
// multiply-add counting two: 2 per matrix element and row, and 4·Dim per
// attended (query, key) pair in a block. The head computes only the last row of
// each sequence; the embedding is a copy.
func (c Config) FLOPs(u int, p Pass) int64 {
	switch u {
	case 0:
		return 0
	case c.Layers + 1:
		return 2 * c.matrixElements(u) * int64(p.Batch)
	}
	return 2*c.matrixElements(u)*p.Rows() + 4*int64(c.Dim)*p.attended()
}

// ReadBytes returns the bytes unit u reads from memory in a pass at weight
// precision w: its weights once, and the KV cache of the positions it attends
// to. The embedding reads one row a token.
func (c Config) ReadBytes(u int, w Precision, p Pass) int64 {
	if u == 0 {
		return w.Bytes(int64(c.Dim)) * p.Rows()
	}
	n := c.WeightBytes(u, w)
	if u <= c.Layers {
		n += int64(p.Batch) * c.KVBytes(u, p.Past+p.Tokens)
	}
	return n
}

// KVBytes returns the KV cache of one sequence of the given length in unit u: 0
// but for the blocks.
func (c Config) KVBytes(u, positions int) int64 {
	if u == 0 || u == c.Layers+1 {
		return 0
	}
	return 2 * KVElement * int64(c.KVDim()) * int64(positions)
}

// ActivationBytes returns the bytes of the activations of a pass between two units.
func (c Config) ActivationBytes(p Pass) int64 {
	return ActivationElement * int64(c.Dim) * p.Rows()
}

// LogitsBytes returns the bytes of the logits of one position of each sequence.
func (c Config) LogitsBytes(batch int) int64 {
	return ActivationElement * int64(c.Vocab) * int64(batch)
}

// WorkspaceBytes returns the scratch memory a shard needs for passes of at most
// rows activation rows: the residual stream twice, queries, attention output,
// keys and values, and the feed-forward's gate and up vectors.
func (c Config) WorkspaceBytes(rows int64) int64 {
	return ActivationElement * rows * int64(4*c.Dim+2*c.KVDim()+2*c.Hidden)
}
