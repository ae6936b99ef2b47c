package solver

// twins groups devices 0..n-1 so that any two of a group can change places: their
// nodes are equal, so are their links with everyone else, and so are the two
// links between them. Being so related is transitive, hence one member stands for
// its group in every comparison: O(n² · groups) at most.
func twins[N, L comparable](n int, node func(device int) N, link func(from, to int) L) [][]int {
	var groups [][]int
	byNode := make(map[N][]int) // groups whose members have that node
	for d := range n {
		key, found := node(d), false
		for _, g := range byNode[key] {
			if interchangeable(n, groups[g][0], d, link) {
				groups[g], found = append(groups[g], d), true
				break
			}
		}
		if !found {
			byNode[key] = append(byNode[key], len(groups))
			groups = append(groups, []int{d})
		}
	}
	return groups
}

func interchangeable[L comparable](n, a, b int, link func(from, to int) L) bool {
	for x := range n {
		if x == a || x == b {
			continue
		}
		if link(a, x) != link(b, x) || link(x, a) != link(x, b) {
			return false
		}
	}
	return link(a, b) == link(b, a)
}
