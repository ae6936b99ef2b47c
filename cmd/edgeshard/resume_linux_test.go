package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	cluster "github.com/edgeshard/edgeshard/exec"
	"github.com/edgeshard/edgeshard/exec/journal"
)

// reportOf runs the command, which must succeed, and returns its report's texts by
// request.
func reportOf(t *testing.T, args ...string) map[int]string {
	t.Helper()
	cmd := exec.Command("edgeshard", append(args, "--format", "json")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("edgeshard %s: %v", strings.Join(args, " "), err)
	}
	var report struct {
		Outputs []struct {
			Request int
			Text    string
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	texts := make(map[int]string)
	for _, o := range report.Outputs {
		texts[o.Request] = o.Text
	}
	return texts
}

// killAtMark runs the command and kills it, without a chance to end in order, when
// it logs the mark.
func killAtMark(t *testing.T, mark string, args ...string) {
	t.Helper()
	cmd, log := exec.Command("edgeshard", append(args, "-v")...), newAwaitedLog()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log.await(t, mark)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// kept returns the tokens that a journal has, by request, and makes sure that of
// these none has more than it may.
func kept(t *testing.T, dir string, most int) (n int) {
	t.Helper()
	j, s, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for request, tokens := range s.Tokens {
		if n += len(tokens); len(tokens) > most {
			t.Errorf("request %d has %d tokens: want at most %d", request, len(tokens), most)
		}
	}
	return n
}

// TestResume: a run whose coordinator is killed goes on from its journal with the
// tokens it would have had, drawn ones too, and answers nothing twice.
func TestResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	job := []string{
		"run", "-t", "local-3", "-m", "demo", "--backend", "exec", "--requests", "6", "--batch", "3", "--prompt-tokens", "8",
		"--tokens", "50", "--ignore-eos", "--temperature", "0.8", "--seed", "11",
	}
	want := reportOf(t, append(job, "--no-emulation")...)
	faults := filepath.Join(dir, "mark.toml")
	if err := os.WriteFile(faults, []byte("[[fault]]\ntoken = 100\ndevice = \"laptop\"\ndo = \"slow\"\nfactor = 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	journals := filepath.Join(dir, "journal")
	killAtMark(t, "msg=fault", append(job, "--journal", journals, "--faults", faults)...)
	before := kept(t, journals, 50)
	if before < 90 || before == 6*50 {
		t.Fatalf("the journal has %d tokens: want some of 300", before)
	}
	resume := []string{"run", "--backend", "exec", "--no-emulation", "--resume", journals}
	if diff := cmp.Diff(want, reportOf(t, resume...)); diff != "" {
		t.Errorf("texts undisturbed (-) and resumed (+):\n%s", diff)
	}
	if after := kept(t, journals, 50); after != 6*50 {
		t.Errorf("the journal has %d tokens in the end: want 300, each once", after)
	}
	if diff := cmp.Diff(want, reportOf(t, resume...)); diff != "" {
		t.Errorf("texts undisturbed (-) and of a run that had ended (+):\n%s", diff)
	}
}

// TestInfeasible: where the survivors cannot hold the model the run ends with an
// error that says so, keeps what was said, and goes on when devices are back.
func TestInfeasible(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	job := []string{"run", "-t", "local-3", "-m", "demo", "--backend", "exec", "--prompt", tale, "--tokens", "60"}
	want := reportOf(t, append(job, "--no-emulation")...)
	faults := filepath.Join(dir, "faults.toml")
	text := "[[fault]]\ntoken = 20\ndevice = \"laptop\"\ndo = \"kill\"\n[[fault]]\ntoken = 25\ndevice = \"desktop\"\ndo = \"kill\"\n[recovery]\npolicy = \"replan\"\n"
	if err := os.WriteFile(faults, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	journals := filepath.Join(dir, "journal")
	cmd := exec.Command("edgeshard", append(job, "--journal", journals, "--faults", faults)...)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("the run went on, on nothing")
	}
	for _, part := range []string{"device ", "and the others cannot go on", "no plan", "--resume " + journals} {
		if !strings.Contains(words.String(), part) {
			t.Errorf("error %q: want it to tell %q", words.String(), part)
		}
	}
	said, _, _ := strings.Cut(string(out), "\n")
	if len(said) < len(tale)+20 || !strings.HasPrefix(tale+want[0], said) {
		t.Errorf("said so far: %q: want the beginning of %q", said, tale+want[0])
	}
	if diff := cmp.Diff(want, reportOf(t, "run", "--backend", "exec", "--no-emulation", "--resume", journals)); diff != "" {
		t.Errorf("texts undisturbed (-) and resumed (+):\n%s", diff)
	}
}

// loadedBytes returns what a table of spans says that workers loaded.
func loadedBytes(t *testing.T, file string) (loads, bytes int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	what, size := slices.Index(rows[0], "what"), slices.Index(rows[0], "bytes")
	for _, row := range rows[1:] {
		if row[what] == "load" {
			n, err := strconv.Atoi(row[size])
			if err != nil {
				t.Fatal(err)
			}
			loads, bytes = loads+1, bytes+n
		}
	}
	return loads, bytes
}

// A survivor is a pair of workers that outlive their coordinators.
type survivor struct {
	t       *testing.T
	workers []*daemon
	job     []string       // arguments of a run on them
	mark    string         // a fault that does them no harm, and is logged
	want    map[int]string // what the run says
}

func newSurvivor(t *testing.T, dir string) *survivor {
	t.Helper()
	s := &survivor{t: t, workers: []*daemon{startDaemon(t, "d0", "127.0.0.1:0", "-v"), startDaemon(t, "d1", "127.0.0.1:0", "-v")}}
	text := "source = \"d0\"\n"
	for _, w := range s.workers {
		text += fmt.Sprintf("[[device]]\nname = %q\naddress = %q\nmemory = \"1GiB\"\nusable = \"53.5MiB\"\noverhead = \"50MiB\"\nflops = \"20GFLOPS\"\nmemory_bandwidth = \"10GB/s\"\n", w.name, w.address)
	}
	text += "[[link]]\nbetween = [\"d0\", \"d1\"]\nbandwidth = \"1Gbps\"\nlatency = \"0.1ms\"\n"
	topology := filepath.Join(dir, "two.toml")
	s.mark = filepath.Join(dir, "mark.toml")
	for name, text := range map[string]string{topology: text, s.mark: "[[fault]]\ntoken = 500\nbetween = [\"d0\", \"d1\"]\ndo = \"degrade\"\nfactor = 0.5\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.job = []string{
		"run", "-t", topology, "-m", "demo", "--backend", "exec", "--insecure", "--requests", "60", "--batch", "4", "--prompt-tokens", "8", "--tokens", "100", "--ignore-eos",
	}
	s.want = reportOf(t, s.job...)
	return s
}

// crash begins the run and kills its coordinator.
func (s *survivor) crash(journals, timeout string) {
	s.t.Helper()
	killAtMark(s.t, "msg=fault", append(s.job, "--journal", journals, "--faults", s.mark, "--timeout", timeout)...)
}

// resume goes on with the run, and returns how many bytes of weights were loaded.
func (s *survivor) resume(journals string, args ...string) int {
	s.t.Helper()
	spans := journals + ".csv"
	got := reportOf(s.t, append([]string{"run", "--backend", "exec", "--insecure", "--resume", journals, "--spans-table", spans}, args...)...)
	if diff := cmp.Diff(s.want, got); diff != "" {
		s.t.Errorf("texts undisturbed (-) and resumed (+):\n%s", diff)
	}
	loads, bytes := loadedBytes(s.t, spans)
	if loads != 2 {
		s.t.Errorf("%d loads: want one of each worker", loads)
	}
	return bytes
}

// TestCoordinatorDies: workers keep what they hold for a coordinator that was killed,
// and is started again, for as long as their lease; then they free it.
func TestCoordinatorDies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newSurvivor(t, dir)

	early := filepath.Join(dir, "early")
	s.crash(early, "5m")
	const embedding = 1024 * 128 * 2 // lies in the model's file, which is opened again
	if n := s.resume(early, "--timeout", "5m"); n > embedding {
		t.Errorf("%d bytes were loaded within the lease: want %d at most", n, embedding)
	}

	late := filepath.Join(dir, "late")
	s.crash(late, "2s")
	for _, w := range s.workers {
		line := w.log.await(t, "lease ends")
		if !strings.Contains(line, "bytes=") || strings.Contains(line, "bytes=0") {
			t.Errorf("%s frees nothing: %s", w.name, line)
		}
		st := cluster.AskStatus(t.Context(), w.name, w.address, nil, time.Minute)
		if st.State != "idle" || st.WeightBytes != 0 {
			t.Errorf("%+v: want an idle worker without weights", st)
		}
	}
	if n := s.resume(late); n < 3<<20 {
		t.Errorf("%d bytes were loaded after the lease: want all", n)
	}
}
