package journal

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// errTorn ends a journal that was not written to its end.
var errTorn = errors.New("torn")

// read returns what a journal tells and where its last whole record ends.
func read(r io.Reader) (s *State, end int64, err error) {
	in := bufio.NewReader(r)
	first := make([]byte, len(magic))
	if n, err := io.ReadFull(in, first); err != nil || string(first) != magic {
		if strings.HasPrefix(string(first[:n]), magic[:len(magic)-2]) && err == nil {
			return nil, 0, fmt.Errorf("its format is %q: this version reads %q", first, magic)
		}
		return nil, 0, errors.New("this is no journal")
	}
	end = int64(len(magic))
	s = &State{Tokens: make(map[int][]int), Ended: make(map[int]bool)}
	for n := 0; ; n++ {
		rec, size, err := next(in)
		if errors.Is(err, errTorn) || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("record %d at byte %d: %w", n, end, err)
		}
		if err := s.apply(n, rec); err != nil {
			return nil, 0, fmt.Errorf("record %d at byte %d: %w", n, end, err)
		}
		end += size
	}
	if s.Plan == nil {
		return nil, 0, errors.New("it ends before its plan")
	}
	return s, end, nil
}

// next reads a record: io.EOF at the end, errTorn where it is cut short. A record
// that is damaged with others behind it is no torn end.
func next(in *bufio.Reader) (rec record, size int64, err error) {
	var head [8]byte
	if n, err := io.ReadFull(in, head[:]); err != nil {
		if n == 0 {
			return rec, 0, io.EOF
		}
		return rec, 0, errTorn
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n > maxRecord {
		return rec, 0, errTorn
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(n)))
	if err != nil || len(data) < int(n) {
		return rec, 0, errTorn
	}
	if crc32.Checksum(data, table) != binary.LittleEndian.Uint32(head[4:]) {
		if _, err := in.Peek(1); err != nil {
			return rec, 0, errTorn
		}
		return rec, 0, errors.New("its checksum is wrong")
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		return rec, 0, err
	}
	return rec, 8 + int64(n), nil
}

func (s *State) apply(n int, r record) error {
	switch {
	case (n == 0) != (r.Header != nil):
		return errors.New("want the plan first, and once")
	case r.Header != nil:
		s.Header = *r.Header
	case r.Request < 0:
		return fmt.Errorf("request %d", r.Request)
	case s.Ended[r.Request]:
		return fmt.Errorf("request %d goes on after its end", r.Request)
	case r.End:
		s.Ended[r.Request] = true
	default:
		s.Tokens[r.Request] = append(s.Tokens[r.Request], r.Tokens...)
	}
	return nil
}
