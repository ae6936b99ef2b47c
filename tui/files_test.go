package tui

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard/topologies"
)

// TestSession: what is on screen is kept with every change, and can be restored.
func TestSession(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "session.json")
	d := &driver{t, New(fakeBackend(), Options{Start: ask(t, "home-lab", "llama2-7b"), Session: file})}
	d.m.clock = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d.do(d.m.Init())
	d.keys("m", "enter", "-", "down", "space")
	set, err := LoadSet(file)
	if err != nil {
		t.Fatal(err)
	}
	if !sameQuestion(set.Question, &d.m.question) || len(set.Entries) != 1 {
		t.Errorf("the session holds another question, or %d scenarios", len(set.Entries))
	}
	if err := os.WriteFile(file, []byte(`{"scenarios": [{"name": 3}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSet(file); err == nil || !strings.Contains(err.Error(), "session.json:1") {
		t.Errorf("error %v: want the file and the line", err)
	}
}

// TestFileChangedOnDisk is offered for reload; its faults are shown in place.
func TestFileChangedOnDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.toml")
	text, _ := topologies.Builtin("home-lab")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.do(d.m.load(file))
	d.m.changedOnDisk(changedOnDiskMsg{watch: d.m.watching, at: time.Unix(1, 0)})
	d.m.changedOnDisk(changedOnDiskMsg{watch: d.m.watching, at: time.Unix(2, 0)})
	d.want("changed on disk")
	if err := os.WriteFile(file, append(text, "\n[[device]]\nname = \"x\"\nmemori = \"3GB\"\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	question := d.m.question
	d.keys("enter")
	d.want("memori")
	if !sameQuestion(&d.m.question, &question) {
		t.Error("a file with faults was taken over")
	}
}

// TestSaveAndOpen: what was saved is asked about before it is replaced, and can be opened.
func TestSaveAndOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("s", "enter", "enter")
	d.want("wrote home-lab.toml")
	d.keys("s", "enter", "enter")
	d.want("exists")
	d.keys("esc")
	d.keys("x", "down", "enter", "enter")
	d.want("wrote home-lab.svg")
}

func TestConfig(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "tui.toml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	c, err := LoadConfig(write("theme = \"light\"\n[keys]\nundo = [\"b\"]\n[light]\naccent = \"#123456\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := New(fakeBackend(), Options{Start: ask(t, "home-lab", "llama2-7b"), Config: c})
	if r, g, b, _ := m.theme.accent.fg.RGBA(); m.theme.dark || r>>8 != 0x12 || g>>8 != 0x34 || b>>8 != 0x56 {
		t.Error("theme or colour is not taken over")
	}
	d := &driver{t, m}
	d.m.clock = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d.keys("-", "u")
	if len(d.m.past) != 1 {
		t.Error("u still undoes")
	}
	d.keys("b")
	if len(d.m.past) != 0 {
		t.Error("b does not undo")
	}
	for text, want := range map[string]string{
		"them = \"dark\"": "them", "theme = \"blue\"": "want dark or light", "[keys]\nfly = [\"f\"]": "no such action",
		"[dark]\naccent = \"red\"": "#rrggbb", "[dark]\nsky = \"#000000\"": "no such colour",
	} {
		if _, err := LoadConfig(write(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v: want one with %q", text, err, want)
		}
	}
	if _, err := LoadConfig(filepath.Join(t.TempDir(), "none.toml")); err != nil {
		t.Error(err)
	}
}

// FuzzParseSet: any bytes are a set of valid questions, or an error.
func FuzzParseSet(f *testing.F) {
	q := ask(f, "local-3", "demo")
	good, err := json.Marshal(&SetFile{Question: &q, Entries: []Entry{{Name: "a", Question: q}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"scenarios": []}`))
	f.Add([]byte(`{"question": {"topology": null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := ParseSet("fuzz", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if set.Question != nil {
			m := New(fakeBackend(), Options{Start: *set.Question, Entries: set.Entries})
			_ = m.View()
		}
	})
}
