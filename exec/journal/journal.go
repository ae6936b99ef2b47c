// Package journal keeps a run's tokens on disk, so that it can go on after its
// coordinator has died or its devices have failed.
//
// A journal is one file, private to its owner, that only grows: a magic line, then
// records of a length, a checksum and JSON. The first holds the plan. What a crash
// leaves unfinished at the end is dropped when it is opened again; the tokens in
// it are generated again, the same.
package journal

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

// FileName is the journal's file in its folder.
const FileName = "run.journal"

// magic is the first line; its digit is the format's version.
const magic = "edgeshard journal 1\n"

// maxRecord bounds a record, whatever its length field says.
const maxRecord = 64 << 20

// syncEvery is how long tokens may be in the system's memory only, at the risk of
// generating them again after a loss of power. The death of the process loses none
// that were flushed.
const syncEvery = time.Second

var table = crc32.MakeTable(crc32.Castagnoli)

// A Header is a journal's first record.
type Header struct {
	// Coordinator is the secret under which workers keep what they hold, for a
	// coordinator that is restarted within their lease.
	Coordinator string          `json:"coordinator"`
	Plan        json.RawMessage `json:"plan"`
}

// A State is what a journal tells.
type State struct {
	Header
	Tokens map[int][]int // generated so far, by request
	Ended  map[int]bool  // requests
}

// A record is one of a header, tokens of a request, or its end.
type record struct {
	Header  *Header `json:"header,omitempty"`
	Request int     `json:"request,omitempty"`
	Tokens  []int   `json:"tokens,omitempty"`
	End     bool    `json:"end,omitempty"`
}

// A Journal is open for writing. Its methods are for one goroutine at a time.
type Journal struct {
	file   *os.File
	out    *bufio.Writer
	synced time.Time
	dirty  bool
	err    error // the first of a write
}

// Create makes a journal in a folder, created if need be. It refuses to replace one.
func Create(dir string, h Header) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	path := filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("journal: %s is there already: resume that run, or choose another folder", path)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	j := &Journal{file: f, out: bufio.NewWriter(f), synced: time.Now()}
	_, _ = j.out.WriteString(magic) // Flush tells of an error
	j.write(record{Header: &h})
	j.sync()
	if j.err != nil {
		return nil, errors.Join(j.err, f.Close())
	}
	return j, nil
}

// Open reads a folder's journal and opens it to go on.
func Open(dir string) (*Journal, *State, error) {
	path := filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	s, end, err := read(f)
	if err == nil {
		err = lock(f)
	}
	if err == nil {
		err = f.Truncate(end) // what was torn
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	return &Journal{file: f, out: bufio.NewWriter(f), synced: time.Now()}, s, nil
}

// Token adds a token of a request.
func (j *Journal) Token(request, token int) {
	j.write(record{Request: request, Tokens: []int{token}})
}

// End says that a request has all its tokens.
func (j *Journal) End(request int) { j.write(record{Request: request, End: true}) }

// Flush hands what was added to the system, so that it survives this process, and
// to the disk if that was last done a while ago. It is cheap to call after every
// pass.
func (j *Journal) Flush() error {
	if !j.dirty {
		return j.err
	}
	if time.Since(j.synced) > syncEvery {
		j.sync()
	} else if err := j.out.Flush(); err != nil {
		j.fail(err)
	}
	return j.err
}

// Close writes all to the disk.
func (j *Journal) Close() error {
	j.sync()
	return errors.Join(j.err, j.file.Close())
}

func (j *Journal) sync() {
	if err := errors.Join(j.out.Flush(), j.file.Sync()); err != nil {
		j.fail(err)
	}
	j.synced, j.dirty = time.Now(), false
}

func (j *Journal) fail(err error) {
	if j.err == nil {
		j.err = fmt.Errorf("journal: %w", err)
	}
}

func (j *Journal) write(r record) {
	data, err := json.Marshal(r)
	if err != nil {
		j.fail(err)
		return
	}
	var head [8]byte
	binary.LittleEndian.PutUint32(head[:4], uint32(len(data)))
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(data, table))
	_, _ = j.out.Write(head[:]) // Flush tells of an error
	_, _ = j.out.Write(data)
	j.dirty = true
}
