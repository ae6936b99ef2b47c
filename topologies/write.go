package topologies

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/BurntSushi/toml"
)

// TOML returns the topology as a file that Parse reads back: the keys are those
// of its JSON, whose lists of devices, links and segments TOML names by one of them.
func (t *Topology) TOML() ([]byte, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&keys); err != nil {
		return nil, fmt.Errorf("topology %s: %w", t.Name, err)
	}
	for one, many := range map[string]string{"device": "devices", "link": "links", "segment": "segments"} {
		if list, ok := keys[many]; ok {
			keys[one] = list
			delete(keys, many)
		}
	}
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	enc.Indent = ""
	err = enc.Encode(keys)
	return b.Bytes(), err
}
