package exec

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTemperature: the hottest sensor counts; one that gives no number does not.
func TestTemperature(t *testing.T) {
	dir := t.TempDir()
	pattern := filepath.Join(dir, "thermal_zone*", "temp")
	if _, ok := temperature(pattern); ok {
		t.Error("a temperature without a sensor")
	}
	for zone, text := range map[string]string{"0": "41000\n", "1": "58250\n", "2": "-274\n", "3": "off\n"} {
		if err := os.Mkdir(filepath.Join(dir, "thermal_zone"+zone), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "thermal_zone"+zone, "temp"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := temperature(pattern); !ok || got != 58.25 {
		t.Errorf("%g, %t: want 58.25", got, ok)
	}
}
