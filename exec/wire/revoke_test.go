package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An office is a folder with an authority's files, for tests.
type office struct {
	*testing.T
	dir string
}

func newOffice(t *testing.T) office {
	t.Helper()
	o := office{t, t.TempDir()}
	if err := InitCA(o.dir); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o office) at(name string) string { return filepath.Join(o.dir, name) }

func (o office) issue(name string, renew bool) {
	o.Helper()
	if err := Issue(o.dir, name, nil, time.Hour, renew); err != nil {
		o.Fatal(err)
	}
}

func (o office) load(name string) *Credentials {
	o.Helper()
	c, err := LoadCredentials(o.at(name+".crt"), o.at(name+".key"), o.at(caCert))
	if err != nil {
		o.Fatal(err)
	}
	return c
}

// pair issues a worker's and the coordinator's certificates, and returns what a
// handshake of the two comes to.
func (o office) pair() (shakes func() error) {
	o.Helper()
	o.issue("pi", false)
	o.issue("coordinator", false)
	worker, coordinator := o.load("pi"), o.load("coordinator")
	return func() error { return shake(o.T, worker.server(), coordinator.client("pi")) }
}

// TestRevoke: a certificate that is revoked is refused from the next connection
// on, on both sides, and a renewed one is not.
func TestRevoke(t *testing.T) {
	o := newOffice(t)
	shakes := o.pair()
	if err := shakes(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"coordinator", "pi"} {
		if n, err := Revoke(o.dir, name); n != 1 || err != nil {
			t.Fatalf("%d certificates of %s revoked, %v: want 1", n, name, err)
		}
		touch(t, o.at(caRevoked))
		if err := shakes(); err == nil || !strings.Contains(err.Error(), "revoked") && !strings.Contains(err.Error(), "bad certificate") {
			t.Fatalf("error %v after %s was revoked: want a refusal", err, name)
		}
		o.issue(name, true)
		touch(t, o.at(name+".crt"))
		if err := shakes(); err != nil {
			t.Fatalf("after %s was renewed: %v", name, err)
		}
	}
	if n, err := Revoke(o.dir, "pi"); n != 1 || err != nil { // the new one
		t.Errorf("%d certificates revoked, %v: want 1", n, err)
	}
	checkIssued(t, o.dir)
}

// TestSpoiltList: while nobody can tell who is revoked, no connection is taken.
func TestSpoiltList(t *testing.T) {
	o := newOffice(t)
	shakes := o.pair()
	if n, err := Revoke(o.dir, "coordinator"); n != 1 || err != nil {
		t.Fatalf("%d certificates revoked, %v: want 1", n, err)
	}
	o.issue("coordinator", true)
	for _, name := range []string{"coordinator.crt", caRevoked} {
		touch(t, o.at(name))
	}
	if err := shakes(); err != nil {
		t.Fatalf("with a sound list: %v", err)
	}
	if err := os.WriteFile(o.at(caRevoked), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, o.at(caRevoked))
	if err := shakes(); err == nil {
		t.Error("a connection was taken while nobody can tell who is revoked")
	}
	if _, err := Revoke(o.dir, "pi"); err == nil {
		t.Error("a spoilt list was replaced")
	}
}

// checkIssued holds the list of certificates to what TestRevoke did.
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
