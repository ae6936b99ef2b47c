package exec

import (
	"errors"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// CoordinatorName is the name in a coordinator's certificate, unless workers are
// told another.
const CoordinatorName = "coordinator"

// security is who trusts whom in a run. Without credentials all is plaintext.
type security struct {
	own       *wire.Credentials // the coordinator's
	authority *wire.Authority   // of local workers, where all are
}

// newSecurity makes an authority for a run with local workers only; a run with
// remote ones has credentials of the authority they trust.
func newSecurity(o *Options, allLocal bool) (security, error) {
	switch {
	case o.Insecure || allLocal && o.Local == nil: // within the process
		return security{}, nil
	case !allLocal && o.Credentials == nil:
		return security{}, errors.New("remote workers need credentials: want a certificate, its key and the authority's certificate")
	case !allLocal:
		return security{own: o.Credentials}, nil
	}
	a, err := wire.NewAuthority()
	if err != nil {
		return security{}, err
	}
	p, err := a.Issue(CoordinatorName)
	if err != nil {
		return security{}, err
	}
	own, err := p.Credentials()
	return security{own: own, authority: a}, err
}

// forLocal returns what a local worker shows, nil in plaintext: a certificate of
// its own, or the coordinator's, which remote workers know.
func (s *security) forLocal(name string) (*wire.PEM, error) {
	switch {
	case s.authority != nil:
		return s.authority.Issue(name)
	case s.own != nil:
		return s.own.PEM(), nil
	}
	return nil, nil
}
