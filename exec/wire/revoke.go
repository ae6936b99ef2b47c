package wire

import (
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// An Issued is a certificate that an authority has issued.
type Issued struct {
	Name    string    `json:"name"`
	Serial  string    `json:"serial"` // hexadecimal
	Hosts   []string  `json:"hosts"`
	Expires time.Time `json:"expires"`
	Revoked bool      `json:"revoked"`

	serial *big.Int
}

// State says in a word whether the certificate is good at a time.
func (i *Issued) State(now time.Time) string {
	switch {
	case i.Revoked:
		return "revoked"
	case now.After(i.Expires):
		return "expired"
	}
	return "valid"
}

// ListIssued returns what the authority in a folder has issued, by name and age.
func ListIssued(dir string) ([]Issued, error) {
	a, err := loadAuthority(dir)
	if err != nil {
		return nil, err
	}
	list, err := readRevoked(filepath.Join(dir, caRevoked), a.cert)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Join(dir, issuedDir))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("authority: %w", err)
	}
	var all []Issued
	for _, f := range files {
		c, err := readCertificate(filepath.Join(dir, issuedDir, f.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, issuedOf(c, list))
	}
	slices.SortFunc(all, func(a, b Issued) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Expires.Compare(b.Expires), cmp.Compare(a.Serial, b.Serial))
	})
	return all, nil
}

func issuedOf(c *x509.Certificate, revoked *x509.RevocationList) Issued {
	i := Issued{Name: c.Subject.CommonName, Serial: fmt.Sprintf("%x", c.SerialNumber), Hosts: c.DNSNames[1:], Expires: c.NotAfter, serial: c.SerialNumber}
	for _, ip := range c.IPAddresses {
		i.Hosts = append(i.Hosts, ip.String())
	}
	i.Revoked = slices.ContainsFunc(revoked.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
		return e.SerialNumber.Cmp(c.SerialNumber) == 0
	})
	return i
}

// Revoke puts all certificates of a name on the list of revoked ones, ca.crl,
// which is to be copied to every device, beside ca.crt. It returns how many were
// added.
func Revoke(dir, name string) (int, error) {
	all, err := ListIssued(dir)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(i Issued) bool { return i.Name != name })
	if len(all) == 0 {
		return 0, fmt.Errorf("no certificate of %q has been issued: edgeshard cert list tells which have", name)
	}
	all = slices.DeleteFunc(all, func(i Issued) bool { return i.Revoked })
	a, err := loadAuthority(dir)
	if err != nil {
		return 0, err
	}
	return len(all), a.revoke(filepath.Join(dir, caRevoked), all)
}

// revoke adds certificates to the list in a file.
func (a *Authority) revoke(path string, all []Issued) error {
	list, err := readRevoked(path, a.cert)
	if err != nil {
		return err
	}
	number := big.NewInt(1)
	if list.Number != nil {
		number.Add(number, list.Number)
	}
	next := &x509.RevocationList{
		Number: number, ThisUpdate: time.Now(), NextUpdate: a.cert.NotAfter,
		RevokedCertificateEntries: list.RevokedCertificateEntries,
	}
	for _, i := range all {
		next.RevokedCertificateEntries = append(next.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: i.serial, RevocationTime: next.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, next, a.cert, a.key)
	if err != nil {
		return fmt.Errorf("revoked certificates: %w", err)
	}
	return replace(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}
