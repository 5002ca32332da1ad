package builtfiles

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// An archive is a gzipped tar file with regular files only: their names, sizes and content, and
// whether they are executable. The same files always make the same bytes.

// ErrChanging is returned by [Pack] if another process is writing one of the files.
var ErrChanging = problem.With(problem.PlanFiles, errors.New("it was changed while it was read: another target in the same folder may write it, too; give each its own name"))

// Pack writes files of a checkout to a new archive of mode 0600. It returns [ErrChanging] if one
// of them is changed meanwhile.
func Pack(archive, root string, files []File) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("pack the files that travel with the plan: %w", err), ignoreGone(os.Remove(archive)))
		}
	}()
	to, err := os.OpenFile(archive, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	compressed := gzip.NewWriter(to)
	entries := tar.NewWriter(compressed)
	for _, f := range files {
		if err := pack(entries, filepath.Join(root, filepath.FromSlash(f.Name)), f); err != nil {
			return fmt.Errorf("%q: %w", f.Name, err)
		}
	}
	return errors.Join(entries.Close(), compressed.Close())
}

func pack(to *tar.Writer, path string, f File) error {
	was, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !was.Mode().IsRegular() {
		return refused("it is %s by now", kind(was.Mode()))
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	mode := int64(0o600)
	if f.Executable {
		mode = 0o700
	}
	if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Size: f.Size, Mode: mode, Format: tar.FormatPAX}); err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(from, f.Size+1))
	is, statErr := from.Stat()
	switch {
	case errors.Is(err, tar.ErrWriteTooLong), err == nil && n != f.Size, statErr == nil && !same(was, is):
		return ErrChanging
	}
	return errors.Join(err, statErr)
}

// sum is the SHA-256 of a file.
type sum [sha256.Size]byte

// each reads an archive and calls do for each file in it. It reads up to maxArchive bytes. do
// must check the names and sizes, which are those in the archive.
func each(archive string, do func(f File, content io.Reader) error) error {
	from, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer from.Close()
	uncompressed, err := gzip.NewReader(from)
	if err != nil {
		return refused("the archive of this plan's files is damaged: %w", err)
	}
	entries := tar.NewReader(&limited{from: uncompressed, left: maxArchive})
	for count := 0; ; count++ {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		switch {
		case errors.Is(err, errTooLong):
			return tooMuch()
		case err != nil:
			return refused("the archive of this plan's files is damaged: %w", err)
		case count == maxFiles:
			return refused("the archive has more than %d files", maxFiles)
		case header.Typeflag != tar.TypeReg || !header.FileInfo().Mode().IsRegular():
			return refuse(header.Name, errors.New("it is "+kind(header.FileInfo().Mode())))
		case header.Size < 0 || header.Size > maxBytes:
			return tooMuch()
		}
		f := File{Name: header.Name, Size: header.Size, Executable: header.Mode&0o100 != 0}
		if err := do(f, entries); err != nil {
			return err
		}
	}
}

// maxArchive is how many bytes of an uncompressed archive are read: the files, and 2 KiB for the
// header of each.
const maxArchive = maxBytes + maxFiles*2<<10

var errTooLong = errors.New("it is larger than what is read")

// limited is a reader that fails at its limit. io.LimitedReader would end there without an
// error.
type limited struct {
	from io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.from.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}

// list reads the names, sizes and hashes in an archive. It refuses the whole archive if one of
// its files must not be put into the checkout.
func list(archive string, rules Rules) (files []File, sums map[string]sum, err error) {
	var bytes int64
	sums = map[string]sum{}
	err = each(archive, func(f File, content io.Reader) error {
		if bytes += f.Size; bytes > maxBytes {
			return tooMuch()
		}
		if err := rules.check(f.Name); err != nil {
			return refuse(f.Name, err)
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, content); err != nil {
			return refused("the archive of this plan's files is damaged: %w", err)
		}
		files, sums[f.Name] = append(files, f), sum(hash.Sum(nil))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return files, sums, collide(files)
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
