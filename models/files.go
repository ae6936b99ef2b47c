package models

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	mmap "github.com/edsrzf/mmap-go"
)

// A folder gives a checkpoint's files by name. It is safe for concurrent use.
type folder interface {
	// contents returns a file's bytes, read-only and valid until Close.
	contents(name string) ([]byte, error)
	// path tells people where a file is.
	path(name string) string
	// read copies bytes of contents to dst, which is as long.
	read(dst, data []byte) error
	// expect asks for bytes of contents to be read ahead, if they are not in memory.
	expect(data []byte)
	// forget takes bytes of contents out of memory, if they can be read again.
	forget(data []byte)
	Close() error
}

// A mappedFolder maps the files of a directory as they are asked for. Whoever
// cuts a mapped file short takes the memory away from under its readers.
type mappedFolder struct {
	dir string

	mu   sync.Mutex
	maps map[string]*mapping // nil once closed
}

// A mapping keeps its file open, as Windows wants it.
type mapping struct {
	file *os.File
	mmap mmap.MMap
}

func newMappedFolder(dir string) *mappedFolder {
	return &mappedFolder{dir: dir, maps: make(map[string]*mapping)}
}

func (f *mappedFolder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *mappedFolder) contents(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.maps == nil {
		return nil, fmt.Errorf("%s: %w", f.path(name), fs.ErrClosed)
	}
	if m := f.maps[name]; m != nil {
		return m.mmap, nil
	}
	m, err := newMapping(f.path(name))
	if err != nil {
		return nil, err
	}
	f.maps[name] = m
	return m.mmap, nil
}

func newMapping(path string) (*mapping, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := mapFile(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return &mapping{file, m}, nil
}

func mapFile(file *os.File) (mmap.MMap, error) {
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Size() == 0:
		return nil, errors.New("is empty")
	}
	return mmap.Map(file, mmap.RDONLY, 0)
}

func (f *mappedFolder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []error
	for _, m := range f.maps {
		all = append(all, m.mmap.Unmap(), m.file.Close())
	}
	f.maps = nil
	return errors.Join(all...)
}

// read reads the file instead of its map: a fault for each page takes the system
// far longer than copying it does.
func (f *mappedFolder) read(dst, data []byte) error {
	file, at := f.find(data)
	if file == nil {
		copy(dst, data)
		return nil
	}
	_, err := file.ReadAt(dst[:len(data)], at)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: was cut short", file.Name())
	}
	return err
}

// find returns the file that data is mapped of, nil if it is not, and where.
func (f *mappedFolder) find(data []byte) (*os.File, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	for _, m := range f.maps {
		from := uintptr(unsafe.Pointer(unsafe.SliceData(m.mmap)))
		if from <= at && at < from+uintptr(len(m.mmap)) {
			return m.file, int64(at - from)
		}
	}
	return nil, 0
}

func (f *mappedFolder) expect(data []byte) {
	if pages := wholePages(data); len(pages) > 0 {
		readPages(pages)
	}
}

func (f *mappedFolder) forget(data []byte) {
	if pages := wholePages(data); len(pages) > 0 {
		dropPages(pages)
	}
}

// wholePages returns the pages that lie wholly in data.
func wholePages(data []byte) []byte {
	page := os.Getpagesize()
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(data))) % uintptr(page))
	if at > 0 {
		data = data[min(page-at, len(data)):]
	}
	return data[:len(data)/page*page]
}

// A memoryFolder serves files that are in memory anyway. It copies each once.
type memoryFolder struct {
	name  string
	files fs.FS

	mu     sync.Mutex
	loaded map[string][]byte
}

func newMemoryFolder(name string, files fs.FS) *memoryFolder {
	return &memoryFolder{name: name, files: files, loaded: make(map[string][]byte)}
}

func (f *memoryFolder) path(name string) string { return f.name + "/" + name }

func (f *memoryFolder) contents(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if data, ok := f.loaded[name]; ok {
		return data, nil
	}
	data, err := fs.ReadFile(f.files, name)
	if err == nil {
		f.loaded[name] = data
	}
	return data, err
}

func (f *memoryFolder) read(dst, data []byte) error {
	copy(dst, data)
	return nil
}

func (f *memoryFolder) expect([]byte) {}

func (f *memoryFolder) forget([]byte) {}

func (f *memoryFolder) Close() error { return nil }
