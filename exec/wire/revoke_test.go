package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRevoke: a certificate that is revoked is refused from the next connection
// on, on both sides, and a renewed one is not.
func TestRevoke(t *testing.T) {
	dir := t.TempDir()
	if err := InitCA(dir); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	issue := func(name string, renew bool) {
		t.Helper()
		if err := Issue(dir, name, nil, time.Hour, renew); err != nil {
			t.Fatal(err)
		}
	}
	load := func(name string) *Credentials {
		t.Helper()
		c, err := LoadCredentials(at(name+".crt"), at(name+".key"), at(caCert))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	issue("pi", false)
	issue("coordinator", false)
	worker, coordinator := load("pi"), load("coordinator")
	shakes := func() error { return shake(t, worker.server(), coordinator.client("pi")) }
	if err := shakes(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"coordinator", "pi"} {
		if n, err := Revoke(dir, name); n != 1 || err != nil {
			t.Fatalf("%d certificates of %s revoked, %v: want 1", n, name, err)
		}
		touch(t, at(caRevoked))
		if err := shakes(); err == nil || !strings.Contains(err.Error(), "revoked") && !strings.Contains(err.Error(), "bad certificate") {
			t.Fatalf("error %v after %s was revoked: want a refusal", err, name)
		}
		issue(name, true)
		touch(t, at(name+".crt"))
		if err := shakes(); err != nil {
			t.Fatalf("after %s was renewed: %v", name, err)
		}
	}
	if n, err := Revoke(dir, "pi"); n != 1 || err != nil { // the new one
		t.Errorf("%d certificates revoked, %v: want 1", n, err)
	}
	checkIssued(t, dir)
	if err := os.WriteFile(at(caRevoked), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, at(caRevoked))
	if err := shakes(); err == nil {
		t.Error("a connection was taken while nobody can tell who is revoked")
	}
	if _, err := Revoke(dir, "pi"); err == nil {
		t.Error("a spoilt list was replaced")
	}
}

func checkIssued(t *testing.T, dir string) {
	t.Helper()
	all, err := ListIssued(dir)
	if err != nil {
		t.Fatal(err)
	}
	revoked := make(map[string]int)
	for _, i := range all {
		if i.Revoked {
			revoked[i.Name]++
		}
	}
	if len(all) != 4 || revoked["pi"] != 2 || revoked["coordinator"] != 1 {
		t.Errorf("issued %+v: want two each, of which both of pi and one of coordinator are revoked", all)
	}
	if _, err := Revoke(dir, "nobody"); err == nil {
		t.Error("a name that has no certificate was revoked")
	}
}

// touch makes a file look as if it had been written later than before.
func touch(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().Add(time.Since(info.ModTime()) + time.Minute)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

// TestForeignList: a list of another authority's is not believed.
func TestForeignList(t *testing.T) {
	ours, theirs := t.TempDir(), t.TempDir()
	for _, dir := range []string{ours, theirs} {
		if err := InitCA(dir); err != nil {
			t.Fatal(err)
		}
		if err := Issue(dir, "pi", nil, time.Hour, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Revoke(theirs, "pi"); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(theirs, caRevoked))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ours, caRevoked), list, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(ours, name) }
	if _, err := LoadCredentials(at("pi.crt"), at("pi.key"), at(caCert)); err == nil {
		t.Error("another authority's list is believed")
	}
}
