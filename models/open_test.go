package models

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkUnits compares every tensor of a checkpoint with the bytes by name.
func checkUnits(t *testing.T, c Checkpoint, n *names, want func(name string) []byte) {
	t.Helper()
	cfg := c.Config()
	for u := range cfg.Units() {
		x, err := c.Unit(u)
		if err != nil {
			t.Fatal(err)
		}
		slots := n.slots(cfg, u, &x)
		if got := len(x.Tensors()); got != len(slots) {
			t.Errorf("unit %d has %d tensors, want %d", u, got, len(slots))
		}
		for _, s := range slots {
			if s.into.Rows != s.rows || s.into.Cols != s.cols {
				t.Errorf("%s is %d×%d, want %d×%d", s.name, s.into.Rows, s.into.Cols, s.rows, s.cols)
			}
			if !bytes.Equal(s.into.Data, want(s.name)) {
				t.Errorf("%s has other bytes", s.name)
			}
		}
	}
}

func TestHuggingFace(t *testing.T) {
	want := tiny
	want.RopeHalf = true
	tied := want
	tied.Tied = true
	for _, cfg := range []Config{want, tied} {
		for _, p := range []Precision{F32, F16, BF16} {
			d := newDraft(cfg, p)
			single, shards := d.write(t), d.writeShards(t, 3)
			for _, ref := range []string{
				single, filepath.Join(single, singleFile), shards, filepath.Join(shards, indexFile),
			} {
				c := mustOpen(t, ref)
				if diff := cmp.Diff(cfg, c.Config()); diff != "" {
					t.Errorf("%s:\n%s", ref, diff)
				}
				checkUnits(t, c, &huggingFaceNames, func(name string) []byte { return d.tensor(name).data })
			}
		}
	}
}

