//go:build unix

package exec

import (
	"os"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from a worker process: its coordinator ends it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// freeze stops a process, or lets it on.
func freeze(p *os.Process, on bool) {
	signal := syscall.SIGCONT
	if on {
		signal = syscall.SIGSTOP
	}
	_ = p.Signal(signal) // a process that has ended needs none
}
