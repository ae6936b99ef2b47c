package verify

import (
	"errors"
	"maps"
	"math/big"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/solver"
)

// A walk is one proof's relaxation: paths over (unit, class) whose stages and
// hops are allowed one by one, charged what they cost and the proof's prices.
type walk struct {
	p     *solver.Problem
	proof *solver.Proof
	limit int64 // charged, less what the prices give back, no path may be below it
	units int
	home  int     // class of the source
	back  int64   // what the prices give back
	room  []int64 // [class] bytes its units can fill on one device
	keeps [][]bool
	must  []int // classes a path must visit

	reach [][]int   // [class][unit] the furthest end of a stage that starts there
	share [][]int64 // [class][unit] price of the units before, where visits share memory
	rest  [][]int64 // [unit][class] what completing a path costs that starts a stage there
	done  [][]int64 // [unit][class] what completing a path costs that ended one there
}

func newWalk(p *solver.Problem, proof *solver.Proof, limit int64) (*walk, error) {
	n := len(p.Classes)
	w := &walk{p: p, proof: proof, limit: limit, units: p.Units, home: p.Devices[p.Source].Class}
	if proof.Tail > 0 {
		w.units = proof.Tail
	}
	if len(proof.Prices) != n || len(proof.Memory) != n || proof.Tail < 0 || proof.Tail >= p.Units {
		return nil, errors.New("it is of another problem")
	}
	for k, price := range proof.Prices {
		if price < 0 || int64(price) > solver.Longest {
			return nil, errors.New("a price is out of range")
		}
		w.back += int64(price) * int64(len(p.Classes[k].Members))
		w.room = append(w.room, fillable(p.Weight[:w.units], p.Classes[k].Budget))
		keeps := make([]bool, n)
		for _, c := range proof.Memory[k] {
			if c < 0 || c >= n {
				return nil, errors.New("it remembers a class that is not there")
			}
			keeps[c] = true
		}
		w.keeps = append(w.keeps, keeps)
	}
	for _, d := range p.Forced {
		if d != p.Source {
			w.must = append(w.must, p.Devices[d].Class)
		}
	}
	w.tabulate()
	return w, nil
}

// tabulate notes what stages reach and pay, and lets a class remember its own use
// where another one remembers it.
func (w *walk) tabulate() {
	for k := range w.p.Classes {
		reach, share := make([]int, w.units), make([]int64, w.units+1)
		for i := range w.units {
			for reach[i] = i; reach[i] < w.units && w.allowed(k, i, reach[i]+1); reach[i]++ {
			}
			share[i+1] = share[i] + w.unitPrice(k, i)
		}
		w.reach, w.share = append(w.reach, reach), append(w.share, share)
		for at := range w.keeps {
			w.keeps[k][k] = w.keeps[k][k] || w.keeps[at][k]
		}
	}
}

// fillable returns how much of a budget whole units fill at most, where they are
// of at most three weights; else how much of it their common divisor does.
func fillable(weights []int64, budget int64) int64 {
	count, divisor := make(map[int64]int), new(big.Int)
	for _, x := range weights {
		count[x]++
		divisor.GCD(nil, nil, divisor, big.NewInt(x))
	}
	budget = max(budget, 0)
	if d := divisor.Int64(); len(count) > 3 && d > 0 {
		return budget / d * d
	}
	filled := map[int64]bool{0: true}
	for x, n := range count {
		next := make(map[int64]bool)
		for f := range filled {
			for i := 0; i <= n && f+int64(i)*x <= budget; i++ {
				next[f+int64(i)*x] = true
			}
		}
		filled = next
	}
	return slices.Max(slices.Collect(maps.Keys(filled)))
}

// unit returns what a unit costs on a class: its time, and the extra time that
// the problem bounds.
func (w *walk) unit(k, u int) (cost, extra int64) {
	c := &w.p.Classes[k]
	return w.order(c.Request[u], c.Step[u])
}

// order puts the two times of the problem in the order of minimised and bounded.
func (w *walk) order(request, step int64) (cost, extra int64) {
	if w.p.Objective == edgeshard.Throughput {
		return step, request
	}
	return request, step
}

// ceiling is the bound on the extra time.
func (w *walk) ceiling() int64 {
	if w.p.Objective == edgeshard.Throughput {
		return w.p.MaxRequest
	}
	return w.p.MaxLoop
}

// hop returns what going on from class a to class b costs.
func (w *walk) hop(a, b int) (cost, extra int64, ok bool) {
	l := w.p.Links[a][b]
	if a == b && len(w.p.Classes[a].Members) == 1 || l.Occupancy > w.proof.Tau || l.Request >= solver.Never {
		return 0, 0, false
	}
	cost, extra = w.order(l.Request, l.Step)
	return cost, extra, true
}

// end returns what a path costs after its last stage: the way back, or to the
// source's own last stage and that stage.
func (w *walk) end(k int) (cost, extra int64, ok bool) {
	l := w.p.Return[k]
	if w.proof.Tail > 0 {
		l = w.p.Links[k][w.home]
		if k == w.home {
			return 0, 0, false
		}
	}
	if l.Occupancy > w.proof.Tau || l.Request >= solver.Never {
		return 0, 0, false
	}
	cost, extra = w.order(l.Request, l.Step)
	for u := w.units; u < w.p.Units; u++ {
		c, x := w.unit(w.home, u)
		cost, extra = cost+c, extra+x
	}
	return cost, extra, true
}

// allowed tells whether a stage of units [i, j) may be on class k, judged alone.
func (w *walk) allowed(k, i, j int) bool {
	c := &w.p.Classes[k]
	weight, busy := int64(0), c.Visit
	for u := i; u < j; u++ {
		if pin := w.p.Pin(u); pin >= 0 && w.p.Devices[pin].Class != k {
			return false
		}
		weight, busy = weight+w.p.Weight[u], busy+w.p.Occupies(k, u)
		if c.Request[u] >= solver.Longest {
			return false
		}
	}
	if k == w.home && w.units < w.p.Units {
		busy += c.Visit
		for u := w.units; u < w.p.Units; u++ {
			weight, busy = weight+w.p.Weight[u], busy+c.Step[u]
		}
	}
	return weight <= c.Budget && busy <= w.proof.Tau
}

// unitPrice is the share of a device's price that a unit pays, rounded down.
func (w *walk) unitPrice(k, u int) int64 {
	if w.room[k] == 0 {
		return 0
	}
	x := new(big.Int).Mul(big.NewInt(int64(w.proof.Prices[k])), big.NewInt(w.p.Weight[u]))
	return x.Quo(x, big.NewInt(w.room[k])).Int64()
}

// price returns what a stage is charged beside its time: the visit, or the memory
// where visits share it.
func (w *walk) price(k, i, j int) int64 {
	if !w.p.Revisits {
		return int64(w.proof.Prices[k])
	}
	return w.share[k][j] - w.share[k][i]
}

// use returns what a stage takes of its class, and supply what the class has.
func (w *walk) use(i, j int) int64 {
	if !w.p.Revisits {
		return 1
	}
	var weight int64
	for u := i; u < j; u++ {
		weight += w.p.Weight[u]
	}
	return weight
}

func (w *walk) supply(k int) int64 {
	n := int64(len(w.p.Classes[k].Members))
	if !w.p.Revisits {
		return n
	}
	var total int64
	for _, x := range w.p.Weight {
		total += x
	}
	return n * min(w.room[k], total)
}
