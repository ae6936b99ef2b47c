package tomlfile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Nearest returns the word that a misspelt one was most likely meant to be: the
// first with the fewest edits, at most a third of its length.
func Nearest(word string, words []string) (string, bool) {
	best, found, rows := "", false, make([]int, 0, 3*64)
	if word == "" {
		return "", false
	}
	lower, limit := strings.ToLower(word), max(len(word)/3, 1)
	for _, w := range words {
		if d := edits(lower, strings.ToLower(w), limit, rows); d <= limit {
			best, found, limit = w, true, d-1
		}
	}
	return best, found
}

// UnknownKey is the text of a fault: a key that is none of those known.
func UnknownKey(key string, known []string) fmt.Stringer { return unknownKey{key, known} }

type unknownKey struct {
	key   string
	known []string
}

func (u unknownKey) String() string {
	sorted := slices.Compact(slices.Sorted(slices.Values(u.known)))
	if near, ok := Nearest(u.key, sorted); ok {
		return "unknown key: did you mean " + near + "?"
	}
	return "unknown key: expected one of " + strings.Join(sorted, ", ")
}

// edits returns the Damerau-Levenshtein distance in its restricted form
// (insertions, deletions, substitutions and swaps of neighbours), or limit+1
// where the lengths alone are further apart. It works in rows where they are long enough.
func edits(a, b string, limit int, rows []int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	n := len(b) + 1
	rows = slices.Grow(rows[:0], 3*n)[:3*n]
	before, above, row := rows[:n], rows[n:2*n], rows[2*n:]
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// keysOf returns the toml keys of a struct, its nested structs' among them.
func keysOf(v any) []string {
	var keys []string
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for f := range t.Fields() {
			if key, _, _ := strings.Cut(f.Tag.Get("toml"), ","); key != "" && key != "-" {
				keys = append(keys, key)
				add(f.Type)
			}
		}
	}
	add(reflect.TypeOf(v))
	return keys
}
