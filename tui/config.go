package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// A Config is what a user sets in the configuration file. The zero value is the
// usual keys and colours.
type Config struct {
	Theme string              `toml:"theme"` // dark or light; "": what the terminal says
	Keys  map[string][]string `toml:"keys"`  // of actions, in place of the usual ones
	Light map[string]string   `toml:"light"` // colours, such as accent = "#8250df"
	Dark  map[string]string   `toml:"dark"`
}

// ConfigFile returns where the configuration is looked for.
func ConfigFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	return filepath.Join(dir, "edgeshard", "tui.toml"), nil
}

// LoadConfig reads a configuration file. A file that is not there sets nothing.
func LoadConfig(file string) (Config, error) {
	var c Config
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := tomlfile.Decode(file, data, &c); err != nil {
		return c, err
	}
	return c, c.validate(file)
}

var colourSyntax = regexp.MustCompile(`^#[0-9a-fA-F]{6}$|^[0-9]{1,3}$`)

func (c *Config) validate(file string) error {
	if c.Theme != "" && c.Theme != "dark" && c.Theme != "light" {
		return fmt.Errorf("%s: theme is %q: want dark or light", file, c.Theme)
	}
	var ids []string
	for _, a := range actions() {
		ids = append(ids, a.id)
	}
	for _, id := range slices.Sorted(maps.Keys(c.Keys)) {
		if !slices.Contains(ids, id) {
			if near, ok := tomlfile.Nearest(id, ids); ok {
				return fmt.Errorf("%s: keys.%s: no such action: did you mean %s?", file, id, near)
			}
			return fmt.Errorf("%s: keys.%s: no such action: want one of %v", file, id, ids)
		}
	}
	known := defaultPalette()
	for side, colours := range map[string]map[string]string{"light": c.Light, "dark": c.Dark} {
		for _, name := range slices.Sorted(maps.Keys(colours)) {
			if _, ok := known[name]; !ok {
				return fmt.Errorf("%s: %s.%s: no such colour: want one of %v", file, side, name, slices.Sorted(maps.Keys(known)))
			}
			if !colourSyntax.MatchString(colours[name]) {
				return fmt.Errorf("%s: %s.%s is %q: want #rrggbb or 0 to 255", file, side, name, colours[name])
			}
		}
	}
	return nil
}

// apply gives actions the keys that are set.
func (c *Config) apply(all []action) []action {
	for i := range all {
		if keys, ok := c.Keys[all[i].id]; ok {
			all[i].keys = keys
			if len(keys) > 0 && all[i].hint != "" {
				all[i].hint = keysText(keys[:1]) + " " + all[i].id
			}
		}
	}
	return all
}

// palette returns the usual colours with those that are set.
func (c *Config) palette() palette {
	p := defaultPalette()
	for side, colours := range []map[string]string{c.Light, c.Dark} {
		for name, value := range colours {
			pair := p[name]
			pair[side] = value
			p[name] = pair
		}
	}
	return p
}
