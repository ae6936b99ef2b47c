package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard/internal/sample"
)

type soakStatus struct {
	Recoveries int
	Tokens     int
}

func (s *soak) status() (st soakStatus) {
	resp, err := http.Get(strings.TrimSuffix(s.server.URL, "/v1") + "/status")
	if err != nil {
		s.t.Error(err)
		return st
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&st); err != nil {
		s.t.Error(err)
	}
	return st
}

// look reads the server's size off its metrics.
func (s *soak) look() {
	resp, err := http.Get(strings.TrimSuffix(s.server.URL, "/v1") + "/metrics")
	if err != nil {
		s.t.Error(err)
		return
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		v, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "process_resident_memory_bytes":
			s.resident = append(s.resident, v)
		case "process_open_fds":
			s.files = append(s.files, v)
		case "go_goroutines":
			s.routines = append(s.routines, v)
		}
	}
}

// report tells what there was, and fails the test for what must not be.
func (s *soak) report(length time.Duration) {
	st := s.status()
	s.t.Logf("%s: %d requests, %d tokens, %d faults, %d recoveries, slowest request %s", length, s.done, st.Tokens, s.faults, st.Recoveries, s.slowest)
	for _, w := range s.wrong {
		s.t.Log(w)
	}
	s.t.Logf("resident MiB: %s", quarters(s.resident, 1<<20))
	s.t.Logf("descriptors: %s; goroutines: %s", quarters(s.files, 1), quarters(s.routines, 1))
	if len(s.wrong) > 0 {
		s.t.Errorf("%d requests lost or wrong, such as %s", len(s.wrong), s.wrong[0])
	}
	if s.done == 0 || s.faults == 0 {
		s.t.Errorf("%d requests and %d faults: nothing was tried", s.done, s.faults)
	}
	if n := len(s.resident); *soakFor > 0 && n >= 8 {
		if early, late := sample.Median(s.resident[n/4:n/2]), sample.Median(s.resident[3*n/4:]); late > 1.1*early {
			s.t.Errorf("the server grew from %.1f to %.1f MiB", early/(1<<20), late/(1<<20))
		}
		if early, late := sample.Median(s.files[n/4:n/2]), sample.Median(s.files[3*n/4:]); late > early+4 {
			s.t.Errorf("the server had %.0f descriptors open, and %.0f in the end", early, late)
		}
	}
}

// quarters writes the medians of the quarters of a series.
func quarters(values []float64, unit float64) string {
	var out []string
	for q := range 4 {
		if part := values[q*len(values)/4 : (q+1)*len(values)/4]; len(part) > 0 {
			out = append(out, fmt.Sprintf("%.1f", sample.Median(part)/unit))
		}
	}
	return strings.Join(out, ", ")
}
