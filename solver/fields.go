package solver

import "math/bits"

// fields packs what a path has used of several classes into few words: each class
// has a field as wide as its capacity, with a guard bit on top that is 0. So one
// subtraction compares all fields of a word at once. Classes of capacity 1 have
// one bit each, in the first words.
type fields struct {
	words int
	flags int      // words of single bits
	guard []uint64 // [word - flags]
	at    []field  // [class]; width 0: the class has none
}

type field struct {
	word, shift, width uint8
}

// newFields lays out a field for each class that is wanted.
func newFields(g *graph, wanted []bool) *fields {
	f := &fields{at: make([]field, g.classes)}
	bit := 0
	for k, w := range wanted {
		if w && g.capacity(k) == 1 {
			f.at[k] = field{uint8(bit / 64), uint8(bit % 64), 1}
			bit++
		}
	}
	f.flags = (bit + 63) / 64
	f.words = f.flags
	shift := 64
	for k, w := range wanted {
		if !w || f.at[k].width > 0 {
			continue
		}
		width := bits.Len64(uint64(g.capacity(k))) + 1
		if shift+width > 64 {
			f.words, shift = f.words+1, 0
			f.guard = append(f.guard, 0)
		}
		f.at[k] = field{uint8(f.words - 1), uint8(shift), uint8(width)}
		shift += width
		f.guard[f.words-1-f.flags] |= 1 << (shift - 1)
	}
	return f
}

// bits returns a field as wide as what class k may have used.
func (f field) bits() uint64 {
	if f.width == 1 {
		return 1
	}
	return 1<<(f.width-1) - 1
}

// get returns class k's field of a label, 0 where there is none.
func (f *fields) get(use []uint64, k int) int64 {
	at := f.at[k]
	if at.width == 0 {
		return 0
	}
	return int64(use[at.word] >> at.shift & at.bits())
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
		mask[at.word] |= at.bits() << at.shift
	}
}

// masks returns for each class the fields that are remembered there, its own among them.
func (f *fields) masks(m memory) [][]uint64 {
	masks := grid[uint64](len(m), f.words)
	for k := range m {
		for c, is := range m[k] {
			if is || c == k {
				f.keep(masks[k], c)
			}
		}
	}
	return masks
}

// within tells whether each field of a is at most that of b.
func (f *fields) within(a, b []uint64) bool {
	for w, x := range a[:f.flags] {
		if x&^b[w] != 0 {
			return false
		}
	}
	for w, guard := range f.guard {
		if w += f.flags; ((b[w]|guard)-a[w])&guard != guard {
			return false
		}
	}
	return true
}
