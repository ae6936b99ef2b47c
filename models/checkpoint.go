package models

import "fmt"

// A source is what the formats differ in: where named tensors and the
// tokenizer come from. Its errors name the file.
type source interface {
	// tensor returns a tensor and the path of the file that it is in.
	tensor(name string) (t Tensor, file string, err error)
	tokenizer() (*Tokenizer, error)
	read(dst, data []byte) error
	expect(data []byte)
	forget(data []byte)
	Close() error
}

// A checkpoint is the Checkpoint of every format.
type checkpoint struct {
	source
	cfg   Config
	names *names
}

var _ Checkpoint = (*checkpoint)(nil)

func (c *checkpoint) Config() Config { return c.cfg }

// Unit returns the weights of unit u.
func (c *checkpoint) Unit(u int) (Unit, error) {
	if u < 0 || u >= c.cfg.Units() {
		return Unit{}, fmt.Errorf("model %s: no unit %d: want 0 to %d", c.cfg.Name, u, c.cfg.Units()-1)
	}
	x, err := c.locate(u)
	if err != nil {
		return Unit{}, err
	}
	for _, s := range c.names.slots(c.cfg, u, &x) {
		s.into.Data = elementAligned(s.into.Data)
	}
	return x, nil
}

// locate finds the tensors of unit u and checks their shapes; it reads none.
func (c *checkpoint) locate(u int) (Unit, error) {
	var x Unit
	for _, s := range c.names.slots(c.cfg, u, &x) {
		t, file, err := c.tensor(s.name)
		if err != nil {
			return Unit{}, err
		}
		if t.Rows != s.rows || t.Cols != s.cols {
			return Unit{}, fmt.Errorf("%s: tensor %q is %d×%d: want %d×%d", file, s.name, t.Rows, t.Cols, s.rows, s.cols)
		}
		*s.into = t
	}
	return x, nil
}

// Read copies data, bytes of c's tensors, to dst, which is as long. Who wants them
// once does better with it than with the map of a file.
func Read(c Checkpoint, dst, data []byte) error {
	if own, ok := c.(*checkpoint); ok {
		return own.read(dst, data)
	}
	copy(dst, data)
	return nil
}

// Expect asks the system to begin reading the weights of unit u of a mapped
// checkpoint, which are wanted soon. Units that the model lacks are ignored.
func Expect(c Checkpoint, u int) { eachMapped(c, u, source.expect) }

// Forget takes the weights of unit u of a mapped checkpoint out of memory, where
// the system can; those who have copied them need not hold them twice. They stay
// valid: whoever reads them again has them read from the file.
func Forget(c Checkpoint, u int) { eachMapped(c, u, source.forget) }

func eachMapped(c Checkpoint, u int, f func(s source, data []byte)) {
	own, ok := c.(*checkpoint)
	if !ok || u < 0 || u >= own.cfg.Units() {
		return
	}
	x, err := own.locate(u)
	if err != nil {
		return
	}
	for _, t := range x.Tensors() {
		f(own.source, t.Data)
	}
}

// Tokenizer reads the tokenizer and checks that it yields only tokens that the
// model embeds.
func (c *checkpoint) Tokenizer() (*Tokenizer, error) {
	t, err := c.tokenizer()
	if err != nil {
		return nil, err
	}
	if t.Vocab() > c.cfg.Vocab {
		return nil, fmt.Errorf("model %s: the tokenizer has %d tokens: want at most the model's %d", c.cfg.Name, t.Vocab(), c.cfg.Vocab)
	}
	return t, nil
}

// check makes sure of all units' tensors, without reading any.
func (c *checkpoint) check() error {
	for u := range c.cfg.Units() {
		if _, err := c.locate(u); err != nil {
			return err
		}
	}
	return nil
}
