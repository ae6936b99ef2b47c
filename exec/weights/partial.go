package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
)

// A partial is an object that is being fetched: a file of its full size in which
// the chunks that are there match their digests. Nothing else tells which are
// there, so a fetch that was cut off goes on from whatever reached the disk.
type partial struct {
	object Object
	file   *os.File
	lock   *flock.Flock // nil: a file of this process alone
	final  string

	mu   sync.Mutex
	left int // chunks
}

// begin opens an object for fetching and returns the chunks it lacks. Where
// another process is fetching the same, it makes a file of its own.
func (s *Store) begin(o Object) (p *partial, lacks []int, err error) {
	name := filepath.Join(s.dir, partFolder, o.ID.String())
	p = &partial{object: o, final: s.path(o.ID), lock: flock.New(name + ".lock")}
	if locked, err := p.lock.TryLock(); err != nil || !locked {
		p.lock = nil
		p.file, err = os.CreateTemp(filepath.Dir(name), o.ID.String()+".*")
		if err != nil {
			return nil, nil, fmt.Errorf("cache of weights: %w", err)
		}
	} else if p.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("cache of weights: %w", err), p.lock.Unlock())
	}
	if lacks, err = p.resume(); err != nil {
		return nil, nil, errors.Join(err, p.abandon())
	}
	p.left = len(lacks)
	return p, lacks, nil
}

// resume gives the file its size and returns the chunks that are not in it.
func (p *partial) resume() (lacks []int, err error) {
	info, err := p.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("cache of weights: %w", err)
	}
	had := info.Size()
	if err := p.file.Truncate(p.object.Size); err != nil {
		return nil, fmt.Errorf("cache of weights: %w", err)
	}
	buf := make([]byte, p.object.chunkBytes(0))
	for i := range p.object.Chunks {
		from, to := p.object.span(i)
		data := buf[:to-from]
		if to > had {
			lacks = append(lacks, i)
		} else if _, err := p.file.ReadAt(data, from); err != nil || sha256.Sum256(data) != p.object.Chunks[i] {
			lacks = append(lacks, i)
		}
	}
	return lacks, nil
}

// chunkBytes returns the size of a chunk.
func (o *Object) chunkBytes(chunk int) int {
	from, to := o.span(chunk)
	return int(to - from)
}

// errForged says that a chunk is not what its digest says.
var errForged = errors.New("the chunk does not match its digest")

// write takes a chunk, once. It reports whether the object is now whole.
func (p *partial) write(chunk int, data []byte) (whole bool, err error) {
	if sha256.Sum256(data) != p.object.Chunks[chunk] {
		return false, errForged
	}
	from, _ := p.object.span(chunk)
	if _, err := p.file.WriteAt(data, from); err != nil {
		return false, fmt.Errorf("cache of weights: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	return p.left == 0, nil
}

// finish puts a whole object in its place.
func (p *partial) finish() error {
	err := errors.Join(p.file.Sync(), p.file.Close(), os.MkdirAll(filepath.Dir(p.final), 0o700))
	if err == nil {
		err = os.Rename(p.file.Name(), p.final)
	}
	if err != nil {
		err = fmt.Errorf("cache of weights: %w", err)
	}
	if p.lock != nil {
		_ = os.Remove(p.lock.Path())
	}
	return errors.Join(err, p.unlock())
}

// abandon leaves what has come for the next time, unless the file is this
// process's alone.
func (p *partial) abandon() error {
	err := p.file.Close()
	if p.lock == nil {
		err = errors.Join(err, os.Remove(p.file.Name()))
	}
	return errors.Join(err, p.unlock())
}

func (p *partial) unlock() error {
	if p.lock == nil {
		return nil
	}
	return p.lock.Unlock()
}

func parseDigest(s string) (d Digest, ok bool) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(d) {
		return d, false
	}
	return Digest(raw), true
}
