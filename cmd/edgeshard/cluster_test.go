package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// A clusterStatus is what `edgeshard cluster status` says in JSON.
type clusterStatus struct {
	Model, State string
	Tokens       int
	Devices      []struct {
		Device, Health, State string
		Stages                []struct{ From, To int }
		Resident              int64 `json:"resident_bytes"`
		Weights               int64 `json:"weight_bytes"`
		Passes                int
	}
}

// check holds it to a cluster that has answered with 20 tokens of the demo model.
func (st *clusterStatus) check(t *testing.T) {
	t.Helper()
	if st.Model != "demo" || st.State != "ready" || st.Tokens != 20 || len(st.Devices) < 2 {
		t.Errorf("%+v: want the demo model, 20 tokens and its devices", st)
	}
	units := 0
	for _, d := range st.Devices {
		if d.Health != "ok" || d.State != "serving" || d.Weights <= 0 || d.Resident <= d.Weights || d.Passes < 20 {
			t.Errorf("%+v: want a worker that has served", d)
		}
		for _, g := range d.Stages {
			units += g.To - g.From
		}
	}
	if units != 10 {
		t.Errorf("the devices have %d units: want all 10", units)
	}
}

// TestClusterStatus: a live server tells of its devices, as a table and as JSON.
func TestClusterStatus(t *testing.T) {
	s := startServing(t, demoServing...)
	resp, err := http.Post(s.URL+"/completions", "application/json", strings.NewReader(`{"model":"demo","prompt":"Once","max_tokens":20,"temperature":0}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	ask := func(args ...string) []byte {
		out, err := exec.Command("edgeshard", append([]string{"cluster", "status", "--server", strings.TrimSuffix(s.URL, "/v1")}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var st clusterStatus
	if err := json.Unmarshal(ask("--format", "json"), &st); err != nil {
		t.Fatal(err)
	}
	st.check(t)
	table := string(ask())
	for _, d := range st.Devices {
		if !strings.Contains(table, d.Device) {
			t.Errorf("no word of %s in\n%s", d.Device, table)
		}
	}
	s.stop()
}
