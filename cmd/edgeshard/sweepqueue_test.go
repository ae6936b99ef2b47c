package main

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A lab is a folder in which the program runs as real processes.
type lab struct {
	*testing.T
	dir string
}

func newLab(t *testing.T, files map[string]string) *lab {
	l := &lab{T: t, dir: t.TempDir()}
	for name, text := range files {
		l.write(name, text)
	}
	return l
}

func (l *lab) write(name, text string) {
	l.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) read(name string) string {
	l.Helper()
	data, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.Fatal(err)
	}
	return string(data)
}

func (l *lab) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, args[0], args[1:]...) // as the scripts find it
	c.Dir, c.WaitDelay = l.dir, time.Minute
	c.Env = append(os.Environ(), "NO_COLOR=1", "HOME="+l.dir)
	return c
}

// run runs a command to its end, and returns what it said.
func (l *lab) run(args ...string) (string, error) {
	ctx, stop := context.WithTimeout(l.Context(), 5*time.Minute)
	defer stop()
	out, err := l.command(ctx, args...).CombinedOutput()
	return string(out), err
}

func (l *lab) must(args ...string) string {
	l.Helper()
	out, err := l.run(args...)
	if err != nil {
		l.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// A process is a running command, killed at the test's end if not before.
type process struct {
	*exec.Cmd
	ended chan error
	log   *bytes.Buffer
}

// start starts a command and waits until a line it writes has the text ready, and
// returns what follows it.
func (l *lab) start(ready string, args ...string) (*process, string) {
	l.Helper()
	p := &process{Cmd: l.command(context.Background(), args...), ended: make(chan error, 1), log: &bytes.Buffer{}}
	r, w, err := os.Pipe()
	if err != nil {
		l.Fatal(err)
	}
	p.Stdout, p.Stderr = w, w
	if err := p.Start(); err != nil {
		l.Fatal(err)
	}
	_ = w.Close()
	l.Cleanup(p.kill)
	found := make(chan string, 1)
	go func() {
		p.listen(bufio.NewScanner(r), ready, found)
		p.ended <- p.Wait()
		close(p.ended)
	}()
	select {
	case text, ok := <-found:
		if !ok {
			l.Fatalf("%s ended:\n%s", strings.Join(args, " "), p.log)
		}
		return p, text
	case <-time.After(2 * time.Minute):
		l.Fatalf("%s: nothing with %q in two minutes", strings.Join(args, " "), ready)
	}
	return nil, ""
}

func (p *process) listen(lines *bufio.Scanner, ready string, found chan<- string) {
	for lines.Scan() {
		p.log.WriteString(lines.Text() + "\n")
		if _, text, ok := strings.Cut(lines.Text(), ready); ok && found != nil {
			found <- strings.TrimSpace(text)
			found = nil
		}
	}
	if found != nil {
		close(found)
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// sharedSpec has 480 points.
const sharedSpec = `
name = "shared"
repeats = 10
[base]
model = "demo"
topology = "local-3"
tokens = 8
rate_per_s = 50
[[axis]]
key = "solver"
values = ["exact", "edgeshard", "solo"]
[[axis]]
key = "requests"
from = 1
to = 8
steps = 8
integer = true
[[axis]]
key = "link.*.bandwidth"
name = "mbps"
values = [1, 10]
unit = "Mbps"
`

// disturb kills and restarts each of some processes in turn, at random moments,
// until the one that it watches has ended by itself.
func (l *lab) disturb(watched func() *process, disturbances []func()) {
	rng := rand.New(rand.NewPCG(5, 6))
	for i := 0; ; i++ {
		select {
		case err := <-watched().ended:
			if err != nil {
				l.Fatalf("the sweep failed: %v\n%s", err, watched().log)
			}
			l.Logf("%d disturbances of %d", min(i, len(disturbances)), len(disturbances))
			return
		case <-time.After(time.Duration(100+rng.IntN(200)) * time.Millisecond): // the moment is what is tested
		}
		if i < len(disturbances) {
			disturbances[i]()
		}
	}
}

// TestSweepSurvivesItsServer kills, with SIGKILL, in mid-sweep, the process that
// has the sweep and the NATS server in it, and workers: the results are those of a
// local run to the byte.
func TestSweepSurvivesItsServer(t *testing.T) {
	l := newLab(t, map[string]string{"e.toml": sharedSpec})
	l.must("edgeshard", "sweep", "e.toml", "-o", "local")
	const says = "workers join with: edgeshard sweep work --nats "
	sweep := func(address string) (*process, string) {
		return l.start(says, "edgeshard", "sweep", "e.toml", "-o", "out", "--workers", "1", "--silence", "1s", "--serve", address)
	}
	s, url := sweep("127.0.0.1:0")
	work := func() *process {
		p, _ := l.start("working for", "edgeshard", "sweep", "work", "--workers", "1", "--silence", "1s", "--nats", url)
		return p
	}
	workers := []*process{work(), work()}
	server := func() { s.kill(); s, _ = sweep(strings.TrimPrefix(url, "nats://")) }
	worker := func() { workers[0].kill(); workers = append(workers[1:], work()) }
	l.disturb(func() *process { return s }, []func(){server, worker, server, worker, server})
	if diff := cmp.Diff(l.read("local/results.csv"), l.read("out/results.csv")); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
}

// TestSweepOverForeignServer shares a sweep out over a NATS server that is not the
// program's own, in a process of its own, with mutual TLS and credentials; kills
// it, the sweep and a worker in mid-sweep; and runs the same sweep twice.
func TestSweepOverForeignServer(t *testing.T) {
	l := newLab(t, map[string]string{"e.toml": sharedSpec})
	l.must("edgeshard", "sweep", "e.toml", "-o", "local")
	l.must("edgeshard", "cert", "init")
	for _, name := range []string{"server", "client"} {
		l.must("edgeshard", "cert", "issue", name, "127.0.0.1")
	}
	l.natsConfig("-1")
	server, address := l.start("Listening for client connections on ", "nats-server", "-c", "nats.conf")
	l.natsConfig(address[strings.LastIndex(address, ":")+1:])
	access := []string{"--nats", "tls://" + address, "--nats-creds", "user.creds", "--nats-ca", "edgeshard-certs/ca.crt",
		"--nats-cert", "edgeshard-certs/client.crt", "--nats-key", "edgeshard-certs/client.key", "--silence", "1s"}
	with := func(args ...string) []string {
		return append(append([]string{"edgeshard", "sweep"}, args...), access...)
	}
	sweep := func() *process { p, _ := l.start("workers join with", with("e.toml", "-o", "out")...); return p }
	work := func() *process { p, _ := l.start("working for", with("work", "--workers", "1")...); return p }
	s, workers := sweep(), []*process{work(), work()}
	l.disturb(func() *process { return s }, []func(){
		func() { server.kill(); server, _ = l.start("Listening for client", "nats-server", "-c", "nats.conf") },
		func() { s.kill(); s = sweep() },
		func() { workers[0].kill(); workers = append(workers[1:], work()) },
		func() { server.kill(); server, _ = l.start("Listening for client", "nats-server", "-c", "nats.conf") },
	})
	l.must(with("e.toml", "-o", "again", "--no-cache")...) // whose work the server has seen before
	for _, dir := range []string{"out", "again"} {
		if diff := cmp.Diff(l.read("local/results.csv"), l.read(dir+"/results.csv")); diff != "" {
			t.Errorf("%s: results differ:\n%s", dir, diff)
		}
	}
	for without, want := range map[string]string{"--nats-creds": "Authorization Violation", "--nats-ca": "certificate signed by unknown authority", "--nats-cert": "tls"} {
		l.refused(access, without, want)
	}
}
