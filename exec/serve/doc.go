// Package serve is the HTTP side of a running plan: the OpenAI API of a model
// that exec's workers compute, with its metrics and its health. docs/serving.md
// tells what of the API there is.
package serve
