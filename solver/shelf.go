package solver

// A shelf holds what a search makes millions of. It grows by boards of one size, so
// that what is on it stays where it is: growing copies nothing, and asks for little
// memory at once, which a search without a look at its context would wait for.
type shelf[T any] struct {
	boards [][]T
	width  int // values that make one entry
	n      int // entries
}

// boardBits is the logarithm of how many entries are on a board.
const (
	boardBits = 13
	board     = 1 << boardBits
)

// at returns entry q.
func (s *shelf[T]) at(q int32) []T {
	i := (int(q) & (board - 1)) * s.width
	return s.boards[q>>boardBits][i : i+s.width]
}

// one returns entry q of a shelf of single values.
func (s *shelf[T]) one(q int32) *T { return &s.boards[q>>boardBits][q&(board-1)] }

// add puts an entry on the shelf and returns its number.
func (s *shelf[T]) add(entry ...T) int32 {
	last := len(s.boards) - 1
	if s.n&(board-1) == 0 {
		var b []T
		if last++; last > 0 {
			b = make([]T, 0, board*s.width)
		}
		s.boards = append(s.boards, b)
	}
	s.boards[last] = append(s.boards[last], entry...)
	s.n++
	return int32(s.n - 1)
}
