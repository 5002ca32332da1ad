package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockInterval is how often a lock is asked for that another step holds.
const lockInterval = 100 * time.Millisecond

// lockFolder waits until no other step on this machine works in a root module's
// folder, where Atmos writes files that targets of one component share by name: the
// backend's, above all. It lasts until the file is closed, or this process ends.
func lockFolder(ctx context.Context, tempDir, folder string) (*os.File, error) {
	if tempDir == "" {
		tempDir = os.TempDir()
	}
	name := sha256.Sum256([]byte(folder))
	f, err := os.OpenFile(filepath.Join(tempDir, "gitops-"+hex.EncodeToString(name[:8])+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder %s: %w", folder, err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor is a small number
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock the folder %s: %w", folder, err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another step in the folder %s: %w", folder, context.Cause(ctx)), f.Close())
		case <-time.After(lockInterval):
		}
	}
}
