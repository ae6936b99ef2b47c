package serve

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Keys are the API keys that are let in; only their hashes are kept.
type Keys struct{ hashes [][sha256.Size]byte }

// shortestKey is the fewest characters a key may have.
const shortestKey = 16

// ReadKeys reads keys, one a line; empty lines and those that begin with # do
// not count. The error names the file and the line.
func ReadKeys(name string, r io.Reader) (*Keys, error) {
	k := &Keys{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		key := strings.TrimSpace(lines.Text())
		switch {
		case key == "" || strings.HasPrefix(key, "#"):
			continue
		case len(key) < shortestKey:
			return nil, fmt.Errorf("%s:%d: key of %d characters: want at least %d", name, n, len(key), shortestKey)
		}
		k.hashes = append(k.hashes, sha256.Sum256([]byte(key)))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(k.hashes) == 0 {
		return nil, fmt.Errorf("%s has no key: want one a line", name)
	}
	return k, nil
}

// admit tells whether key is one of them, in a time that does not tell which or
// how much of it is right.
func (k *Keys) admit(key string) bool {
	hash, found := sha256.Sum256([]byte(key)), 0
	for i := range k.hashes {
		found |= subtle.ConstantTimeCompare(hash[:], k.hashes[i][:])
	}
	return found == 1
}

// authorized lets only those in who may ask.
func (s *Server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.options.LocalOnly && !localName(r.Host) {
			refuse(w, &Error{
				Status: http.StatusForbidden, Type: invalidRequest, Code: "host_not_allowed",
				Message: fmt.Sprintf("host %q is not this machine's: want localhost or a loopback address", r.Host),
			})
			return
		}
		if k := s.options.Keys; k != nil {
			key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !bearer || !k.admit(key) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				refuse(w, &Error{
					Status: http.StatusUnauthorized, Type: "authentication_error", Code: "invalid_api_key",
					Message: "want an API key in the header Authorization: Bearer KEY",
				})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// localName tells whether a Host header means this machine, which a page of
// another site, its name resolved to loopback, does not.
func localName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}
