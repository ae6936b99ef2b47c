package tomlfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLines(t *testing.T) {
	lines, fault := index([]byte(`a = 1
b.c = """
x
""" # [[no.table]]
"d e" = [
  1, # one
  { f = 2, g = { h = 3 } },
  [ { i = 4 } ],
]
[t]
[[t.u]]
v = 1
[[t.u]]
v = 2
[t.u.w]
x = 3
[[t.u.y]]
z = 4
[t.k]
`))
	if fault != nil {
		t.Fatal(fault)
	}
	for path, want := range map[string]int{
		"a": 1, "b": 2, "b.c": 2, "d e": 5, "d e[1].f": 7, "d e[1].g.h": 7, "d e[2][0].i": 8, "t": 10, "t.u": 11,
		"t.u[0]": 11, "t.u[0].v": 12, "t.u[1]": 13, "t.u[1].v": 14, "t.u[1].w": 15, "t.u[1].w.x": 16,
		"t.u[1].y[0].z": 18, "t.k": 19, "t.k.missing": 19, "t.u[1].v[7].q": 14, "nothing": 0, "": 0,
	} {
		if got := lines.Line(path); got != want {
			t.Errorf("%q is on line %d, want %d", path, got, want)
		}
	}
	if got := lines.first([]string{"t", "u", "v"}); got != 12 {
		t.Errorf("the first t.u.v is on line %d, want 12", got)
	}
}

func TestDecode(t *testing.T) {
	var v struct {
		Name  string `toml:"name"`
		Point []struct {
			Tokens int `toml:"tokens"`
		} `toml:"point"`
	}
	for _, c := range []struct{ in, want string }{
		{"name = \"x\"\n[[point]]\ntokens = 1\n", ""},
		{"nam = \"x\"\n[[point]]\ntokens = 1\ntokns = 2\nzzz = 3\n", "f.toml:1: nam: unknown key: did you mean name?\nf.toml:4: point.tokns: unknown key: did you mean tokens?\nf.toml:5: point.zzz: unknown key: expected one of name, point, tokens"},
		{"name = \"x\"\n[[point]]\ntokens = \"1\"\n", "f.toml:3: point.tokens: incompatible types: TOML value has type string; destination has type integer"},
		{"\nname = \"\xff\"\n", "f.toml:2: invalid UTF-8 character in basic string"},
		{"name = 'x'\nname = 'y'\n", "f.toml:2: name: Key 'name' has already been defined."},
		{strings.Repeat("#", MaxBytes+1), "f.toml: expected at most 1048576 bytes, found 1048577"},
	} {
		err := Decode("f.toml", []byte(c.in), &v)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", c.in, diff)
		}
		var faults *Error
		if err != nil && !errors.As(err, &faults) {
			t.Errorf("%.60q: error of type %T", c.in, err)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"memory", "memory_bandwidth", "usable", "a", "b"}
	for in, want := range map[string]string{
		"memroy": "memory", "Memory": "memory", "memory_bandwdth": "memory_bandwidth", "usuable": "usable", "xyz": "", "": "", "c": "a",
	} {
		if got, _ := Nearest(in, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", in, got, want)
		}
	}
}

// naiveEdits is the recurrence as it is written.
func naiveEdits(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	m, n := len(a)-1, len(b)-1
	same := 1
	if a[m] == b[n] {
		same = 0
	}
	d := min(naiveEdits(a[:m], b)+1, naiveEdits(a, b[:n])+1, naiveEdits(a[:m], b[:n])+same)
	if m > 0 && n > 0 && a[m] == b[n-1] && a[m-1] == b[n] {
		d = min(d, naiveEdits(a[:m-1], b[:n-1])+1)
	}
	return d
}

func TestEditsAgainstTheRecurrence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 6, -1)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := edits(a, b, 9, nil), naiveEdits(a, b); got != want {
			t.Fatalf("%q and %q are %d apart, want %d", a, b, got, want)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a = [{b = 1}, [2]]\n[[c]]\nd.e = '''x'''\n[[c]]\n[c.f]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, lines, err := Read("f", data)
		if err != nil {
			return
		}
		for k := range values {
			if n := lines.Line(k); n < 1 || n > 1+strings.Count(string(data), "\n") {
				t.Fatalf("%q is on line %d", k, n)
			}
		}
	})
}
