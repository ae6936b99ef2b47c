package models

// A Tensor is a row-major matrix [Rows][Cols] in a checkpoint; a vector has one
// row. Data is the checkpoint's own memory (mapped, never copied): read-only and
// valid until the checkpoint is closed. A row is Precision.Bytes(Cols) long.
type Tensor struct {
	Precision  Precision
	Rows, Cols int
	Data       []byte
}

// A Unit holds the weights of one unit; the tensors that its kind does not have
// are zero. Matrices are [out][in].
type Unit struct {
	Embedding Tensor // unit 0: [Vocab][Dim]

	AttnNorm, FFNNorm Tensor // blocks: [1][Dim]
	Q, O              Tensor // [Dim][Dim]
	K, V              Tensor // [KVDim][Dim]
	Gate, Up          Tensor // [Hidden][Dim]
	Down              Tensor // [Dim][Hidden]

	Norm   Tensor // unit L+1: [1][Dim]
	Output Tensor // [Vocab][Dim]
}

// Tensors returns the unit's tensors, absent ones left out.
func (u *Unit) Tensors() []Tensor {
	var present []Tensor
	for _, t := range []Tensor{u.Embedding, u.AttnNorm, u.Q, u.K, u.V, u.O, u.FFNNorm, u.Gate, u.Up, u.Down, u.Norm, u.Output} {
		if t.Data != nil {
			present = append(present, t)
		}
	}
	return present
}

// Bytes returns the size of the unit's weights.
func (u *Unit) Bytes() int64 {
	var n int64
	for _, t := range u.Tensors() {
		n += int64(len(t.Data))
	}
	return n
}

// A Checkpoint is an open model file, or folder of files. Opening reads only its
// metadata; Unit touches no bytes but that unit's.
type Checkpoint interface {
	Config() Config
	Unit(u int) (Unit, error)
	Tokenizer() (*Tokenizer, error)
	Close() error
}
