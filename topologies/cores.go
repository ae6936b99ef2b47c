package topologies

import (
	"fmt"
	"strconv"
	"strings"
)

// mostCores bounds the numbers of processor cores.
const mostCores = 4096

// ParseCores reads a list of processor cores, such as "0-3,6"; "" is none.
func ParseCores(list string) ([]int, error) {
	if list == "" {
		return nil, nil
	}
	var cores []int
	for _, part := range strings.Split(list, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		lo, errLo := strconv.Atoi(first)
		hi, errHi := strconv.Atoi(last)
		if errLo != nil || errHi != nil || lo < 0 || hi < lo || hi >= mostCores {
			return nil, fmt.Errorf("expected processor cores such as 0-3,6, found %q", clip(list))
		}
		for c := lo; c <= hi; c++ {
			cores = append(cores, c)
		}
	}
	return cores, nil
}
