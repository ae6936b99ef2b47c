package main

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A daemon is an `edgeshard worker` process.
type daemon struct {
	name, address string
	process       *exec.Cmd
	log           *awaitedLog
}

// startDaemon starts a worker on an address of this machine, until the test ends.
func startDaemon(t *testing.T, name, address string, args ...string) *daemon {
	t.Helper()
	d := &daemon{name: name, log: newAwaitedLog()}
	d.process = exec.Command("edgeshard", append([]string{
		"worker", "--listen", address, "--name", name, "--insecure", "--threads", "1", "--cache", filepath.Join(t.TempDir(), "cache"),
	}, args...)...)
	d.process.Stderr = d.log
	out, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	line, _ := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line) // worker NAME listens on ADDRESS
	if len(fields) != 5 {
		t.Fatalf("a worker says %q", line)
	}
	d.address = fields[4]
	return d
}

func (d *daemon) kill() {
	_ = d.process.Process.Kill()
	_ = d.process.Wait()
}

// An awaitedLog keeps what a process writes, for those who wait for words of it.
type awaitedLog struct {
	mu    sync.Mutex
	more  sync.Cond
	lines []string
	part  string // of the last line
}

func newAwaitedLog() *awaitedLog {
	l := &awaitedLog{}
	l.more.L = &l.mu
	return l
}

func (l *awaitedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	whole := strings.Split(l.part+string(p), "\n")
	l.part = whole[len(whole)-1]
	l.lines = append(l.lines, whole[:len(whole)-1]...)
	l.more.Broadcast()
	return len(p), nil
}

// await returns the first line that has the words, once it is there.
func (l *awaitedLog) await(t *testing.T, words string) string {
	t.Helper()
	late := false
	timer := time.AfterFunc(2*time.Minute, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		late = true
		l.more.Broadcast()
	})
	defer timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := 0; !late; l.more.Wait() {
		for ; n < len(l.lines); n++ {
			if strings.Contains(l.lines[n], words) {
				return l.lines[n]
			}
		}
	}
	t.Fatalf("no line has %q: %q", words, l.lines)
	return ""
}
