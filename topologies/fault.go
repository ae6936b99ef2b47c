package topologies

import "github.com/edgeshard/edgeshard/internal/tomlfile"

type (
	// A Fault is one thing wrong with a topology, or to be warned of.
	Fault = tomlfile.Fault
	// An Error lists all the faults of a topology, sorted by line. Its text is
	// one line for each, file:line: key: what was expected, what was found.
	Error = tomlfile.Error
)
