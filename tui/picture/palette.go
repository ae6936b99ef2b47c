package picture

import (
	"image"
	"image/color"
	"slices"
)

// mostColours is what a byte a pixel holds.
const mostColours = 256

// paletted returns an image of at most 256 colours, which is a third of the size
// as a file: the most frequent ones, and for the others, shades at the edges of
// glyphs, the nearest of them.
func paletted(m *image.RGBA) *image.Paletted {
	count := make(map[color.RGBA]int)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			count[m.RGBAAt(x, y)]++
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		if n := count[b] - count[a]; n != 0 {
			return n
		}
		return rank(a) - rank(b)
	})
	p := image.NewPaletted(m.Rect, nil)
	for _, c := range all[:min(len(all), mostColours)] {
		p.Palette = append(p.Palette, c)
	}
	index := make(map[color.RGBA]uint8, len(all))
	for _, c := range all {
		index[c] = uint8(p.Palette.Index(c))
	}
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			p.Pix[p.PixOffset(x, y)] = index[m.RGBAAt(x, y)]
		}
	}
	return p
}

// rank orders colours that are equally frequent.
func rank(c color.RGBA) int { return int(c.R)<<16 | int(c.G)<<8 | int(c.B) }
