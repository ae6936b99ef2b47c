package tomlfile

import (
	"reflect"
	"slices"
	"strings"
)

// Nearest returns the word that a misspelt one was most likely meant to be: the
// first with the fewest edits, at most a third of its length.
func Nearest(word string, words []string) (string, bool) {
	best, found := "", false
	if word == "" {
		return "", false
	}
	limit := max(len(word)/3, 1)
	for _, w := range words {
		if d := edits(strings.ToLower(word), strings.ToLower(w), limit); d <= limit {
			best, found, limit = w, true, d-1
		}
	}
	return best, found
}

// UnknownKey is the text of a fault: a key that is none of those known.
func UnknownKey(key string, known []string) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(known)))
	if near, ok := Nearest(key, sorted); ok {
		return "unknown key: did you mean " + near + "?"
	}
	return "unknown key: expected one of " + strings.Join(sorted, ", ")
}

// edits returns the Damerau-Levenshtein distance in its restricted form
// (insertions, deletions, substitutions and swaps of neighbours), or limit+1
// where the lengths alone are further apart.
func edits(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
