package wire

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The files of an authority's folder; a device has NAME.crt and NAME.key.
const (
	caCert = "ca.crt"
	caKey  = "ca.key"
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
// authority in the folder; see Authority.Issue. It refuses to replace them.
func Issue(dir, name string, hosts []string) error {
	a, err := loadAuthority(dir)
	if err != nil {
		return err
	}
	p, err := a.Issue(name, hosts...)
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, name+".key"), p.Key); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, name+".crt"), p.Cert)
}

// LoadCredentials reads a device's certificate and key and the authority's
// certificate.
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
	return c, nil
}

func loadAuthority(dir string) (*Authority, error) {
	cert, err := readPEM(filepath.Join(dir, caCert))
	if err != nil {
		return nil, err
	}
	key, err := readPEM(filepath.Join(dir, caKey))
	if err != nil {
		return nil, err
	}
	a := new(Authority)
	if a.cert, err = x509.ParseCertificate(cert); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caCert), err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caKey), err)
	}
	var ok bool
	if a.key, ok = parsed.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("%s: a %T: want an ECDSA key", filepath.Join(dir, caKey), parsed)
	}
	return a, nil
}

func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("authority: %w (make one with: edgeshard cert init)", err)
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
