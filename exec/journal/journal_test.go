package journal

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written makes a journal of two requests and returns its folder.
func written(t *testing.T) (dir string, want *State) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "journal")
	h := Header{Coordinator: "secret", Plan: json.RawMessage(`{"stages":[]}`)}
	j, err := Create(dir, h)
	if err != nil {
		t.Fatal(err)
	}
	j.Token(0, 5)
	j.Token(1, 7)
	j.Token(0, 6)
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	j.End(0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, &State{Header: h, Tokens: map[int][]int{0: {5, 6}, 1: {7}}, Ended: map[int]bool{0: true}}
}

func TestJournal(t *testing.T) {
	dir, want := written(t)
	j, got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if runtime.GOOS != "windows" {
		if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "another run") {
			t.Errorf("opened twice: error %v", err)
		}
		for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, FileName): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: error %v, mode %v: want %v", path, err, info.Mode(), mode)
			}
		}
	}
	j.Token(1, 8)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, Header{}); err == nil || !strings.Contains(err.Error(), "resume") {
		t.Errorf("replaced: error %v", err)
	}
	_, got, err = Open(dir)
	if want.Tokens[1] = []int{7, 8}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("after going on: error %v, %+v", err, got)
	}
}

// TestTorn: a journal cut anywhere after its plan has the tokens before that, and
// goes on from there.
func TestTorn(t *testing.T) {
	dir, _ := written(t)
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, first, err := next2(whole)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		s, end, err := read(bytes.NewReader(whole[:n]))
		if n < first {
			if err == nil {
				t.Fatalf("cut at %d: read without a plan", n)
			}
			continue
		}
		if err != nil || end > int64(n) {
			t.Fatalf("cut at %d: error %v, ends at %d", n, err, end)
		}
		if again, _, err := read(bytes.NewReader(whole[:end])); err != nil || !cmp.Equal(s, again) {
			t.Fatalf("cut at %d: not the same without what is torn", n)
		}
	}
}

// next2 returns where the first record of a journal ends.
func next2(whole []byte) (State, int, error) {
	s, _, err := read(bytes.NewReader(whole))
	if err != nil {
		return State{}, 0, err
	}
	data, err := json.Marshal(record{Header: &s.Header})
	return *s, len(magic) + 8 + len(data), err
}

func TestDamaged(t *testing.T) {
	dir, _ := written(t)
	path := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"another file":    {[]byte("hello, world, this is something else"), "no journal"},
		"empty":           {nil, "no journal"},
		"another version": {bytes.Replace(whole, []byte("journal 1"), []byte("journal 2"), 1), "this version reads"},
		"a wrong bit":     {bytes.Replace(whole, []byte("secret"), []byte("secreT"), 1), "checksum"},
	} {
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v: want %q", name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	var j bytes.Buffer
	j.WriteString(magic)
	f.Add(j.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, end, err := read(bytes.NewReader(data))
		if err == nil && (s == nil || end > int64(len(data))) {
			t.Fatalf("read to %d of %d bytes", end, len(data))
		}
	})
}

// BenchmarkJournal keeps the tokens of a pass of two requests.
func BenchmarkJournal(b *testing.B) {
	j, err := Create(b.TempDir(), Header{Plan: []byte("{}")})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j.Token(1, 12345)
		j.Token(2, 23456)
		if err := j.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}
