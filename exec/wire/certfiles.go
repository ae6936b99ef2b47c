package wire

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files of an authority's folder; a device has NAME.crt and NAME.key.
const (
	caCert    = "ca.crt"
	caKey     = "ca.key"
	caRevoked = "ca.crl"
	issuedDir = "issued" // a copy of every certificate, by serial number
)

// InitCA makes an authority in a folder, created if need be: ca.crt, to be
// copied to every device, and ca.key, private to its owner. It refuses to
// replace one.
func InitCA(dir string) error {
	a, err := NewAuthority()
	if err != nil {
		return err
	}
	key, err := encodeKey(a.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("authority folder: %w", err)
	}
	if err := writeNew(filepath.Join(dir, caKey), key); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, caCert), encodeCert(a.cert.Raw))
}

// Issue makes NAME.crt and NAME.key for a device, or a coordinator, with the
// authority in the folder; see Authority.Issue. It replaces them only to renew.
func Issue(dir, name string, hosts []string, lifetime time.Duration, renew bool) error {
	a, err := loadAuthority(dir)
	if err != nil {
		return err
	}
	p, err := a.issue(name, hosts, lifetime)
	if err != nil {
		return err
	}
	write := writeNew
	if renew {
		write = replace
	}
	if err := write(filepath.Join(dir, name+".key"), p.Key); err != nil {
		return err
	}
	if err := record(dir, p); err != nil {
		return err
	}
	return write(filepath.Join(dir, name+".crt"), p.Cert)
}

// record keeps a copy of a certificate, so that it can be revoked when its
// device is lost.
func record(dir string, p *PEM) error {
	block, _ := pem.Decode(p.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, issuedDir), 0o700); err != nil {
		return fmt.Errorf("authority folder: %w", err)
	}
	return writeNew(filepath.Join(dir, issuedDir, fmt.Sprintf("%x.crt", cert.SerialNumber)), p.Cert)
}

// LoadCredentials reads a device's certificate and key and the authority's
// certificate. The authority's list of revoked certificates is looked for
// beside the latter, with the ending .crl; it may come later.
func LoadCredentials(cert, key, ca string) (*Credentials, error) {
	var p PEM
	for _, f := range []struct {
		path string
		into *[]byte
	}{{cert, &p.Cert}, {key, &p.Key}, {ca, &p.CA}} {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
		*f.into = data
	}
	c, err := p.Credentials()
	if err != nil {
		return nil, fmt.Errorf("credentials %s, %s, %s: %w", cert, key, ca, err)
	}
	c.files = &certFiles{cert: cert, key: key, revoked: strings.TrimSuffix(ca, filepath.Ext(ca)) + ".crl"}
	if c.files.authority, err = readCertificate(ca); err != nil {
		return nil, err
	}
	_ = changed(cert, &c.files.stamps[0])
	if _, err := readRevoked(c.files.revoked, c.files.authority); err != nil {
		return nil, err
	}
	return c, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	der, err := readBlock(path)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func loadAuthority(dir string) (*Authority, error) {
	var a Authority
	key, err := readBlock(filepath.Join(dir, caKey))
	if err == nil {
		a.cert, err = readCertificate(filepath.Join(dir, caCert))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("authority: %w (make one with: edgeshard cert init)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caKey), err)
	}
	var ok bool
	if a.key, ok = parsed.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("%s: a %T: want an ECDSA key", filepath.Join(dir, caKey), parsed)
	}
	return &a, nil
}

// readBlock reads the first block of a PEM file.
func readBlock(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: not in PEM form", path)
	}
	return block.Bytes, nil
}

// writeNew writes a file only its owner can read; it must not exist.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// replace writes a file only its owner can read, whole or not at all.
func replace(path string, data []byte) error {
	next := path + ".new"
	_ = os.Remove(next)
	if err := writeNew(next, data); err != nil {
		return err
	}
	return os.Rename(next, path)
}
