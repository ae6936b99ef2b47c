package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
)

// The files of a Hugging Face checkpoint.
const (
	singleFile    = "model.safetensors"
	indexFile     = "model.safetensors.index.json"
	configFile    = "config.json"
	tokenizerFile = "tokenizer.model"
)

var huggingFaceNames = names{
	embedding: "model.embed_tokens.weight", norm: "model.norm.weight", output: "lm_head.weight",
	attnNorm: "model.layers.%d.input_layernorm.weight",
	q:        "model.layers.%d.self_attn.q_proj.weight",
	k:        "model.layers.%d.self_attn.k_proj.weight",
	v:        "model.layers.%d.self_attn.v_proj.weight",
	o:        "model.layers.%d.self_attn.o_proj.weight",
	ffnNorm:  "model.layers.%d.post_attention_layernorm.weight",
	gate:     "model.layers.%d.mlp.gate_proj.weight",
	up:       "model.layers.%d.mlp.up_proj.weight",
	down:     "model.layers.%d.mlp.down_proj.weight",
	buffer:   ".rotary_emb.inv_freq",
}

// A huggingFaceSource gives the tensors of one or several safetensors files. A
// file is mapped when the first of its tensors is asked for.
type huggingFaceSource struct {
	files folder
	where map[string]string // tensor → file

	mu     sync.Mutex
	parsed map[string]map[string]Tensor // by file
}

// openHuggingFace opens the checkpoint whose weights are in, or indexed by, the
// file of that name; it closes files if it fails.
func openHuggingFace(files folder, name, weights string) (Checkpoint, error) {
	c, err := newHuggingFace(files, name, weights)
	if err != nil {
		return nil, errors.Join(err, files.Close())
	}
	return c, nil
}

func newHuggingFace(files folder, name, weights string) (*checkpoint, error) {
	text, err := files.contents(configFile)
	if err != nil {
		return nil, err
	}
	cfg, err := parseConfigJSON(name, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files.path(configFile), err)
	}
	s := &huggingFaceSource{files: files, parsed: make(map[string]map[string]Tensor)}
	c := &checkpoint{source: s, cfg: cfg, names: &huggingFaceNames}
	if strings.HasSuffix(weights, ".json") {
		err = s.readIndex(weights)
	} else {
		err = s.readSingle(weights)
	}
	if err != nil {
		return nil, err
	}
	if err := match(c.names, cfg, s.where); err != nil {
		return nil, fmt.Errorf("%s: %w", files.path(weights), err)
	}
	if s.parsed[weights] == nil {
		return c, nil // an index: each file is checked when it is first needed
	}
	return c, c.check()
}

func (s *huggingFaceSource) readSingle(file string) error {
	tensors, err := s.header(file)
	if err != nil {
		return err
	}
	s.where = make(map[string]string, len(tensors))
	for name := range tensors {
		s.where[name] = file
	}
	return nil
}

func (s *huggingFaceSource) readIndex(file string) error {
	text, err := s.files.contents(file)
	if err != nil {
		return err
	}
	s.where, err = parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.files.path(file), err)
	}
	return nil
}

// parseIndex returns the file of each tensor of an index.
func parseIndex(text []byte) (map[string]string, error) {
	var weightMap json.RawMessage
	err := eachKey(text, func(key string, value *json.Decoder) error {
		var v json.RawMessage
		err := value.Decode(&v)
		if key == "weight_map" {
			weightMap = v
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	where := make(map[string]string)
	err = eachKey(weightMap, func(tensor string, value *json.Decoder) error {
		var file string
		if err := value.Decode(&file); err != nil {
			return fmt.Errorf("tensor %.99q: %w", tensor, jsonError(err))
		}
		if file != filepath.Base(file) || !strings.HasSuffix(file, ".safetensors") {
			return fmt.Errorf("tensor %.99q is in %.99q: want a .safetensors file of the same folder", tensor, file)
		}
		where[tensor] = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("weight_map: %w", err)
	}
	return where, nil
}

// header returns the tensors of a file, which it reads once.
func (s *huggingFaceSource) header(file string) (map[string]Tensor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := s.files.contents(file)
	if err != nil {
		return nil, err // missing, or closed
	}
	if tensors := s.parsed[file]; tensors != nil {
		return tensors, nil
	}
	tensors, err := parseSafetensors(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.files.path(file), err)
	}
	s.parsed[file] = tensors
	return tensors, nil
}

func (s *huggingFaceSource) tensor(name string) (Tensor, string, error) {
	file := s.where[name]
	tensors, err := s.header(file)
	if err != nil {
		return Tensor{}, "", err
	}
	t, ok := tensors[name]
	if !ok {
		return Tensor{}, "", fmt.Errorf("%s: no tensor %q, though the index says so", s.files.path(file), name)
	}
	return t, s.files.path(file), nil
}

func (s *huggingFaceSource) tokenizer() (*Tokenizer, error) {
	data, err := s.files.contents(tokenizerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: want SentencePiece's file (tokenizer.json is not read)", s.files.path(tokenizerFile))
	}
	if err != nil {
		return nil, err
	}
	t, err := parseSentencePiece(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.files.path(tokenizerFile), err)
	}
	return t, nil
}

func (s *huggingFaceSource) read(dst, data []byte) error { return s.files.read(dst, data) }

func (s *huggingFaceSource) expect(data []byte) { s.files.expect(data) }

func (s *huggingFaceSource) forget(data []byte) { s.files.forget(data) }

func (s *huggingFaceSource) Close() error { return s.files.Close() }
