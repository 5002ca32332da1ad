package planstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxObject is the size of the largest file that can be stored, in bytes: the limit of S3's
// PutObject.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const maxObject = 5 << 30

// putObject stores a file under the key that belongs to its digest.
func (s *Store) putObject(ctx context.Context, path string, key func(digest string) string) (digest string, size int64, version string, err error) {
	f, content, err := openMeasured(path)
	if err != nil {
		return "", 0, "", err
	}
	defer f.Close()
	version, err = s.objects.PutObject(ctx, key(content.Digest()), f, content)
	return content.Digest(), content.Size, version, err
}

// openMeasured opens a regular file and measures its content. The file is then at its start
// again.
func openMeasured(path string) (*os.File, storage.Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, storage.Content{}, err
	}
	content, err := measure(f)
	if err != nil {
		return nil, content, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return f, content, nil
}

func measure(f *os.File) (content storage.Content, err error) {
	info, err := f.Stat()
	if err != nil {
		return content, err
	}
	if !info.Mode().IsRegular() {
		return content, errors.New("it is not a regular file")
	}
	if info.Size() > maxObject {
		return content, problem.With(problem.Planfile, fmt.Errorf("it has %d bytes, and at most %d (5 GiB) can be stored", info.Size(), int64(maxObject)))
	}
	hash := sha256.New()
	if content.Size, err = io.Copy(hash, f); err != nil {
		return content, err
	}
	hash.Sum(content.SHA256[:0])
	_, err = f.Seek(0, io.SeekStart)
	return content, err
}

// Fetch writes a record's planfile to a new file of mode 0600, and proves that it is the
// recorded one: otherwise the error is an [ErrDigestMismatch], or an [ErrPlanfileGone] if it no
// longer exists. After an error there is no file. Fetch reads at most one byte more than the
// recorded size.
//
// It returns when the planfile was stored, which whoever writes the record can't choose: S3 says
// it, in whole seconds, or the folder's file.
func (s *Store) Fetch(ctx context.Context, r Record, path string) (storedAt time.Time, err error) {
	if storedAt, err = s.fetch(ctx, r, path); err != nil {
		return time.Time{}, fmt.Errorf("fetch the planfile of %s for commit %s: %w", r.Target, printable(r.Commit), err)
	}
	return storedAt, nil
}

func (s *Store) fetch(ctx context.Context, r Record, path string) (time.Time, error) {
	if err := cmp.Or(r.Check(), r.checkPlanfile()); err != nil {
		return time.Time{}, err
	}
	return s.fetchObject(ctx, r.ObjectKey, r.ObjectVersion, r.Size, r.Digest, path)
}

// FetchFiles is [Store.Fetch] for the archive of a record's built files. The record must have
// one (BuiltDigest).
func (s *Store) FetchFiles(ctx context.Context, r Record, path string) error {
	err := cmp.Or(r.Check(), r.checkBuilt())
	if err == nil {
		_, err = s.fetchObject(ctx, builtFilesKey(r.Target, r.Commit, r.BuiltDigest), r.BuiltVersion, r.BuiltSize, r.BuiltDigest, path)
	}
	if err != nil {
		return fmt.Errorf("fetch the built files of %s for commit %s: %w", r.Target, printable(r.Commit), err)
	}
	return nil
}

func (s *Store) fetchObject(ctx context.Context, key, version string, size int64, digest, path string) (storedAt time.Time, err error) {
	sum, err := hex.DecodeString(digest)
	if err != nil || len(sum) != sha256.Size {
		return storedAt, fmt.Errorf("%.80q is no SHA-256", digest)
	}
	content := storage.Content{Size: size, SHA256: [sha256.Size]byte(sum)}
	object, storedAt, err := s.objects.GetObject(ctx, key, version)
	if errors.Is(err, storage.ErrGone) {
		return storedAt, fmt.Errorf("%w (%w)", ErrPlanfileGone, err)
	}
	if err != nil {
		return storedAt, err
	}
	defer object.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return storedAt, err
	}
	if err = errors.Join(content.Copy(f, object), f.Close()); errors.Is(err, storage.ErrContent) {
		err = fmt.Errorf("%w: %w", ErrDigestMismatch, err)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return storedAt, err
}

// PutErroredState stores the state file that Terraform left because it could not write it to
// the backend. It never expires. The location is an s3:// address or a path.
func (s *Store) PutErroredState(ctx context.Context, r Record, run Run, path string) (location string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("store the errored state of %s: %w", r.Target, err)
		}
	}()
	if err := cmp.Or(r.Check(), run.Check()); err != nil {
		return "", err
	}
	var key string
	_, _, _, err = s.putObject(ctx, path, func(digest string) string {
		key = erroredStateKey(r, run, digest)
		return key
	})
	if err != nil {
		return "", err
	}
	return s.objects.ObjectLocation(key), nil
}
