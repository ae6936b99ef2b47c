package main

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
)

// remoteTopology has two devices with addresses, neither of which holds all of
// the demo model.
const remoteTopology = `
source = "a"
cloud = "b"
[kind.core]
memory = "256MiB"
usable = "53MiB"
overhead = "50MiB"
flops = "20GFLOPS"
memory_bandwidth = "10GB/s"
[[device]]
name = "a"
like = "core"
address = "%s"
[[device]]
name = "b"
like = "core"
address = "%s"
[[link]]
between = ["a", "b"]
bandwidth = "1Gbps"
latency = "0.1ms"
`

const remoteSpec = `
name = "remote"
repeats = 2
warmup = 1
[base]
model = "demo"
topology = "t.toml"
[[axis]]
key = "backend"
values = ["exec", "sim"]
[[axis]]
key = "tokens"
values = [3, 5]
`

// TestSweepOnRemoteWorkers runs a sweep's points on two workers with addresses over
// mutual TLS; one of them dies, and the points say so.
func TestSweepOnRemoteWorkers(t *testing.T) {
	l := newLab(t, map[string]string{"e.toml": remoteSpec})
	l.must("edgeshard", "cert", "init")
	with := func(name string, args ...string) []string {
		file := "edgeshard-certs/" + name
		return append(args, "--cert", file+".crt", "--key", file+".key", "--ca", "edgeshard-certs/ca.crt")
	}
	var workers []*process
	var addresses []any
	for _, name := range []string{"a", "b"} {
		l.must("edgeshard", "cert", "issue", name, "127.0.0.1")
		w, address := l.start("listens on ", with(name, "edgeshard", "worker", "--name", name, "--listen", "127.0.0.1:0")...)
		workers, addresses = append(workers, w), append(addresses, address)
	}
	l.must("edgeshard", "cert", "issue", "coordinator")
	l.write("t.toml", fmt.Sprintf(remoteTopology, addresses...))

	l.must(with("coordinator", "edgeshard", "sweep", "e.toml", "-o", "out")...)
	rows := l.rows("out/results.csv")
	for _, r := range rows {
		if r["status"] != "ok" || r["devices_used"] != "2" || r["generated_tokens"] != r["tokens"] || r["tpot_ms"] == "" {
			t.Errorf("row %v", r)
		}
	}
	if len(rows) != 8 || rows[0]["tpot_ms"] == rows[1]["tpot_ms"] || rows[4]["tpot_ms"] != rows[5]["tpot_ms"] {
		t.Errorf("%d rows; two measurements %s and %s, two simulations %s and %s", len(rows),
			rows[0]["tpot_ms"], rows[1]["tpot_ms"], rows[4]["tpot_ms"], rows[5]["tpot_ms"])
	}
	l.must(with("coordinator", "edgeshard", "sweep", "e.toml", "-o", "out", "--serve", "127.0.0.1:0")...)
	if again := l.rows("out/results.csv"); again[0]["tpot_ms"] != rows[0]["tpot_ms"] {
		t.Error("a measurement that was kept was made again")
	}
	l.failing(with("coordinator", "edgeshard", "sweep", "e.toml", "-o", "dead", "--no-cache"), workers[1].kill, "b")
	l.failing([]string{"edgeshard", "sweep", "e.toml", "-o", "open", "--no-cache"}, func() {}, "credentials")
}

// failing runs a sweep whose points on real workers fail for a reason that their
// rows tell, while the others have their figures.
func (l *lab) failing(sweep []string, before func(), why string) {
	l.Helper()
	before()
	l.must(sweep...)
	for _, r := range l.rows(sweep[4] + "/results.csv") {
		switch ok := r["status"] == "ok"; {
		case ok != (r["backend"] == "sim"):
			l.Errorf("row %v", r)
		case !ok && !strings.Contains(r["error"], why):
			l.Errorf("the error is %q: want one with %q", r["error"], why)
		}
	}
}

// rows reads a table, each row by its columns' names.
func (l *lab) rows(file string) (rows []map[string]string) {
	l.Helper()
	lines, err := csv.NewReader(strings.NewReader(l.read(file))).ReadAll()
	if err != nil {
		l.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for c, name := range lines[0] {
			row[name] = line[c]
		}
		rows = append(rows, row)
	}
	return rows
}
