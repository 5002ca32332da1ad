package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Content is what a file must contain: this many bytes, with this hash.
type Content struct {
	Size   int64
	SHA256 [sha256.Size]byte
}

// Digest is the hash in hex.
func (c Content) Digest() string { return hex.EncodeToString(c.SHA256[:]) }

// ErrContent is returned by [Content.Copy] for something with another content.
var ErrContent = errors.New("the content differs")

// Copy copies something that must have this content. It reads at most one byte more. If the
// content is another one, the error is an [ErrContent], and the copy must not be used.
func (c Content) Copy(to io.Writer, from io.Reader) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, hash), io.LimitReader(from, c.Size+1))
	if err != nil {
		return err
	}
	if n > c.Size {
		return fmt.Errorf("%w: recorded %s of %d bytes, and the stored one is longer", ErrContent, c.Digest(), c.Size)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != c.Digest() || n != c.Size {
		return fmt.Errorf("%w: recorded %s of %d bytes, stored %s of %d bytes", ErrContent, c.Digest(), c.Size, got, n)
	}
	return nil
}
