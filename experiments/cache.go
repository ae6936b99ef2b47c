package experiments

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/edgeshard/edgeshard/internal/wholefile"
)

// A Cache keeps outcomes in a folder by what they depend on. A file is whole or
// not there; one whose checksum is wrong counts as not there. Several processes
// may share it.
type Cache struct{ Dir string }

// cacheFormat changes when the same inputs come to be told differently.
const cacheFormat = "edgeshard outcome 2"

// key returns what a point's outcome depends on, as a hash: the job's whole
// content, the program's version and, where runs are measured, the repeat.
func (j *job) key(version string, p *Point) (string, error) {
	repeat := 0
	if j.backend != "sim" {
		repeat = p.Repeat
	}
	traces, err := j.traces()
	if err != nil {
		return "", err
	}
	weights, err := j.weights()
	if err != nil {
		return "", err
	}
	data, err := json.Marshal([]any{cacheFormat, version, &j.plan, &j.options, j.backend, string(j.scenario), traces, weights, repeat})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// weights tells one state of a checkpoint's file from another.
func (j *job) weights() (string, error) {
	if j.backend == "sim" || !filepath.IsAbs(j.plan.Model.Ref) {
		return "", nil
	}
	info, err := os.Stat(j.plan.Model.Ref)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano()), nil
}

// traces returns the texts of the trace files that the scenario names.
func (j *job) traces() (map[string]string, error) {
	if j.scenario == nil {
		return nil, nil
	}
	var s struct {
		Segment, Link []struct{ Trace string }
	}
	if err := toml.Unmarshal(j.scenario, &s); err != nil {
		return nil, err
	}
	texts := make(map[string]string)
	for _, x := range append(s.Segment, s.Link...) {
		if !strings.HasSuffix(x.Trace, ".csv") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(j.dir, x.Trace))
		if err != nil {
			return nil, err
		}
		texts[x.Trace] = string(data)
	}
	return texts, nil
}

func (c *Cache) file(key string) string { return filepath.Join(c.Dir, key[:2], key[2:]) }

// get returns the outcome of a key, or nil.
func (c *Cache) get(key string) *Outcome {
	if c == nil {
		return nil
	}
	data, err := os.ReadFile(c.file(key))
	if err != nil {
		return nil
	}
	return decodeEntry(data)
}

// decodeEntry reads a checksum and the JSON it is of.
func decodeEntry(data []byte) *Outcome {
	sum, text, found := bytes.Cut(data, []byte("\n"))
	if !found || string(sum) != checksum(text) {
		return nil
	}
	o := &Outcome{}
	if json.Unmarshal(text, o) != nil {
		return nil
	}
	return o
}

func checksum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// put keeps an outcome.
func (c *Cache) put(key string, o *Outcome) (err error) {
	if c == nil {
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	file := c.file(key)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return wholefile.Write(file, append([]byte(checksum(text)+"\n"), text...))
}
