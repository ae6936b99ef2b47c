package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func issued(t testing.TB, a *Authority, name string) *Credentials {
	t.Helper()
	p, err := a.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func authority(t testing.TB) *Authority {
	t.Helper()
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// shake returns what a TLS handshake comes to on both sides.
func shake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	deadline := time.Now().Add(time.Minute)
	a.SetDeadline(deadline)
	b.SetDeadline(deadline)
	served := make(chan error, 1)
	go func() {
		defer a.Close()
		s := tls.Server(a, server)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		served <- err
	}()
	c := tls.Client(b, client)
	_, err := c.Read(make([]byte, 1)) // a client learns only here that it was refused
	b.Close()
	if serr := <-served; serr != nil {
		return serr
	}
	return err
}

func TestMutualTLS(t *testing.T) {
	ours, theirs := authority(t), authority(t)
	server := issued(t, ours, "Agx_1.lab").server()
	client := issued(t, ours, "coordinator")
	if err := shake(t, server, client.client("Agx_1.lab")); err != nil {
		t.Fatalf("refused: %v", err)
	}
	old := client.client("Agx_1.lab")
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	none := client.client("Agx_1.lab")
	none.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil }
	for name, c := range map[string]*tls.Config{
		"no certificate":        none,
		"another authority's":   issued(t, theirs, "coordinator").client("Agx_1.lab"),
		"another worker's name": client.client("agx-2"),
		"TLS 1.2":               old,
	} {
		if err := shake(t, server, c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestExpired(t *testing.T) {
	a := authority(t)
	late := issued(t, a, "d").client("d")
	late.Time = func() time.Time { return time.Now().Add(2 * DeviceLifetime) }
	if err := shake(t, issued(t, a, "d").server(), late); err == nil {
		t.Error("an expired certificate was accepted")
	}
}

func TestCertificateFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	if err := InitCA(dir); err != nil {
		t.Fatal(err)
	}
	if err := InitCA(dir); err == nil {
		t.Error("an authority was replaced")
	}
	if err := Issue(dir, "nx-1", []string{"192.0.2.7", "nx-1.example"}, DeviceLifetime, false); err != nil {
		t.Fatal(err)
	}
	if err := Issue(dir, "../nx", nil, DeviceLifetime, false); err == nil {
		t.Error("a name that is a path was taken")
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"ca.key", "nx-1.key"} {
		if info, err := os.Stat(at(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v: want 0600", name, err, info.Mode())
		}
	}
	c, err := LoadCredentials(at("nx-1.crt"), at("nx-1.key"), at("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name() != "nx-1" {
		t.Errorf("name %q", c.Name())
	}
	leaf := c.cert.Leaf
	for _, host := range []string{"nx-1", "nx-1.example", "192.0.2.7"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots}); err != nil {
		t.Error(err)
	}
	if _, err := LoadCredentials(at("nx-1.crt"), at("ca.key"), at("ca.crt")); err == nil || !strings.Contains(err.Error(), "ca.key") {
		t.Errorf("another's key: error %v: want one that names the file", err)
	}
}

func TestLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Loopback(context.Background(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for address, want := range map[string]bool{"127.0.0.1": true, "::1": true, "192.0.2.1": false, "0.0.0.0": false, "::": false} {
		if got := IsLoopback(&net.TCPAddr{IP: net.ParseIP(address)}); got != want {
			t.Errorf("IsLoopback(%s) = %v", address, got)
		}
	}
}
