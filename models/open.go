package models

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/models/demo"
)

// Open opens the checkpoint that ref names, reading only its metadata:
//
//   - "demo", the embedded model;
//   - a GGUF file, version 2 or 3, little-endian;
//   - a Hugging Face checkpoint: its folder, its model.safetensors.index.json or
//     its one .safetensors file, with config.json and tokenizer.model beside it.
//
// Files are mapped read-only and must not be cut short while they are open.
func Open(ref string) (Checkpoint, error) {
	if ref == Demo {
		return openHuggingFace(newMemoryFolder(Demo, demo.Files), Demo, singleFile)
	}
	info, err := os.Stat(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(ref)
	}
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	abs, err := filepath.Abs(ref)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if info.IsDir() {
		return openFolder(abs)
	}
	return openFile(filepath.Dir(abs), filepath.Base(abs))
}

// TokenizerOf returns the tokenizer of the checkpoint that ref names.
func TokenizerOf(ref string) (*Tokenizer, error) {
	c, err := Open(ref)
	if err != nil {
		return nil, err
	}
	t, err := c.Tokenizer()
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, fmt.Errorf("model %s: %w", ref, err)
	}
	return t, nil
}

func notFound(ref string) error {
	if _, ok := Builtin(ref); ok {
		return fmt.Errorf("model %s is a built-in shape without weights: want a checkpoint, or one made by `edgeshard model synth`", ref)
	}
	return fmt.Errorf("model %s: no such file: want a .gguf file, a Hugging Face checkpoint or %q", ref, Demo)
}

// openFolder opens a directory's index, or the one file of weights.
func openFolder(dir string) (Checkpoint, error) {
	for _, weights := range []string{indexFile, singleFile} {
		if _, err := os.Stat(filepath.Join(dir, weights)); err == nil {
			return openHuggingFace(newMappedFolder(dir), filepath.Base(dir), weights)
		}
	}
	return nil, fmt.Errorf("model %s: the folder has neither %s nor %s", dir, indexFile, singleFile)
}

func openFile(dir, file string) (Checkpoint, error) {
	files := newMappedFolder(dir)
	if strings.HasSuffix(file, ".safetensors") || strings.HasSuffix(file, ".index.json") {
		return openHuggingFace(files, filepath.Base(dir), file)
	}
	data, err := files.contents(file)
	switch {
	case err != nil:
		err = fmt.Errorf("model: %w", err)
	case !bytes.HasPrefix(data, []byte(ggufMagic)):
		err = fmt.Errorf("model %s is neither GGUF nor safetensors: want a file that starts with %q, or ends in .safetensors or .index.json", files.path(file), ggufMagic)
	default:
		return openGGUF(files, file)
	}
	return nil, errors.Join(err, files.Close())
}