// TestUnpaddedHeader: where the writer left the data unaligned, units are
// aligned all the same.
func TestUnpaddedHeader(t *testing.T) {
	d := newDraft(tiny, F32)
	dir := d.write(t)
	for pad := range 8 {
		put(t, dir, singleFile, safetensors(d.tensors, pad))
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		checkUnits(t, c, &huggingFaceNames, func(name string) []byte { return d.tensor(name).data })
		x, err := c.Unit(1)
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range x.Tensors() {
			if &tensor.Data[0] != &elementAligned(tensor.Data)[0] {
				t.Errorf("pad %d: a %d×%d tensor is not aligned", pad, tensor.Rows, tensor.Cols)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestShardsAreLazy: a worker needs only the files that hold its units.
func TestShardsAreLazy(t *testing.T) {
	d := newDraft(tiny, F16)
	dir := d.writeShards(t, 3) // 7 tensors each: the second has the end of block 1 and the start of 2
	for _, i := range []int{2, 3} {
		if err := os.Remove(filepath.Join(dir, fmt.Sprintf("model-%05d-of-00003.safetensors", i))); err != nil {
			t.Fatal(err)
		}
	}
	c := mustOpen(t, dir)
	if _, err := c.Unit(0); err != nil {
		t.Error(err)
	}
	if _, err := c.Unit(1); err == nil || !strings.Contains(err.Error(), "model-00002-of-00003.safetensors") {
		t.Errorf("unit 1: %v", err)
	}
}

// TestStories260KTensors compares the GGUF file with the checkpoint that it was
// made from: llama2.c's, a header of seven int32 and the matrices by kind.
func TestStories260KTensors(t *testing.T) {
	c := mustOpen(t, external(t, "stories260K/stories260K-f32.gguf"))
	bin := readFile(t, external(t, "stories260K/stories260K.bin"))[7*4:]
	want := make(map[string][]byte)
	take := func(name string, elements int) {
		want[name], bin = bin[:4*elements], bin[4*elements:]
	}
	cfg := c.Config()
	take(ggufNames.embedding, cfg.Vocab*cfg.Dim)
	for _, kind := range []struct {
		name     string
		elements int
	}{
		{ggufNames.attnNorm, cfg.Dim},
		{ggufNames.q, cfg.Dim * cfg.Dim},
		{ggufNames.k, cfg.KVDim() * cfg.Dim},
		{ggufNames.v, cfg.KVDim() * cfg.Dim},
		{ggufNames.o, cfg.Dim * cfg.Dim},
		{ggufNames.ffnNorm, cfg.Dim},
		{ggufNames.gate, cfg.Dim * cfg.Hidden},
		{ggufNames.down, cfg.Dim * cfg.Hidden},
		{ggufNames.up, cfg.Dim * cfg.Hidden},
	} {
		for i := range cfg.Layers {
			take(fmt.Sprintf(kind.name, i), kind.elements)
		}
	}
	take(ggufNames.norm, cfg.Dim)
	checkUnits(t, c, &ggufNames, func(name string) []byte { return want[name] })
}

// TestGGUFVariants: version 2 is the same, and the alignment may be another.
func TestGGUFVariants(t *testing.T) {
	old := synthetic(t, tiny, F32)
	old[4] = 2
	if err := openAll(writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), old)); err != nil {
		t.Errorf("version 2: %v", err)
	}
	for _, align := range []int{8, 64} { // all of tiny's tensors are multiples of 64 bytes
		var h ggufHeader
		putConfig(&h, tiny, F32)
		h.put("general.alignment", uint32(align))
		var data []byte
		want := make(map[string][]byte)
		for _, s := range synthTensors(tiny, F32) {
			h.tensor(s.name, F32, s.rows, s.cols)
			tensor := make([]byte, F32.Bytes(int64(s.rows)*int64(s.cols)))
			s.generate(tensor, rand.NewPCG(1, uint64(len(data))))
			want[s.name], data = tensor, append(data, tensor...)
		}
		end := 24 + len(h.values) + len(h.infos)
		header := slices.Concat(h.encode()[:end], make([]byte, -end&(align-1)))
		c := mustOpen(t, writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), append(header, data...)))
		checkUnits(t, c, &ggufNames, func(name string) []byte { return want[name] })
	}
}

func TestDemo(t *testing.T) {
	embedded, folder := mustOpen(t, Demo), mustOpen(t, "demo/")
	want, _ := Builtin(Demo)
	for _, c := range []Checkpoint{embedded, folder} {
		if diff := cmp.Diff(want, c.Config()); diff != "" {
			t.Error(diff)
		}
		checkUnits(t, c, &huggingFaceNames, func(name string) []byte {
			tensor, _, err := embedded.(*checkpoint).tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			return tensor.Data
		})
	}
}

// TestClosed: a closed checkpoint says so, rather than hand out memory that is gone.
func TestClosed(t *testing.T) {
	gguf := writeFile(t, filepath.Join(t.TempDir(), "x.gguf"), synthetic(t, tiny, F32))
	for _, ref := range []string{gguf, newDraft(tiny, F32).write(t), newDraft(tiny, F32).writeShards(t, 2)} {
		c, err := Open(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Unit(1); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("Unit: %v", err)
		}
		if _, err := c.Tokenizer(); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("Tokenizer: %v", err)
		}
	}
}

func TestUnitRange(t *testing.T) {
	c := mustOpen(t, Demo)
	for _, u := range []int{-1, 10} {
		if _, err := c.Unit(u); err == nil || err.Error() != fmt.Sprintf("model demo: no unit %d: want 0 to 9", u) {
			t.Errorf("Unit(%d): %v", u, err)
		}
	}
}

// TestConcurrentUnits has something to say under -race.
func TestConcurrentUnits(t *testing.T) {
	c := mustOpen(t, newDraft(tiny, F16).writeShards(t, 4))
	var all sync.WaitGroup
	for u := range tiny.Units() {
		all.Go(func() {
			if _, err := c.Unit(u); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
