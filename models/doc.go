// Package models knows Llama 2: the shapes of its sizes and the work that each
// unit of them takes, how to read checkpoints (GGUF, Hugging Face safetensors)
// unit by unit, its tokenizer, and how to write synthetic models.
package models
