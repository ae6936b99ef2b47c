package models

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/edgeshard/edgeshard/models/demo"
)

// TestChatTemplate reads what a checkpoint says of chats, in each of its places.
func TestChatTemplate(t *testing.T) {
	if got := ChatTemplate(mustOpen(t, Demo)); got != "" {
		t.Errorf("the demo model has the template %q", got)
	}
	for text, want := range map[string]string{
		`{"chat_template": "{{ '[INST]' }}"}`: "{{ '[INST]' }}",
		`{"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "{{ bos_token }}"}]}`: "{{ bos_token }}",
		`{"chat_template": 7}`: "", `{}`: "", `nonsense`: "",
	} {
		dir := t.TempDir()
		for _, name := range []string{"config.json", "model.safetensors", "tokenizer.model"} {
			data, err := demo.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, tokenizerConfigFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ChatTemplate(mustOpen(t, dir)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestChatTemplateGGUF reads it from a GGUF file's metadata.
func TestChatTemplateGGUF(t *testing.T) {
	const key = "tokenizer.chat_template"
	for want, values := range map[string]map[string]ggufValue{
		"{{ '[INST]' }}": {key: {kind: ggufString, raw: []byte("{{ '[INST]' }}")}},
		"":               {key: {kind: ggufBool, raw: []byte{1}}},
	} {
		s := &ggufSource{file: &ggufFile{values: values}}
		if got := ChatTemplate(&checkpoint{source: s}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
