package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
)

const sample = "\x1b[1;38;2;255;0;0mred\x1b[0m ── ╭╮ ▌█░ ⣿ ◆ <&>\n\x1b[7mback\x1b[0m \x1b[4munder\x1b[0m \x1b[2mfaint\x1b[0m"

func TestPNG(t *testing.T) {
	var b bytes.Buffer
	if err := PNG(&b, Parse(sample, 30, 2), Dark); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got.X != 30*cellW || got.Y != 2*cellH {
		t.Errorf("size %v", got)
	}
	red := 0
	for x := range 3 * cellW {
		for y := range cellH {
			if r, g, _, _ := img.At(x, y).RGBA(); r>>8 > 200 && g>>8 < 60 {
				red++
			}
		}
	}
	if red < 50 {
		t.Errorf("%d red pixels of the word red", red)
	}
	if r, _, _, _ := img.At(1, cellH+1).RGBA(); r>>8 != 0xd7 {
		t.Error("reversed text has no background of the text's colour")
	}
}

// TestPaletted keeps frequent colours as they are, and gives the others the
// nearest of them.
func TestPaletted(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 600, 2))
	for x := range 600 {
		m.SetRGBA(x, 0, color.RGBA{uint8(x % 200), 0, 0, 255})
		m.SetRGBA(x, 1, color.RGBA{uint8(x % 200), uint8(x / 200), 0, 255})
	}
	p := paletted(m)
	if len(p.Palette) != 256 {
		t.Errorf("%d colours: want 256", len(p.Palette))
	}
	for x := range 600 {
		if got := color.RGBAModel.Convert(p.At(x, 0)); got != m.RGBAAt(x, 0) {
			t.Fatalf("pixel %d is %v: want %v, of which there are most", x, got, m.RGBAAt(x, 0))
		}
		r, g, _, _ := p.At(x, 1).RGBA()
		if want := m.RGBAAt(x, 1); abs(float32(r>>8)-float32(want.R)) > 1 || abs(float32(g>>8)-float32(want.G)) > 2 {
			t.Fatalf("pixel %d below is %v: want about %v", x, p.At(x, 1), want)
		}
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := SVG(&b, Parse(sample, 30, 2), Light); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{">red<", `fill="#ff0000" font-weight="bold"`, "&lt;&amp;&gt;", `text-decoration="underline"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for dec := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
