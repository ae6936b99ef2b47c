package topologies

import (
	"maps"
	"slices"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// suggest ends a message about a name that is no device's.
func (b *builder) suggest(name string) suggestion {
	for i := range b.topology.Devices {
		if b.topology.Devices[i].Class == name {
			one := b.topology.Devices[i].Name // near to itself
			return didYouMean(one, func() []string { return []string{one} })
		}
	}
	return didYouMean(name, wordsOf(b.byName))
}

// suggestEnd ends a message about a name that is no device's and no class.
func (b *builder) suggestEnd(name string) suggestion {
	return didYouMean(name, func() []string { return slices.Concat(wordsOf(b.byName)(), wordsOf(b.hasClass)()) })
}

// wordsOf returns the keys of m, sorted; none where comparing them all would
// take long.
func wordsOf[V any](m map[string]V) func() []string {
	return func() []string {
		if len(m) > maxWords {
			return nil
		}
		return slices.Sorted(maps.Keys(m))
	}
}

// didYouMean returns the end of a message about a word that is none of some.
func didYouMean(word string, words func() []string) suggestion {
	return suggestion{word: word, words: words}
}

// A suggestion is made when a message is: in large files not all are.
type suggestion struct {
	word  string
	words func() []string
}

func (s suggestion) String() string {
	if near, ok := tomlfile.Nearest(clip(s.word), s.words()); ok {
		return ": did you mean " + near + "?"
	}
	return ""
}
