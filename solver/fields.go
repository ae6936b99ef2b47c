package solver

import "math/bits"

// fields packs what a path has used of several classes into few words: each class
// has a field as wide as its capacity, with a guard bit on top that is 0. So one
// subtraction compares all fields of a word at once.
type fields struct {
	words int
	guard []uint64
	at    []field // [class]; width 0: the class has none
}

type field struct {
	word, shift, width uint8
}

// newFields lays out a field for each class that is wanted.
func newFields(g *graph, wanted []bool) *fields {
	f := &fields{at: make([]field, g.classes)}
	shift := 64
	for k, w := range wanted {
		if !w {
			continue
		}
		width := bits.Len64(uint64(g.capacity(k))) + 1
		if shift+width > 64 {
			f.words, shift = f.words+1, 0
			f.guard = append(f.guard, 0)
		}
		f.at[k] = field{uint8(f.words - 1), uint8(shift), uint8(width)}
		shift += width
		f.guard[f.words-1] |= 1 << (shift - 1)
	}
	return f
}

// get returns class k's field of a label, 0 where there is none.
func (f *fields) get(use []uint64, k int) int64 {
	at := f.at[k]
	if at.width == 0 {
		return 0
	}
	return int64(use[at.word] >> at.shift & (1<<(at.width-1) - 1))
}

// add adds to class k's field; the sum must be within its capacity.
func (f *fields) add(use []uint64, k int, n int64) {
	if at := f.at[k]; at.width > 0 {
		use[at.word] += uint64(n) << at.shift
	}
}

// keep adds class k's field to a mask.
func (f *fields) keep(mask []uint64, k int) {
	if at := f.at[k]; at.width > 0 {
		mask[at.word] |= (1<<(at.width-1) - 1) << at.shift
	}
}

// within tells whether each field of a is at most that of b.
func (f *fields) within(a, b []uint64) bool {
	for w, guard := range f.guard {
		if ((b[w]|guard)-a[w])&guard != guard {
			return false
		}
	}
	return true
}
