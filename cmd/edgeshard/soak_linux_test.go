package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak lasts; 0: some seconds")

// soakTopology has five devices, of which four can hold the demo model and the
// caches of its sequences.
const soakTopology = `
source = "d0"
[kind.core]
overhead = "50MiB"
flops = "20GFLOPS"
memory_bandwidth = "10GB/s"
memory = "256MiB"
usable = "53MiB"
`

const soakClients, soakWorkers = 16, 5

// A soak is clients that ask for tales, and what became of it.
type soak struct {
	t      *testing.T
	server *served
	tales  map[string]string // prompt → what an undisturbed server says
	stop   chan struct{}

	mu       sync.Mutex
	done     int
	wrong    []string
	slowest  time.Duration
	workers  [soakWorkers]*daemon
	faults   int
	resident []float64 // of the server, in bytes, over time
	files    []float64
	routines []float64
}

// TestSoak: under a load of many clients, while workers are killed and frozen,
// no request is lost or wrong, and the server neither grows nor leaks.
func TestSoak(t *testing.T) {
	length, every := *soakFor, 20*time.Second
	if length == 0 {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		length, every = 12*time.Second, 5*time.Second
	}
	s := &soak{t: t, tales: make(map[string]string), stop: make(chan struct{})}
	s.server = startServing(t, "-t", s.topology(), "-m", "demo", "--batch", "8", "--prompt-tokens", "32", "--tokens", "64", "--timeout", "2s", "--insecure", "--rejoin", "1m")
	for _, prompt := range []string{"Once upon a time", "The fox", "One day a bear", "Mira had a boat", "It was"} {
		text, err := s.ask(prompt, false)
		if err != nil {
			t.Fatal(err)
		}
		s.tales[prompt] = text
	}
	var clients sync.WaitGroup
	for i := range soakClients {
		clients.Go(func() { s.client(uint64(i)) })
	}
	s.disturb(length, every)
	close(s.stop)
	clients.Wait()
	s.report(length)
	s.server.stop()
}

func (s *soak) topology() string {
	text := soakTopology
	for i := range s.workers {
		w := startDaemon(s.t, fmt.Sprintf("d%d", i), "127.0.0.1:0")
		s.workers[i] = w
		text += fmt.Sprintf("[[device]]\nname = %q\nlike = \"core\"\naddress = %q\n", w.name, w.address)
	}
	for i := range s.workers {
		for k := range i {
			text += fmt.Sprintf("[[link]]\nbetween = [\"d%d\", \"d%d\"]\nbandwidth = \"10Gbps\"\nlatency = \"0.05ms\"\n", k, i)
		}
	}
	file := filepath.Join(s.t.TempDir(), "soak.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// ask returns what the server says, whole or streamed.
func (s *soak) ask(prompt string, stream bool) (string, error) {
	body := fmt.Sprintf(`{"model":"demo","prompt":%q,"max_tokens":60,"temperature":0,"stream":%t}`, prompt, stream)
	resp, err := http.Post(s.server.URL+"/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(resp.Body)
		return "", fmt.Errorf("%s: %s", resp.Status, answer)
	}
	type part struct{ Choices []struct{ Text string } }
	if !stream {
		var p part
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return "", err
		}
		return p.Choices[0].Text, nil
	}
	text := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if data == "[DONE]" {
			return text, nil
		}
		var p part
		if ok && (json.Unmarshal([]byte(data), &p) != nil || len(p.Choices) != 1) {
			return "", fmt.Errorf("event %s", data)
		}
		if ok {
			text += p.Choices[0].Text
		}
	}
	return "", fmt.Errorf("the stream broke off after %q", text)
}

func (s *soak) client(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	prompts := make([]string, 0, len(s.tales))
	for p := range s.tales {
		prompts = append(prompts, p)
	}
	slices.Sort(prompts)
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		prompt := prompts[rng.IntN(len(prompts))]
		begin := time.Now()
		text, err := s.ask(prompt, rng.IntN(2) == 0)
		s.mu.Lock()
		s.done++
		s.slowest = max(s.slowest, time.Since(begin))
		lost := err != nil || text != s.tales[prompt]
		if lost {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %q became %q, %v", begin.UTC().Format(time.TimeOnly), prompt, text, err))
		}
		s.mu.Unlock()
		if lost {
			return // one is a failure: there is no need for thousands
		}
	}
}

// disturb kills or freezes a worker now and then, and looks at the server.
func (s *soak) disturb(length, every time.Duration) {
	rng := rand.New(rand.NewPCG(1, 2))
	tick := time.NewTicker(every)
	defer tick.Stop()
	s.look()
	for end := time.After(length); ; {
		select {
		case <-tick.C:
			s.look()
			s.fault(rng, max(every/4, 3*time.Second)) // more than the silence that counts
		case <-end:
			s.look()
			return
		}
	}
}

// fault hits a worker, the source's too: it dies and is started again, as by
// systemd, or is frozen for longer than a silence may last.
func (s *soak) fault(rng *rand.Rand, pause time.Duration) {
	i := rng.IntN(len(s.workers))
	w := s.workers[i]
	freeze, again := rng.IntN(2) == 0, make(chan struct{})
	s.faults++
	s.t.Logf("%s: %s, frozen: %t", time.Now().UTC().Format(time.TimeOnly), w.name, freeze)
	time.AfterFunc(pause, func() { close(again) })
	if freeze {
		_ = w.process.Process.Signal(syscall.SIGSTOP)
		<-again
		_ = w.process.Process.Signal(syscall.SIGCONT)
		return
	}
	w.kill()
	<-again
	s.workers[i] = startDaemon(s.t, w.name, w.address)
}
