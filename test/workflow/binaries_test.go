package workflow

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// binaries is a folder with the actions' binaries, built once.
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
			file := filepath.Join(binaryFolder, action+"_"+runtime.GOOS+"_"+runtime.GOARCH)
			if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", file, root+"/actions/"+action).CombinedOutput(); err != nil {
				return "", fmt.Errorf("build %s: %w\n%s", action, err, out)
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
