package fingerprint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// counted collects files that count, with their sums.
type counted struct {
	*Files
	sums     map[string]sum
	lacks    lacking
	pointers map[string]bool // files that are pointers of Git LFS
	queue    []moduleFolder  // folders that symbolic links lead to
	calls    []moduleCall    // modules that the files call
}

// count begins with no file.
func (f *Files) count() *counted {
	return &counted{Files: f, sums: make(map[string]sum), lacks: make(lacking), pointers: make(map[string]bool)}
}

// add counts a file, or what a symbolic link leads to. isRead is set if an expression has a
// path to it.
func (m *counted) add(name string, isRead bool) error {
	if _, done := m.sums[name]; done {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w", problem.Quote(name), checkout.Cause(err)) }
	if m.index.AbsentAt(name) == name {
		m.lacks[name] = lackSubmodule
		return nil
	}
	info, err := os.Lstat(m.Path(name))
	if checkout.IsMissing(err) {
		if m.index.Has(name) {
			m.lack(name)
		}
		return nil
	}
	if err != nil {
		return fail(err)
	}
	hash := sha256.New()
	end := name
	if info.Mode()&fs.ModeSymlink != 0 {
		text, err := os.Readlink(m.Path(name))
		if err != nil {
			return fail(err)
		}
		fmt.Fprintf(hash, "link %q\n", text)
		end, info, err = m.Resolve(name)
		if checkout.IsMissing(err) {
			if at := path.Join(path.Dir(name), text); !path.IsAbs(text) {
				m.lackAt(at)
			}
			m.sums[name] = sum(hash.Sum(nil))
			return nil
		}
		if err != nil {
			return fail(err)
		}
	}
	switch {
	case info.Mode().IsRegular():
		s, known := m.hashed[name]
		if !known {
			if s, err = m.content(hash, end); err != nil {
				return fail(err)
			}
			m.hashed[name] = s
		}
		m.sums[name] = s.sum
		if s.pointer {
			m.pointers[name] = true
			if isRead {
				m.lacks[name] = lackContent
			}
		}
	case info.IsDir() && end != name:
		m.queue = append(m.queue, moduleFolder{name: end, whole: true})
		m.sums[name] = sum(hash.Sum(nil))
	default: // a pipe or socket
	}
	return nil
}

// contentSum is a file's sum, and whether it is a pointer of Git LFS.
type contentSum struct {
	sum     sum
	pointer bool
}

// content adds a file to the hash, in which the text of a link may be already. If files are
// compared by object ID, and the file is what the index has, it takes that ID.
func (m *counted) content(hash hash.Hash, end string) (contentSum, error) {
	if id, ok := m.objectID(end); ok {
		fmt.Fprintf(hash, "git %s\n", id)
		return contentSum{sum: sum(hash.Sum(nil))}, nil
	}
	f, err := os.Open(m.Path(end))
	if err != nil {
		return contentSum{}, err
	}
	defer f.Close()
	// io.Copy would allocate a buffer for each file.
	n, err := io.ReadFull(f, m.buffer)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return contentSum{}, err
	}
	hash.Write(m.buffer[:n])
	pointer := n < 1024 && isPointer(m.buffer[:n])
	if n == len(m.buffer) {
		if _, err := io.CopyBuffer(hash, struct{ io.Reader }{f}, m.buffer); err != nil {
			return contentSum{}, err
		}
	}
	return contentSum{sum(hash.Sum(nil)), pointer}, nil
}

// addNamed counts a file that the target names. It must be there.
func (m *counted) addNamed(name string) error {
	end, info, err := m.Resolve(name)
	if checkout.IsMissing(err) {
		before := len(m.lacks)
		m.lackAt(name)
		if len(m.lacks) > before {
			return nil
		}
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return checkout.ErrNotAFile
	}
	if end != name {
		if err := m.add(end, true); err != nil { // the path has a link to a folder
			return err
		}
	}
	return m.add(name, true)
}
