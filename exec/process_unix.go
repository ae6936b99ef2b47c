//go:build unix

package exec

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from a worker process: its coordinator ends it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
