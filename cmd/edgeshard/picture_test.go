package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/edgeshard/edgeshard/tui/picture"
)

var pictureFile = flag.String("picture", "", "draw what the demo shows into this PNG file")

// TestPicture draws the README's picture of the demo, when asked to.
func TestPicture(t *testing.T) {
	if *pictureFile == "" {
		t.Skip("no -picture file")
	}
	demo := exec.CommandContext(t.Context(), "edgeshard", "demo") // as the scripts find it
	demo.Env = append(os.Environ(), "CLICOLOR_FORCE=1", "COLORTERM=truecolor", "TERM=xterm-256color")
	out, err := demo.Output()
	if err != nil {
		t.Fatal(err)
	}
	text := "\x1b[1m$ go run ./cmd/edgeshard demo\x1b[0m" + strings.TrimRight(string(out), "\n")
	lines := strings.Split(text, "\n")
	width := 0
	for _, l := range lines {
		width = max(width, ansi.StringWidth(l))
	}
	var png bytes.Buffer
	if err := picture.PNG(&png, picture.Parse(text, width+2, len(lines)+1), picture.Dark); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*pictureFile, png.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
