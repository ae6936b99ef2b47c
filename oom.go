package edgeshard

import "fmt"

// OutOfMemory says that what a plan puts on a device from the start (weights,
// workspace, logits, the runtime itself) exceeds the device's budget.
type OutOfMemory struct {
	Device       string
	Need, Budget int64 // bytes
}

// Missing returns the bytes that lack.
func (e *OutOfMemory) Missing() int64 { return e.Need - e.Budget }

func (e *OutOfMemory) Error() string {
	return fmt.Sprintf("out of memory on %s: needs %d bytes, its budget is %d: %d are missing", e.Device, e.Need, e.Budget, e.Missing())
}
