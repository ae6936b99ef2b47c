// Package demo holds the embedded demo model, a Hugging Face checkpoint small
// enough to travel with the program. Package models opens it by the name "demo".
package demo

import "embed"

// Files are the checkpoint's files.
//
//go:embed config.json model.safetensors tokenizer.model
var Files embed.FS
