package planstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxObject is the size of the largest file that is stored, in bytes: what S3
// takes in one PutObject.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const maxObject = 5 << 30

// fingerprint is what a file must be: so many bytes with this hash.
type fingerprint struct {
	size   int64
	sha256 [sha256.Size]byte
}

func (f fingerprint) digest() string { return hex.EncodeToString(f.sha256[:]) }

// openMeasured opens a plain file and measures it; it stands at its start again.
func openMeasured(path string) (*os.File, fingerprint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fingerprint{}, err
	}
	sum, err := measure(f)
	if err != nil {
		return nil, fingerprint{}, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return f, sum, nil
}

func measure(f *os.File) (sum fingerprint, err error) {
	info, err := f.Stat()
	if err != nil {
		return sum, err
	}
	if !info.Mode().IsRegular() {
		return sum, errors.New("it is not a plain file")
	}
	if info.Size() > maxObject {
		return sum, problem.With(problem.Planfile, fmt.Errorf("it has %d bytes, and at most %d (5 GiB) can be stored", info.Size(), int64(maxObject)))
	}
	hash := sha256.New()
	if sum.size, err = io.Copy(hash, f); err != nil {
		return sum, err
	}
	hash.Sum(sum.sha256[:0])
	_, err = f.Seek(0, io.SeekStart)
	return sum, err
}

// copyMeasured copies what must have this size and digest, reading at most one
// byte more. It returns ErrDigestMismatch when it is something else.
func copyMeasured(to io.Writer, from io.Reader, size int64, digest string) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, hash), io.LimitReader(from, size+1))
	if err != nil {
		return err
	}
	if n > size {
		return fmt.Errorf("%w: recorded %s of %d bytes, and the stored one is longer", ErrDigestMismatch, digest, size)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != digest || n != size {
		return fmt.Errorf("%w: recorded %s of %d bytes, stored %s of %d bytes", ErrDigestMismatch, digest, size, got, n)
	}
	return nil
}
