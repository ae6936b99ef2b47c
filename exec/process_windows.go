package exec

import (
	"os"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from a worker process: its coordinator ends it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// freeze does nothing: Windows has no signal that stops a process.
func freeze(*os.Process, bool) {}
