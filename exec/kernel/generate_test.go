package kernel

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGenerate: go generate reproduces the assembly. It skips where the generator
// cannot be had, since its modules are neither here nor to be fetched.
func TestGenerate(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	const tools, here = "../../tools", "../exec/kernel/"
	run := func(name string, args ...string) ([]byte, error) {
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = tools
		return c.CombinedOutput()
	}
	if out, err := run("go", "mod", "download", "github.com/mmcloughlin/avo"); err != nil {
		t.Skipf("no generator: %s", out)
	}
	dir := t.TempDir()
	generator := filepath.Join(dir, "kernelgen")
	if out, err := run("go", "build", "-o", generator, "./kernelgen"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	doc := readFile(t, "doc.go")
	directives := regexp.MustCompile(`(?m)^//go:generate go -C ../../tools run ./kernelgen (.*)$`).FindAllSubmatch(doc, -1)
	if len(directives) == 0 {
		t.Fatal("no directives in doc.go")
	}
	for _, d := range directives {
		if out, err := run(generator, strings.Fields(strings.ReplaceAll(string(d[1]), here, dir+"/"))...); err != nil {
			t.Fatalf("%s: %v\n%s", d[1], err, out)
		}
	}
	written, err := filepath.Glob(filepath.Join(dir, "*_*"))
	if err != nil || len(written) != 2*len(directives) {
		t.Fatalf("generated %s, %v", written, err)
	}
	for _, file := range written {
		if name := filepath.Base(file); !bytes.Equal(afterHeader(readFile(t, name)), afterHeader(readFile(t, file))) {
			t.Errorf("%s is not what go generate writes", name)
		}
	}
}

// afterHeader leaves out the first line, which has the generator's arguments.
func afterHeader(text []byte) []byte {
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	return rest
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
