package workflow

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// binaries returns a folder with the actions' binaries, which are built once.
func binaries(t *testing.T) string {
	t.Helper()
	folder, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

var (
	binaryFolder string // TestMain makes it
	built        = sync.OnceValues(func() (string, error) {
		for _, action := range []string{"plan", "apply", "drift-detection", "drift-remediation"} {
			file, err := fakerunner.Binary(context.Background(), root, binaryFolder, action)
			if err == nil {
				err = os.Symlink(file, filepath.Join(binaryFolder, action+"_"+runtime.GOOS+"_"+runtime.GOARCH))
			}
			if err != nil {
				return "", err
			}
		}
		return binaryFolder, nil
	})
)

func TestMain(m *testing.M) {
	var err error
	if binaryFolder, err = os.MkdirTemp("", "actions-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := os.RemoveAll(binaryFolder); err != nil {
		panic(err)
	}
	os.Exit(status)
}
