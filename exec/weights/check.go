package weights

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// Check hashes every object in the store and removes those that are not what
// their name says. progress is told of bytes.
func (s *Store) Check(ctx context.Context, progress func(done, total int64)) (good, bad int, err error) {
	all, err := s.Entries()
	if err != nil {
		return 0, 0, err
	}
	var done, total int64
	for _, e := range all {
		total += e.Size
	}
	for _, e := range all {
		if ctx.Err() != nil {
			return good, bad, ctx.Err()
		}
		data, err := os.ReadFile(s.path(e.ID))
		switch {
		case errors.Is(err, fs.ErrNotExist): // evicted meanwhile
		case err != nil:
			return good, bad, err
		default:
			if o := describe(data); o.ID == e.ID {
				good++
				break
			}
			bad++
			if err := os.Remove(s.path(e.ID)); err != nil {
				return good, bad, err
			}
		}
		done += e.Size
		progress(done, total)
	}
	return good, bad, nil
}
