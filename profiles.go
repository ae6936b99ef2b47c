package edgeshard

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

//go:embed profiles/*.toml
var builtinProfiles embed.FS

// ProfileNames returns the names of the built-in profiles, sorted.
func ProfileNames() []string { return tomlfile.Names(builtinProfiles, "profiles") }

// BuiltinProfile returns the built-in profile of that name.
func BuiltinProfile(name string) (*Profile, bool) {
	file := "profiles/" + name + ".toml"
	data, err := builtinProfiles.ReadFile(file)
	if err != nil {
		return nil, false
	}
	p, err := ParseProfile(file, data)
	if err != nil {
		panic(err) // a test reads every one
	}
	return p, true
}

// ParseProfile reads a profile from TOML; file is for messages. Unknown keys are
// errors, all of them listed with their lines.
func ParseProfile(file string, data []byte) (*Profile, error) {
	p := &Profile{Name: strings.TrimSuffix(filepath.Base(file), ".toml")}
	if err := tomlfile.Decode(file, data, p); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// LoadProfile reads a built-in profile by its name, or a file by its path.
func LoadProfile(ref string) (*Profile, error) {
	if p, ok := BuiltinProfile(ref); ok {
		return p, nil
	}
	data, err := tomlfile.ReadFile(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("profile %q: %w, and no built-in one: expected a path or one of %s", ref, fs.ErrNotExist, strings.Join(ProfileNames(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return ParseProfile(ref, data)
}

// LoadProfiles reads the profiles that a topology's devices refer to, files
// relative to baseDir, by the names the devices use. Each must be of a model
// with as many units as this one. Links that were measured replace the topology's.
func LoadProfiles(t *topologies.Topology, model models.Config, baseDir string) (map[string]*Profile, error) {
	if err := applyLinks(t, baseDir); err != nil {
		return nil, err
	}
	profiles := make(map[string]*Profile)
	for i := range t.Devices {
		d := &t.Devices[i]
		if d.Profile == "" || profiles[d.Profile] != nil {
			continue
		}
		p, err := loadProfileIn(baseDir, d.Profile)
		if err != nil {
			return nil, fmt.Errorf("topology %s: device %s: %w", t.Name, d.Name, err)
		}
		if p.Units != model.Units() {
			return nil, fmt.Errorf("topology %s: device %s: profile %s was measured with %s, %d units: the model %s has %d",
				t.Name, d.Name, p.Name, p.Model, p.Units, model.Name, model.Units())
		}
		profiles[d.Profile] = p
	}
	return profiles, nil
}

// loadProfileIn is LoadProfile with a path relative to a folder.
func loadProfileIn(dir, ref string) (*Profile, error) {
	if p, ok := BuiltinProfile(ref); ok {
		return p, nil
	}
	if !filepath.IsAbs(ref) {
		ref = filepath.Join(dir, ref)
	}
	return LoadProfile(ref)
}

// CheckProfiles returns why the profiles that a topology's devices refer to, files
// relative to baseDir, cannot be read: one error for each such profile.
func CheckProfiles(t *topologies.Topology, baseDir string) []error {
	var errs []error
	seen := make(map[string]bool)
	for i := range t.Devices {
		d := &t.Devices[i]
		if d.Profile == "" || seen[d.Profile] {
			continue
		}
		seen[d.Profile] = true
		if _, err := loadProfileIn(baseDir, d.Profile); err != nil {
			errs = append(errs, fmt.Errorf("device %s: %w", d.Name, err))
		}
	}
	return errs
}
