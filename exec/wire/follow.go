package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// certFiles follow a device's certificate and its authority's list of revoked
// ones on disk. Connections are few, so each looks whether they have changed.
type certFiles struct {
	cert, key, revoked string
	authority          *x509.Certificate

	mu      sync.Mutex
	stamps  [2]time.Time // of the certificate and the list, as last read
	own     *tls.Certificate
	serials map[string]bool // revoked
	bad     error           // the list that is there cannot be read
}

// changed reports that a file is there and not as it was at the stamp, which it
// brings up to date.
func changed(path string, stamp *time.Time) bool {
	info, err := os.Stat(path)
	if err != nil || info.ModTime().Equal(*stamp) {
		return false
	}
	*stamp = info.ModTime()
	return true
}

// certificate returns the certificate in the file, or the last one that could be
// read: while it is being replaced its key may not match.
func (f *certFiles) certificate(first *tls.Certificate) *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own == nil {
		f.own = first
	}
	stamp := f.stamps[0]
	if !changed(f.cert, &stamp) {
		return f.own
	}
	if c, err := tls.LoadX509KeyPair(f.cert, f.key); err == nil {
		f.own, f.stamps[0] = &c, stamp
	}
	return f.own
}

// check refuses a revoked certificate, and all of them while there is a list
// that cannot be read.
func (f *certFiles) check(leaf *x509.Certificate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if changed(f.revoked, &f.stamps[1]) {
		f.serials, f.bad = f.readRevoked()
	}
	if f.bad != nil {
		return f.bad
	}
	if f.serials[leaf.SerialNumber.String()] {
		return fmt.Errorf("the certificate of %s, serial %x, is revoked", leaf.Subject.CommonName, leaf.SerialNumber)
	}
	return nil
}

func (f *certFiles) readRevoked() (map[string]bool, error) {
	list, err := readRevoked(f.revoked, f.authority)
	if err != nil {
		return nil, err
	}
	serials := make(map[string]bool)
	for _, e := range list.RevokedCertificateEntries {
		serials[e.SerialNumber.String()] = true
	}
	return serials, nil
}

// readRevoked reads an authority's list of revoked certificates; one that does
// not exist is empty.
func readRevoked(path string, authority *x509.Certificate) (*x509.RevocationList, error) {
	der, err := readBlock(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &x509.RevocationList{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("revoked certificates: %w", err)
	}
	list, err := x509.ParseRevocationList(der)
	if err == nil {
		err = list.CheckSignatureFrom(authority)
	}
	if err != nil {
		return nil, fmt.Errorf("revoked certificates: %s: %w", path, err)
	}
	return list, nil
}
