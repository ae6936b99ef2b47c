package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Credentials are what a device shows and whom it trusts. Those read from files
// follow them: a certificate that is renewed, or a list of revoked ones that
// changes, counts from the next connection on.
type Credentials struct {
	pem   *PEM
	name  string
	cert  tls.Certificate
	roots *x509.CertPool
	files *certFiles // nil: they are in memory alone
}

// Credentials reads what Issue made.
func (p *PEM) Credentials() (*Credentials, error) {
	cert, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate and key: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(p.CA) {
		return nil, errors.New("authority: no certificate in PEM form")
	}
	return &Credentials{pem: p, name: cert.Leaf.Subject.CommonName, cert: cert, roots: roots}, nil
}

// Name returns the name that the certificate is issued to.
func (c *Credentials) Name() string { return c.name }

// PEM returns what the credentials were read from. It holds the private key.
func (c *Credentials) PEM() *PEM { return c.pem }

// server accepts only clients that show a certificate of the same authority
// which is not revoked.
func (c *Credentials) server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: c.roots,
		GetCertificate:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.certificate(), nil },
		VerifyConnection: c.verify,
	}
}

// client connects only to a server whose certificate has that name and is not
// revoked.
func (c *Credentials) client(name string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: c.roots, ServerName: name,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.certificate(), nil },
		VerifyConnection:     c.verify,
	}
}

// certificate returns the present certificate.
func (c *Credentials) certificate() *tls.Certificate {
	if c.files == nil {
		return &c.cert
	}
	return c.files.certificate(&c.cert)
}

func (c *Credentials) verify(s tls.ConnectionState) error {
	if c.files == nil {
		return nil
	}
	return c.files.check(s.PeerCertificates[0])
}

// PeerName returns the name of the certificate that the other side of a call
// has shown, "" in plaintext.
func PeerName(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	return peerName(p.AuthInfo)
}

func peerName(info credentials.AuthInfo) string {
	t, ok := info.(credentials.TLSInfo)
	if !ok || len(t.State.PeerCertificates) == 0 {
		return ""
	}
	return t.State.PeerCertificates[0].Subject.CommonName
}
