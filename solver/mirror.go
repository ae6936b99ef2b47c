package solver

// mirrored returns the graph whose paths are this one's, from their end to their start.
func (g *graph) mirrored() *graph {
	m := *g
	m.cost, m.extra = backwards(g.cost), backwards(g.extra)
	m.hop, m.extraHop = transposed(g.hop), transposed(g.extraHop)
	m.ret, m.first = g.first, g.ret
	m.extraReturn, m.extraFirst = g.extraFirst, g.extraReturn
	if g.shared {
		m.quanta = backwards([][]int64{g.quanta})[0]
	}
	m.reach = nil
	for _, reach := range g.reach {
		row := make([]int32, g.units)
		for i, j := g.units-1, g.units; j > 0; j-- { // the first stage that ends at j
			for i = min(i, j-1); i >= 0 && int(reach[i]) >= j; i-- {
			}
			row[g.units-j] = int32(g.units - i - 1)
		}
		m.reach = append(m.reach, row)
	}
	return &m
}

// backwards returns the prefix sums of the reversed sequences.
func backwards(sums [][]int64) [][]int64 {
	out := make([][]int64, len(sums))
	for k, row := range sums {
		n := len(row) - 1
		out[k] = make([]int64, n+1)
		for i := range row {
			out[k][i] = row[n] - row[n-i]
		}
	}
	return out
}

func transposed(x [][]int64) [][]int64 {
	out := grid[int64](len(x), len(x))
	for a := range x {
		for b := range x {
			out[b][a] = x[a][b]
		}
	}
	return out
}

// tables bound what completing a path costs, its visit's price included.
type tables struct {
	start [][]int64 // [unit][class] from the start of a stage on
	end   [][]int64 // [class][unit] from the end of a stage on
}

func newTables(g *graph) tables {
	return tables{start: grid[int64](g.units+1, g.classes), end: grid[int64](g.classes, g.units+1)}
}

// mirrored turns what paths cost up to a place into what those of the mirrored
// graph cost from there on.
func (t tables) mirrored() tables {
	units := len(t.start) - 1
	m := tables{start: grid[int64](units+1, len(t.end)), end: grid[int64](len(t.end), units+1)}
	for k := range t.end {
		for i := range units + 1 {
			m.start[units-i][k] = t.end[k][i]
			m.end[k][units-i] = t.start[i][k]
		}
	}
	return m
}
