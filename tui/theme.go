package tui

import (
	"fmt"
	"image/color"
	"math"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// A theme is the screen's colours. Nothing is told by colour alone: devices have
// names, changes arrows, and where there is no colour stages differ by pattern.
type theme struct {
	dark bool
	mono bool

	text, dim, border, focus, accent, good, bad, warn, select_ style

	devices []color.Color
	speeds  []color.Color // of links, from slow to fast; nil where there is no colour
}

// palette are colours that can be set in the configuration: light and dark.
type palette map[string][2]string

// defaultPalette holds Okabe and Ito's colours for devices, which differ for the
// colour-blind too, darkened where the background is light. The selection's are
// of the 256 every terminal has: the nearest ones to others have a tint.
func defaultPalette() palette {
	return palette{
		"text": {"#24292f", "#d7dce2"}, "dim": {"#6e7781", "#7d8794"}, "border": {"#afb8c1", "#3d4653"},
		"focus": {"#0969da", "#58b0ff"}, "accent": {"#8250df", "#c297ff"}, "good": {"#1a7f37", "#4ac26b"},
		"bad": {"#cf222e", "#ff7b72"}, "warn": {"#9a6700", "#e3b341"}, "select": {"254", "237"},
		"slow": {"#cf222e", "#ff7b72"}, "fast": {"#1a7f37", "#4ac26b"},
		"device1": {"#c77c00", "#e69f00"}, "device2": {"#2389c9", "#56b4e9"}, "device3": {"#00855f", "#00b383"},
		"device4": {"#9a8c00", "#f0e442"}, "device5": {"#00588f", "#3d8fd1"}, "device6": {"#b34a00", "#e0702e"},
		"device7": {"#a84f86", "#d488b4"}, "device8": {"#57606a", "#a5b0bd"},
	}
}

const deviceColors = 8

// newTheme returns the theme for a terminal's background and colours.
func newTheme(p palette, dark bool, profile colorprofile.Profile) theme {
	mono := profile != colorprofile.Unknown && profile <= colorprofile.ASCII
	side := 0
	if dark {
		side = 1
	}
	pick := func(name string) color.Color {
		if mono {
			return nil
		}
		return lipgloss.Color(p[name][side])
	}
	t := theme{dark: dark, mono: mono}
	if !mono {
		t.speeds = lipgloss.Blend1D(9, pick("slow"), pick("warn"), pick("fast"))
	}
	for into, name := range map[*style]string{
		&t.text: "text", &t.dim: "dim", &t.border: "border", &t.focus: "focus", &t.accent: "accent",
		&t.good: "good", &t.bad: "bad", &t.warn: "warn",
	} {
		into.fg = pick(name)
	}
	t.select_ = style{fg: t.text.fg, bg: pick("select")}
	if mono {
		t.dim.faint, t.border.faint, t.select_.reverse, t.focus.bold, t.bad.bold = true, true, true, true, true
	}
	for i := range deviceColors {
		t.devices = append(t.devices, pick(fmt.Sprintf("device%d", i+1)))
	}
	return t
}

// device is the colour of a device, the same in every part of the screen.
func (t *theme) device(i int) style { return style{fg: t.devices[i%len(t.devices)]} }

// block is the cell that fills a device's stages and bars: a pattern of its own
// where there is no colour.
func (t *theme) block(i int) string {
	if !t.mono {
		return "█"
	}
	return []string{"█", "▒", "▓", "░"}[i%4]
}

// speed is the colour of a share in [0, 1], from slow to fast.
func (t *theme) speed(share float64) style {
	if len(t.speeds) == 0 {
		return t.text
	}
	i := int(math.Round(min(max(share, 0), 1) * float64(len(t.speeds)-1)))
	return style{fg: t.speeds[i]}
}
